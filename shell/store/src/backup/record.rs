//! What a backup says, record by record (BAK-5, BAK-6).
//!
//! ```text
//! record  = kind(1) ‖ length(4) ‖ body
//! 1 begin   version(2) = 1 ‖ made(8) ‖ private network(1)
//! 2 row     table(1) ‖ key length(2) ‖ key ‖ value
//! 3 message contact(16) ‖ id(16) ‖ state(1) ‖ read(1) ‖ sent(8) ‖ saved(8) ‖ since(8) ‖
//!           timer(4) ‖ expires(8) ‖ text
//! 4 end     rows(8) ‖ messages(8)
//! ```
//! Begin once, first; rows by table and key; messages in their order; end once; then zeros.

use super::BackupError;
use crate::history::{STATES, state_of};
use crypto::Zeroizing;
use engine::changes::{Message, Table};
use wire::{Malformed, Reader, Writer};

/// Version of what is said, inside the encryption.
const CONTENT_VERSION: u16 = 1;
/// Longest body: a message of 256 KiB fits, and no more than this is ever held at once.
pub(super) const MAX_BODY: usize = 1024 * 1024;
/// Length of kind and length.
pub(super) const PREFIX: usize = 5;

const BEGIN: u8 = 1;
const ROW: u8 = 2;
const MESSAGE: u8 = 3;
const END: u8 = 4;

/// The tables that a backup has, in this order, with their numbers. There is no number for
/// ratchets, invites, files and positions at mailboxes: a backup cannot name them (BAK-5).
pub(super) const TABLES: [(Table, u8); 7] = [
    (Table::Profile, 1),
    (Table::Mailbox, 2),
    (Table::Contact, 3),
    (Table::Recovery, 4),
    (Table::Seen, 5),
    (Table::Outbox, 6),
    (Table::Partial, 7),
];

/// When and where a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When, Unix seconds of the device that made it.
    pub made: u64,
    /// The profile belongs to a private test network (TOR-31).
    pub private_network: bool,
}

/// One record.
pub(super) enum Record {
    Begin(Stamp),
    Row { table: Table, key: Vec<u8>, value: Zeroizing<Vec<u8>> },
    Message { message: Message, read: bool, expires: u64 },
    End { rows: u64, messages: u64 },
}

crypto::opaque!(Record);

impl Record {
    /// The record with its kind and length before it.
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let room = match self {
            Self::Row { key, value, .. } => key.len().saturating_add(value.len()),
            Self::Message { message, .. } => message.text.len(),
            Self::Begin(_) | Self::End { .. } => 0,
        };
        // Reserved, so that growing leaves no copy behind.
        let mut body = Writer::with_capacity(room.saturating_add(96));
        let kind = match self {
            Self::Begin(Stamp { made, private_network }) => {
                body.u16(CONTENT_VERSION).u64(*made).u8(u8::from(*private_network));
                BEGIN
            }
            Self::Row { table, key, value } => {
                body.u8(number_of(*table)).u16(u16::try_from(key.len()).unwrap_or(u16::MAX));
                body.bytes(key).bytes(value);
                ROW
            }
            Self::Message { message, read, expires } => {
                let Message { id, contact, state, text, sent, saved, since, timer } = message;
                let state = STATES.iter().find(|(known, _)| known == state);
                body.bytes(contact).bytes(id).u8(state.map_or(0, |(_, number)| *number));
                body.u8(u8::from(*read)).u64(*sent).u64(*saved).u64(*since).u32(*timer);
                body.u64(*expires).bytes(text.as_bytes());
                MESSAGE
            }
            Self::End { rows, messages } => {
                body.u64(*rows).u64(*messages);
                END
            }
        };
        let body = Zeroizing::new(body.into_vec());
        let mut whole = Writer::with_capacity(body.len().saturating_add(PREFIX));
        whole.u8(kind).u32(u32::try_from(body.len()).unwrap_or(u32::MAX)).bytes(&body);
        Zeroizing::new(whole.into_vec())
    }

    /// Reads the body of a record.
    ///
    /// # Errors
    /// [`BackupError::NewerVersion`] of a beginning; [`BackupError::Content`].
    pub(super) fn decode(kind: u8, body: &[u8]) -> Result<Self, BackupError> {
        if kind == BEGIN && body.first_chunk().is_some_and(|v| *v != CONTENT_VERSION.to_be_bytes())
        {
            return Err(BackupError::NewerVersion);
        }
        Self::parse(kind, body).map_err(|_| BackupError::Content)
    }

    fn parse(kind: u8, body: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(body);
        let record = match kind {
            BEGIN => {
                let _version = r.u16()?;
                Self::Begin(Stamp { made: r.u64()?, private_network: flag(&mut r)? })
            }
            ROW => {
                let table = table_of(r.u8()?).ok_or(Malformed::Field("table"))?;
                let length = usize::from(r.u16()?);
                let key = r.take(length)?.to_vec();
                Self::Row { table, key, value: Zeroizing::new(r.rest().to_vec()) }
            }
            MESSAGE => {
                let (contact, id) = (r.array()?, r.array()?);
                let state = state_of(r.u8()?).ok_or(Malformed::Field("state"))?;
                let (read, sent, saved) = (flag(&mut r)?, r.u64()?, r.u64()?);
                let (since, timer, expires) = (r.u64()?, r.u32()?, r.u64()?);
                let text = core::str::from_utf8(r.rest()).map_err(|_| Malformed::Field("text"))?;
                let text = Zeroizing::new(text.to_owned());
                let message = Message { id, contact, state, text, sent, saved, since, timer };
                Self::Message { message, read, expires }
            }
            END => Self::End { rows: r.u64()?, messages: r.u64()? },
            _ => return Err(Malformed::Field("kind")),
        };
        r.finish()?;
        Ok(record)
    }
}

fn flag(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Field("flag")),
    }
}

fn number_of(table: Table) -> u8 {
    TABLES.iter().find(|(known, _)| *known == table).map_or(0, |(_, number)| *number)
}

fn table_of(number: u8) -> Option<Table> {
    TABLES.iter().find(|(_, known)| *known == number).map(|(table, _)| *table)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::changes::MessageState;
    use proptest::prelude::*;

    fn again(record: &Record) -> Record {
        let bytes = record.encode();
        let (prefix, body) = bytes.split_at(PREFIX);
        let told = u32::from_be_bytes(prefix[1..].try_into().unwrap());
        assert_eq!(usize::try_from(told).unwrap(), body.len());
        Record::decode(prefix[0], body).unwrap()
    }

    proptest! {
        #[test]
        fn bak_6_rows_and_messages_round_trip(
            table in 0..TABLES.len(), key in prop::collection::vec(any::<u8>(), 0..64),
            value in any::<Vec<u8>>(), ids in any::<([u8; 16], [u8; 16])>(), state in 0..STATES.len(),
            read in any::<bool>(), times in any::<(u64, u64, u64, u32, u64)>(), text in any::<String>(),
        ) {
            let table = TABLES[table].0;
            let row = Record::Row { table, key: key.clone(), value: Zeroizing::new(value.clone()) };
            let Record::Row { table: t, key: k, value: v } = again(&row) else { panic!() };
            prop_assert_eq!((t, k, v.to_vec()), (table, key, value));
            let message = Message {
                contact: ids.0, id: ids.1, state: STATES[state].0, sent: times.0, saved: times.1,
                since: times.2, timer: times.3, text: Zeroizing::new(text),
            };
            let record = Record::Message { message, read, expires: times.4 };
            let Record::Message { message: m, read: r, expires } = again(&record) else { panic!() };
            prop_assert_eq!((m.since, m.timer, expires), (times.2, times.3, times.4));
            let Record::Message { message, .. } = &record else { panic!() };
            prop_assert_eq!((m.contact, m.id, m.state, m.sent, m.saved), (ids.0, ids.1, message.state, times.0, times.1));
            prop_assert_eq!((m.text.as_str(), r), (message.text.as_str(), read));
        }

        #[test]
        fn bak_6_no_bytes_make_a_record_panic(kind in any::<u8>(), body in any::<Vec<u8>>()) {
            if let Ok(record) = Record::decode(kind, &body) {
                prop_assert_eq!(&record.encode()[PREFIX..], body);
            }
        }
    }

    /// The tables that would send a chain back in time have no number (BAK-5).
    #[test]
    fn bak_5_ratchets_invites_and_positions_cannot_be_named() {
        for table in [Table::Ratchet, Table::Invite, Table::Cursor] {
            assert_eq!(number_of(table), 0, "{table:?}");
        }
        assert_eq!(table_of(0), None);
        let row = Record::Row { table: Table::Ratchet, key: vec![1], value: Zeroizing::default() };
        let bytes = row.encode();
        assert!(matches!(Record::decode(ROW, &bytes[PREFIX..]), Err(BackupError::Content)));
        assert_eq!(state_of(5), Some(MessageState::Received));
    }
}
