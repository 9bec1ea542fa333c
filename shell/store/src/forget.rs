//! Retention (STO-31, STO-32).

use crate::save::stored;
use crate::{Store, StoreError};

impl Store {
    /// Deletes every message that was saved before `cutoff` (Unix seconds of this device) and
    /// empties the log, also when nothing was due: until then it holds what was overwritten, spent
    /// ratchet keys included. Returns the number of messages.
    ///
    /// To be called at unlock and every minute.
    ///
    /// # Errors
    /// As [`save`](Self::save). [`StoreError::Busy`] if another program reads the database, so that
    /// the log could not be emptied; the messages are deleted all the same.
    pub fn forget_older_than(&mut self, cutoff: u64) -> Result<usize, StoreError> {
        let forgotten = self.write(|transaction| {
            Ok(transaction.execute("DELETE FROM message WHERE saved < ?1", [stored(cutoff)])?)
        })?;
        self.truncate_log()?;
        Ok(forgotten)
    }
}
