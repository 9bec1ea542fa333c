//! Schema versions: forward only, one transaction each (STO-30).

use crate::StoreError;
use rusqlite::{Connection, TransactionBehavior};

/// The scripts; the first leads from an empty database to version 1. Never edited once released.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
];

/// Brings the database to the newest version.
///
/// # Errors
/// [`StoreError::NewerVersion`], before anything was written.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found = user_version(connection)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let done = usize::try_from(found)
        .ok()
        .filter(|done| *done <= MIGRATIONS.len())
        .ok_or(StoreError::NewerVersion { found, known })?;
    for (version, script) in (1_i64..).zip(MIGRATIONS).skip(done) {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute_batch(script)?;
        step.pragma_update(None, "user_version", version)?;
        step.commit()?;
    }
    Ok(())
}

/// The version of the schema in the file; 0 is an empty database.
pub(crate) fn user_version(connection: &Connection) -> Result<i64, StoreError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(connection: &Connection) -> Vec<(String, String, Option<String>)> {
        connection
            .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
            .unwrap()
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    #[test]
    fn sto_30_migrations_lead_to_schema_sql() {
        let mut migrated = Connection::open_in_memory().unwrap();
        migrate(&mut migrated).unwrap();
        let drawn = Connection::open_in_memory().unwrap();
        drawn.execute_batch(include_str!("../schema.sql")).unwrap();
        assert_eq!(objects(&migrated), objects(&drawn));
        assert!(objects(&drawn).iter().any(|(_, name, _)| name == "message"));
    }

    /// What was saved before there were timers is as old as it was, and has none.
    #[test]
    fn sto_30_messages_of_version_2_keep_their_age() {
        let mut connection = Connection::open_in_memory().unwrap();
        for script in &MIGRATIONS[..2] {
            connection.execute_batch(script).unwrap();
        }
        connection.pragma_update(None, "user_version", 2).unwrap();
        let old = "INSERT INTO message (contact, id, state, text, sent, saved, read)
                   VALUES (zeroblob(16), zeroblob(16), 5, 'old', 7, 8, 0)";
        connection.execute(old, []).unwrap();
        migrate(&mut connection).unwrap();
        let new: (i64, i64, i64) = connection
            .query_row("SELECT since, timer, expires FROM message", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .unwrap();
        assert_eq!(new, (8, 0, 0));
    }

    #[test]
    fn sto_30_every_table_of_the_engine_is_strict_and_of_the_same_shape() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        for table in engine::changes::Table::ALL {
            let strict: (bool, bool) = connection
                .query_row(
                    "SELECT strict, wr FROM pragma_table_list WHERE name = ?1",
                    [table.name()],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .unwrap();
            assert_eq!(strict, (true, true), "{}", table.name());
        }
    }
}
