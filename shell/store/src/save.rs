//! Saving what a step changed, and loading it again.

use crate::history::number_of;
use crate::{Store, StoreError};
use crypto::Zeroizing;
use engine::changes::{Change, Changes, Event, EventKind, Message, MessageState, Snapshot, Table};
use rusqlite::{Transaction, params};

impl Store {
    /// Saves all changes, in their order, in one transaction. When this returns `Ok` they are on
    /// the disk (STO-24), and what the step wants to send may leave.
    ///
    /// # Errors
    /// Nothing was saved: [`StoreError::DiskFull`]; [`StoreError::Conflict`] if a message is there
    /// already; [`StoreError::Broken`] after an earlier [`StoreError::Io`].
    ///
    /// After [`StoreError::Io`] only the next unlock shows whether all of it or nothing was saved.
    pub fn save(&mut self, changes: &Changes) -> Result<(), StoreError> {
        self.write(|transaction| apply(transaction, changes))?;
        self.empty_log_if_forgetting(changes);
        Ok(())
    }

    /// As [`save`](Self::save), and remembers in the same transaction that `key` stands for
    /// `message`, which is one of the changes (PRD-17).
    ///
    /// # Errors
    /// As [`save`](Self::save). [`StoreError::Conflict`] also if `key` is taken, or if `message` is
    /// not among the changes.
    pub fn save_with_key(
        &mut self,
        changes: &Changes,
        key: &str,
        message: &[u8; 16],
    ) -> Result<(), StoreError> {
        let at = changes
            .0
            .iter()
            .find_map(|change| match change {
                Change::Message(new) if new.id == *message => Some(new.saved),
                _ => None,
            })
            .ok_or(StoreError::Conflict)?;
        self.write(|transaction| {
            apply(transaction, changes)?;
            transaction.execute(
                "INSERT INTO idempotency (key, message, at) VALUES (?1, ?2, ?3)",
                params![key, message, stored(at)],
            )?;
            Ok(())
        })?;
        self.empty_log_if_forgetting(changes);
        Ok(())
    }

    /// Loads all rows of the engine's tables, in the order of tables and keys.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn load(&self) -> Result<Snapshot, StoreError> {
        let mut snapshot = Snapshot::default();
        for table in Table::ALL {
            let sql = format!("SELECT key, value FROM {} ORDER BY key", table.name());
            let mut statement = self.reader.prepare(&sql)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let value = Zeroizing::new(row.get(1)?);
                snapshot.0.push((table, row.get(0)?, value));
            }
        }
        Ok(snapshot)
    }

    fn empty_log_if_forgetting(&mut self, changes: &Changes) {
        if changes.0.iter().any(|change| matches!(change, Change::ForgetConversation { .. })) {
            // It is saved, so the caller is told so. If the log could not be emptied at once,
            // `forget_due` does it, or says why not.
            let _ = self.truncate_log();
        }
    }
}

fn apply(transaction: &Transaction<'_>, changes: &Changes) -> Result<(), StoreError> {
    changes.0.iter().try_for_each(|change| apply_one(transaction, change))
}

fn apply_one(transaction: &Transaction<'_>, change: &Change) -> Result<(), StoreError> {
    match change {
        Change::Put { table, key, value } => transaction.execute(
            &format!(
                "INSERT INTO {} (key, value) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                table.name()
            ),
            params![key, value.as_slice()],
        ),
        Change::Delete { table, key } => transaction
            .execute(&format!("DELETE FROM {} WHERE key = ?1", table.name()), params![key]),
        Change::Message(Message { id, contact, state, text, sent, saved, since, timer }) => {
            transaction.execute(
                // A peer chooses the ids of its messages: one that is taken already is not shown
                // again, and never a reason not to save. Our own ids are new.
                if *state == MessageState::Received {
                    "INSERT INTO message (contact, id, state, text, sent, saved, read, since, timer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (contact, id) DO NOTHING"
                } else {
                    "INSERT INTO message (contact, id, state, text, sent, saved, read, since, timer)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
                },
                params![
                    contact,
                    id,
                    number_of(*state),
                    text.as_str(),
                    stored(*sent),
                    stored(*saved),
                    *state != MessageState::Received,
                    stored(*since),
                    timer,
                ],
            )
        }
        // The message may have been forgotten meanwhile; that is no fault.
        Change::MessageState { contact, id, state } => transaction.execute(
            // What is queued again has not left: its timer has not begun.
            if *state == MessageState::Queued {
                "UPDATE message SET state = ?3, expires = 0 WHERE contact = ?1 AND id = ?2"
            } else {
                "UPDATE message SET state = ?3 WHERE contact = ?1 AND id = ?2"
            },
            params![contact, id, number_of(*state)],
        ),
        Change::BeginTimer { contact, id, at } => transaction.execute(
            "UPDATE message SET expires = ?3 + timer
             WHERE contact = ?1 AND id = ?2 AND timer > 0 AND expires = 0",
            params![contact, id, stored(*at)],
        ),
        Change::Event(Event { kind, contact, message, at }) => transaction.execute(
            "INSERT INTO event (kind, contact, message, at) VALUES (?1, ?2, ?3, ?4)",
            params![number_of_kind(*kind), contact, message, stored(*at)],
        ),
        Change::ForgetConversation { contact } => {
            // Keys of sends first: they name messages that are about to go.
            for forget in [
                "DELETE FROM idempotency WHERE message IN (SELECT id FROM message WHERE contact = ?1)",
                "DELETE FROM event WHERE contact = ?1",
            ] {
                transaction.execute(forget, params![contact])?;
            }
            transaction.execute("DELETE FROM message WHERE contact = ?1", params![contact])
        }
    }?;
    Ok(())
}

fn number_of_kind(kind: EventKind) -> Option<u8> {
    EventKind::ALL.iter().find(|(known, ..)| *known == kind).map(|(_, number, _)| *number)
}

/// Seconds as SQLite's integers hold them. A peer names its own clock: a time that does not fit is
/// the latest one that does, and never a reason not to save.
pub(crate) fn stored(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
