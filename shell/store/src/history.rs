//! Conversations, as faces show them.

use crate::save::stored;
use crate::{Store, StoreError};
use crypto::Zeroizing;
use engine::changes::{Message, MessageState};
use rusqlite::{Row, ToSql, params};

/// A message and its place.
pub struct StoredMessage {
    /// Grows with every message that is saved, in whatever conversation; never given twice.
    pub row: i64,
    /// The message.
    pub message: Message,
    /// Whether it was read here; true for messages of ours.
    pub read: bool,
    /// When its timer ends, on the clock for ages (ENG-8), in seconds; 0 if it has none, or if it
    /// has not begun.
    pub expires: u64,
}

/// Numbers of one conversation, for a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Whose conversation.
    pub contact: [u8; 16],
    /// Messages of ours that no mailbox has yet.
    pub queued: u64,
    /// Messages of ours that a mailbox has and the peer has not.
    pub stored: u64,
    /// Messages of the peer that were not read.
    pub unread: u64,
}

/// What a message takes besides its text, for [`Store::unread`].
pub const ROW_BYTES: usize = 128;
/// What reading at ?1 changes.
const READ_NOW: &str =
    "read = 1, expires = CASE WHEN timer > 0 AND expires = 0 THEN ?1 + timer ELSE expires END";
/// Most messages that a prefix of an identifier gives.
const MAX_FOUND: u32 = 8;

impl Store {
    /// The last `limit` messages of a conversation that stand before the row `before`, newest last.
    /// By key set, so that a page costs the same anywhere (STO-34).
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn history(
        &self,
        contact: &[u8; 16],
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let mut page = self.messages(
            "WHERE contact = ?1 AND row < ?2 ORDER BY row DESC LIMIT ?3",
            params![contact, before.unwrap_or(i64::MAX), limit],
        )?;
        page.reverse();
        Ok(page)
    }

    /// One message.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn message(
        &self,
        contact: &[u8; 16],
        id: &[u8; 16],
    ) -> Result<Option<StoredMessage>, StoreError> {
        Ok(self.messages("WHERE contact = ?1 AND id = ?2", params![contact, id])?.pop())
    }

    /// The messages whose identifier begins with `id_prefix`, in whatever conversation, oldest
    /// first and 8 at most. A peer chooses its identifiers, so a whole one may still give two.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn find_message(&self, id_prefix: &[u8]) -> Result<Vec<StoredMessage>, StoreError> {
        let (mut first, mut last) = ([0; 16], [0xff; 16]);
        for bound in [&mut first, &mut last] {
            bound.iter_mut().zip(id_prefix).for_each(|(place, byte)| *place = *byte);
        }
        if id_prefix.len() > first.len() {
            return Ok(Vec::new());
        }
        self.messages(
            "WHERE id BETWEEN ?1 AND ?2 ORDER BY row LIMIT ?3",
            params![first, last, MAX_FOUND],
        )
    }

    /// Messages of peers that were not read, oldest first, until they take `room` bytes: their texts,
    /// and [`ROW_BYTES`] each. One that does not fit in the room that is left is the last.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn unread(&self, mut room: usize) -> Result<Vec<StoredMessage>, StoreError> {
        let sql = format!("SELECT {MESSAGE} FROM message WHERE read = 0 ORDER BY row");
        let mut statement = self.reader.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()?.filter(|_| room > 0) {
            let stored = read_message(row)?;
            let takes = stored.message.text.len().saturating_add(ROW_BYTES);
            room = room.saturating_sub(takes);
            found.push(stored);
        }
        Ok(found)
    }

    /// Marks everything up to and with the row `through` as read at `now` (the clock for ages):
    /// timers begin (ENG-7).
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn mark_read(&mut self, through: i64, now: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let sql = format!("UPDATE message SET {READ_NOW} WHERE read = 0 AND row <= ?2");
            transaction.execute(&sql, params![stored(now), through])?;
            Ok(())
        })
    }

    /// As [`mark_read`](Self::mark_read), for the message of this row alone.
    ///
    /// # Errors
    /// As [`save`](Self::save).
    pub fn mark_one_read(&mut self, row: i64, now: u64) -> Result<(), StoreError> {
        self.write(|transaction| {
            let sql = format!("UPDATE message SET {READ_NOW} WHERE read = 0 AND row = ?2");
            transaction.execute(&sql, params![stored(now), row])?;
            Ok(())
        })
    }

    /// Counts of the conversation with every contact, by contact. By an index on states: what has
    /// been delivered or read costs nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn counts(&self) -> Result<Vec<Counts>, StoreError> {
        let mut statement = self.reader.prepare(
            "SELECT contact.key,
                (SELECT count(*) FROM message WHERE message.contact = contact.key AND state = ?1),
                (SELECT count(*) FROM message WHERE message.contact = contact.key AND state = ?2),
                (SELECT count(*) FROM message
                 WHERE message.contact = contact.key AND state = ?3 AND read = 0)
             FROM contact ORDER BY contact.key",
        )?;
        let states = [MessageState::Queued, MessageState::Stored, MessageState::Received];
        let rows = statement.query_map(states.map(number_of), |row| {
            let count = |index| row.get::<_, i64>(index).map(|n| u64::try_from(n).unwrap_or(0));
            Ok(Counts {
                contact: row.get(0)?,
                queued: count(1)?,
                stored: count(2)?,
                unread: count(3)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// How many messages of ours were saved at `until` (Unix seconds) or before and wait for a
    /// mailbox or a receipt.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn waiting_since(&self, until: u64) -> Result<u64, StoreError> {
        let sql = "SELECT count(*) FROM message
             WHERE contact IN (SELECT key FROM contact) AND state IN (?1, ?2) AND saved <= ?3";
        let states = [MessageState::Queued, MessageState::Stored].map(number_of);
        let [queued, left] = &states;
        let count: i64 =
            self.reader.query_row(sql, params![queued, left, stored(until)], |row| row.get(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    fn messages<P: rusqlite::Params>(
        &self,
        which: &'static str,
        bound: P,
    ) -> Result<Vec<StoredMessage>, StoreError> {
        let mut statement =
            self.reader.prepare(&format!("SELECT {MESSAGE} FROM message {which}"))?;
        let mut rows = statement.query(bound)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(read_message(row)?);
        }
        Ok(found)
    }
}

/// The columns that [`read_message`] takes.
pub(crate) const MESSAGE: &str =
    "row, contact, id, state, text, sent, saved, read, since, timer, expires";

pub(crate) fn read_message(row: &Row<'_>) -> Result<StoredMessage, StoreError> {
    let seconds = |index| row.get::<_, i64>(index).map(|s| u64::try_from(s).unwrap_or(0));
    let message = Message {
        contact: row.get(1)?,
        id: row.get(2)?,
        state: state_of(row.get(3)?).ok_or(StoreError::Damaged { salvage: None })?,
        text: Zeroizing::new(row.get(4)?),
        sent: seconds(5)?,
        saved: seconds(6)?,
        since: seconds(8)?,
        timer: row.get(9)?,
    };
    Ok(StoredMessage { row: row.get(0)?, message, read: row.get(7)?, expires: seconds(10)? })
}

/// Numbers of the states in the database. Never given to another state.
pub(crate) const STATES: [(MessageState, u8); 7] = [
    (MessageState::Queued, 1),
    (MessageState::Stored, 2),
    (MessageState::Delivered, 3),
    (MessageState::Failed, 4),
    (MessageState::Received, 5),
    (MessageState::Recalled, 6),
    (MessageState::NotStored, 7),
];

pub(crate) fn number_of(state: MessageState) -> impl ToSql {
    STATES.iter().find(|(known, _)| *known == state).map(|(_, number)| *number)
}

pub(crate) fn state_of(number: u8) -> Option<MessageState> {
    STATES.iter().find(|(_, known)| *known == number).map(|(state, _)| *state)
}
