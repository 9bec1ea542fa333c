//! An envelope at rest: `idx(16) ‖ nonce(24) ‖ sealed envelope(4096) ‖ tag(16)`, 4152 bytes.

use crate::seal::{DayKey, INDEX_LEN, Record, nonces};
use crate::store::StoreError;
use board::envelope::{ENVELOPE_LEN, Envelope};
use board::page::Entry;
use crypto::aead::{TAG_LEN, XNONCE_LEN};

/// The first half of an index: enough inside one day.
pub(super) type Short = [u8; SHORT_LEN];
/// Its length in bytes.
pub(super) const SHORT_LEN: usize = INDEX_LEN / 2;
/// Length of a record in bytes.
pub(super) const RECORD_LEN: usize = SHORT_LEN + XNONCE_LEN + ENVELOPE_LEN + TAG_LEN;

/// The name of an envelope on one day's disk.
pub(super) fn short(key: &DayKey, entry: &Entry) -> Short {
    *key.index(entry).first_chunk().unwrap_or(&[0; SHORT_LEN])
}

/// Seals an envelope under its name; what is added to the name makes the record.
pub(super) fn seal(key: &DayKey, idx: &Short, envelope: &Envelope) -> Vec<u8> {
    key.seal(&mut nonces(), Record::Envelope, idx, envelope.as_bytes())
}

/// The name and the envelope of a record.
pub(super) fn open(
    key: &DayKey,
    record: &[u8; RECORD_LEN],
) -> Result<(Short, Envelope), StoreError> {
    let damaged = StoreError::Damaged("an envelope");
    let Some((idx, sealed)) = record.split_first_chunk() else { return Err(damaged) };
    let plain = key.open(Record::Envelope, idx, sealed)?;
    match plain.as_slice().try_into() {
        Ok(bytes) => Ok((*idx, Envelope::from_bytes(bytes))),
        Err(_) => Err(damaged),
    }
}

/// How many bytes so many records take.
pub(super) fn bytes(records: u64) -> u64 {
    records.saturating_mul(wide(RECORD_LEN))
}

/// How many whole records so many bytes are.
pub(super) fn whole(bytes: u64) -> u64 {
    bytes.checked_div(wide(RECORD_LEN)).unwrap_or(0)
}

/// A length in memory as one in a file.
pub(super) fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
