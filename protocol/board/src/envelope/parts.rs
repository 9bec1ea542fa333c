//! Handshake and resync messages in parts (BRD-6).

use super::{BODY_LEN, Kind, Parcel};
use crypto::Zeroizing;
use std::collections::BTreeMap;

/// Why bytes were not split: misuse by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// There is nothing to split.
    #[error("an empty message has no parts")]
    Empty,
    /// The kind does not allow as many parts (BRD-6).
    #[error("the message needs more parts than its kind has")]
    TooLong,
}

/// Why a part was not taken: it contradicts the ones before. The joiner is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the part does not belong to the others")]
pub struct JoinError;

/// Splits a handshake or resync message into parcels of 4000 bytes, for tags 0, 1, 2 and so on.
/// They carry no ack and no floor.
///
/// # Errors
/// [`SplitError`] if the message is empty or needs more parts than `kind` has (BRD-6).
pub fn split_handshake(mid: [u8; 16], kind: Kind, bytes: &[u8]) -> Result<Vec<Parcel>, SplitError> {
    let chunks = bytes.chunks(BODY_LEN);
    let parts = u8::try_from(chunks.len()).map_err(|_| SplitError::TooLong)?;
    match parts {
        0 => return Err(SplitError::Empty),
        n if n > kind.max_parts() => return Err(SplitError::TooLong),
        _ => {}
    }
    let parcel = |(part, chunk): (u8, &[u8])| {
        let body = Zeroizing::new(chunk.to_vec());
        Parcel { kind, part, parts, ack: None, floor: 0, mid, body }
    };
    Ok((0..parts).zip(chunks).map(parcel).collect())
}

/// Joins the parts of one `mid`. One joiner for each `mid` that shows up at a set of tags.
pub struct PartJoiner {
    kind: Kind,
    mid: [u8; 16],
    parts: u8,
    bodies: BTreeMap<u8, Zeroizing<Vec<u8>>>,
}

impl PartJoiner {
    /// Starts with the first part that came, whichever it is.
    ///
    /// # Errors
    /// [`JoinError`] if it is no part of a split message.
    pub fn new(first: Parcel) -> Result<Self, JoinError> {
        let (kind, mid, parts) = (first.kind, first.mid, first.parts);
        let mut joiner = Self { kind, mid, parts, bodies: BTreeMap::new() };
        joiner.add(first)?;
        Ok(joiner)
    }

    /// Adds a part. One that is there already is ignored.
    ///
    /// # Errors
    /// [`JoinError`] if it belongs to another item, or if it is short and not the last.
    pub fn add(&mut self, parcel: Parcel) -> Result<(), JoinError> {
        let same = (parcel.kind, parcel.mid, parcel.parts) == (self.kind, self.mid, self.parts);
        let last = parcel.part.checked_add(1) == Some(self.parts);
        let full = parcel.body.len() == BODY_LEN || (last && !parcel.body.is_empty());
        if !same || !full || parcel.part >= self.parts || self.parts > self.kind.max_parts() {
            return Err(JoinError);
        }
        self.bodies.entry(parcel.part).or_insert(parcel.body);
        Ok(())
    }

    /// The message, when all parts are there (BRD-6).
    #[must_use]
    pub fn whole(&self) -> Option<Zeroizing<Vec<u8>>> {
        (self.bodies.len() == usize::from(self.parts)).then(|| {
            let mut out = Zeroizing::new(Vec::with_capacity(
                usize::from(self.parts).saturating_mul(BODY_LEN),
            ));
            for body in self.bodies.values() {
                out.extend_from_slice(body);
            }
            out
        })
    }
}
