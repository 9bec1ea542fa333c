//! Between the database and records.

use super::record::{Record, TABLES};
use super::{BackupError, Carry, RestoreTerms, Stamp};
use crate::StoreError;
use crate::history::{MESSAGE, StoredMessage, number_of, read_message};
use crate::save::stored;
use engine::changes::{MessageState, Table};
use rusqlite::{Connection, Transaction, params};

/// How many rows and messages there are, at most: what progress is measured by.
pub(super) fn count(connection: &Connection) -> Result<u64, StoreError> {
    let tables = TABLES.iter().map(|(table, _)| table.name()).chain(["message"]);
    tables.map(|table| count_of(connection, table)).sum()
}

fn count_of(connection: &Connection, table: &str) -> Result<u64, StoreError> {
    let sql = format!("SELECT count(*) FROM {table}");
    let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(u64::try_from(rows).unwrap_or(0))
}

/// Gives every record of a backup, in order, to `each`. Twice the same for the same transaction.
pub(super) fn each_record(
    connection: &Connection,
    stamp: Stamp,
    carry: Carry,
    mut each: impl FnMut(&Record) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    each(&Record::Begin(stamp))?;
    let (mut rows, mut messages) = (0_u64, 0_u64);
    for (table, _) in TABLES {
        each_row(connection, table, carry, |record| {
            rows = rows.saturating_add(1);
            each(record)
        })?;
    }
    each_message(connection, stamp.made, |record| {
        messages = messages.saturating_add(1);
        each(record)
    })?;
    each(&Record::End { rows, messages })
}

fn each_row(
    connection: &Connection,
    table: Table,
    carry: Carry,
    mut each: impl FnMut(&Record) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    let sql = format!("SELECT key, value FROM {} ORDER BY key", table.name());
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        let value = crypto::Zeroizing::new(row.get(1)?);
        if let Some(value) = carry(table, &key, value).map_err(damaged)? {
            each(&Record::Row { table, key, value })?;
        }
    }
    Ok(())
}

fn each_message(
    connection: &Connection,
    made: u64,
    mut each: impl FnMut(&Record) -> Result<(), BackupError>,
) -> Result<(), BackupError> {
    // BAK-9: what has run out and was not swept yet is not carried.
    let mut statement = connection.prepare(&format!(
        "SELECT {MESSAGE} FROM message WHERE expires = 0 OR expires > ?1 ORDER BY row"
    ))?;
    let mut rows = statement.query([stored(made)])?;
    while let Some(row) = rows.next()? {
        let found = read_message(row)?;
        let StoredMessage { message, read, expires, .. } = found;
        each(&Record::Message { message, read, expires })?;
    }
    Ok(())
}

fn damaged(_row: wire::Malformed) -> BackupError {
    BackupError::Store(StoreError::Damaged { salvage: None })
}

/// Writes a record into the database that is being made; says whether it was kept.
///
/// BAK-9: what has run out by now does not come back.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    record: Record,
    terms: &RestoreTerms,
    carry: Carry,
) -> Result<bool, BackupError> {
    match record {
        Record::Row { table, key, value } => {
            let value = carry(table, &key, value).map_err(|_| BackupError::Content)?;
            let Some(value) = value else { return Ok(false) };
            transaction.execute(
                &format!("INSERT INTO {} (key, value) VALUES (?1, ?2)", table.name()),
                params![key, value.as_slice()],
            )?;
            Ok(true)
        }
        Record::Message { expires, .. } if expires > 0 && expires <= terms.now => Ok(false),
        Record::Message { message, read, expires } => {
            transaction.execute(
                "INSERT INTO message
                     (contact, id, state, text, sent, saved, read, since, timer, expires)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                params![
                    message.contact,
                    message.id,
                    number_of(message.state),
                    message.text.as_str(),
                    stored(message.sent),
                    stored(message.saved),
                    read || message.state != MessageState::Received,
                    stored(message.since),
                    message.timer,
                    stored(expires),
                ],
            )?;
            Ok(true)
        }
        Record::Begin(_) | Record::End { .. } => Err(BackupError::Content),
    }
}
