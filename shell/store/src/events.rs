//! What faces and bots are told, until they say that they have it (PRD-17).

use crate::save::stored;
use crate::{Store, StoreError};
use engine::changes::{Event, EventKind};
use rusqlite::{OptionalExtension, Row, Transaction, params};

/// An event and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Grows with every event, never given twice.
    pub id: i64,
    /// The event.
    pub event: Event,
}

/// Events that somebody never acknowledged are kept so long: 30 days.
const MAX_EVENT_AGE: u64 = 30 * 24 * 3600;
/// A key of an RPC send stands for its message so long: 14 days.
const KEY_AGE: u64 = 14 * 24 * 3600;

impl Store {
    /// Up to `limit` events after the one numbered `id`, oldest first.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn events_after(&self, id: i64, limit: u32) -> Result<Vec<StoredEvent>, StoreError> {
        let mut statement = self.reader.prepare(
            "SELECT id, kind, contact, message, at FROM event WHERE id > ?1 ORDER BY id LIMIT ?2",
        )?;
        let mut rows = statement.query(params![id, limit])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            events.push(read_event(row)?);
        }
        Ok(events)
    }

    /// Notes that `subscriber` has every event up to and with `through`. A first call names the
    /// subscriber, for which events wait from then on; its position never goes back, nor beyond
    /// the newest event. What every subscriber has is removed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a name that is not of 1 to 64 characters; as
    /// [`save`](Self::save).
    pub fn ack_events(&mut self, subscriber: &str, through: i64) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT INTO subscriber (name, position)
                 VALUES (?1, max(0, min(?2, ifnull(
                     (SELECT seq FROM sqlite_sequence WHERE name = 'event'), 0))))
                 ON CONFLICT (name) DO UPDATE SET position = max(position, excluded.position)",
                params![subscriber, through],
            )?;
            remove_acknowledged(transaction)
        })
    }

    /// How far a subscriber got; `None` if it is not known.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn subscriber_position(&self, subscriber: &str) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT position FROM subscriber WHERE name = ?1";
        Ok(self.reader.query_row(sql, [subscriber], |row| row.get(0)).optional()?)
    }

    /// The message that was sent under `key` within the last 14 days.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn idempotency(&self, key: &str) -> Result<Option<[u8; 16]>, StoreError> {
        let sql = "SELECT message FROM idempotency WHERE key = ?1";
        Ok(self.reader.query_row(sql, [key], |row| row.get(0)).optional()?)
    }

    /// Removes what is too old at `now` (Unix seconds): events of 30 days, keys of 14.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn prune(&mut self, now: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let before = |age| stored(now.saturating_sub(age));
            transaction.execute("DELETE FROM event WHERE at < ?1", [before(MAX_EVENT_AGE)])?;
            transaction.execute("DELETE FROM idempotency WHERE at < ?1", [before(KEY_AGE)])?;
            Ok(())
        })
    }
}

fn remove_acknowledged(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction
        .execute("DELETE FROM event WHERE id <= (SELECT min(position) FROM subscriber)", [])?;
    Ok(())
}

fn read_event(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let number: u8 = row.get(1)?;
    let kind = EventKind::ALL
        .iter()
        .find(|(_, known, _)| *known == number)
        .map(|(kind, ..)| *kind)
        .ok_or(StoreError::Damaged { salvage: None })?;
    let at = u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0);
    let event = Event { kind, contact: row.get(2)?, message: row.get(3)?, at };
    Ok(StoredEvent { id: row.get(0)?, event })
}
