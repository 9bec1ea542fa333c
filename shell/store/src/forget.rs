//! Retention and timers (STO-31, STO-32).

use crate::save::stored;
use crate::{Store, StoreError};
use engine::Due;
use rusqlite::params;

/// Messages that are due: saved too long ago, or with a timer that has run out.
const IS_DUE: &str = "(since < ?1 OR (expires > 0 AND expires <= ?2))";

impl Store {
    /// Deletes every message that is due, with what the log of events says of it, and empties the
    /// log of the database, also when nothing was due: until then it holds what was overwritten,
    /// spent ratchet keys included. Returns the number of messages.
    ///
    /// The key of an RPC send stays: a bot that asks again must not send again.
    ///
    /// To be called at unlock and every minute.
    ///
    /// # Errors
    /// As [`save`](Self::save). [`StoreError::Busy`] if another program reads the database, so that
    /// the log could not be emptied; the messages are deleted all the same.
    pub fn forget_due(&mut self, due: Due) -> Result<usize, StoreError> {
        let forgotten = self.write(|transaction| {
            let due = params![stored(due.since_before), stored(due.now)];
            // Two searches by index; the events are looked through only if there is something.
            let some = format!("SELECT EXISTS (SELECT 1 FROM message WHERE {IS_DUE})");
            if !transaction.query_row(&some, due, |row| row.get::<_, bool>(0))? {
                return Ok(0);
            }
            let events = format!(
                "DELETE FROM event WHERE (contact, message) IN
                     (SELECT contact, id FROM message WHERE {IS_DUE})"
            );
            transaction.execute(&events, due)?;
            Ok(transaction.execute(&format!("DELETE FROM message WHERE {IS_DUE}"), due)?)
        })?;
        self.truncate_log()?;
        Ok(forgotten)
    }
}
