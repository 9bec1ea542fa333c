//! The envelope: one size, whatever is inside (BRD-3, BRD-4, BRD-7).

mod parcel;
mod parts;

pub use parcel::{Ack, BODY_LEN, Kind, MAX_HANDSHAKE_PARTS, MAX_RESYNC_PARTS, Parcel};
pub use parts::{JoinError, PartJoiner, SplitError, split_handshake};

use crate::tag::{OnionKey, Tag};
use crypto::aead::{EnvelopeKey, TAG_LEN, XNONCE_LEN};
use crypto::rand_core::CryptoRng;
use crypto::{HASH_LEN, hash, labels};
use parcel::PLAIN_LEN;

/// Length of every envelope.
pub const ENVELOPE_LEN: usize = 4096;
/// Length of a tag.
const ADDRESS_LEN: usize = 16;

// BRD-3: the ledger.
const _: () = assert!(ADDRESS_LEN + XNONCE_LEN + PLAIN_LEN + TAG_LEN == ENVELOPE_LEN);

/// What a mailbox holds: `tag(16) ‖ nonce(24) ‖ ciphertext(4040) ‖ Poly1305(16)` = 4096 bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Envelope(Box<[u8; ENVELOPE_LEN]>);

impl Envelope {
    /// Takes 4096 bytes. Any are an envelope; [`open`] judges them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; ENVELOPE_LEN]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The 4096 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ENVELOPE_LEN] {
        &self.0
    }

    /// Bytes 0 to 15: the address.
    #[must_use]
    pub fn tag(&self) -> Tag {
        Tag(*self.0.first_chunk().unwrap_or(&[0; ADDRESS_LEN]))
    }

    /// `H(envelope)`.
    #[must_use]
    pub fn digest(&self) -> [u8; HASH_LEN] {
        hash(&[self.0.as_slice()])
    }
}

/// Why a parcel was not sealed: misuse by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The body is longer than [`BODY_LEN`].
    #[error("the body is too long for one envelope")]
    TooLong,
    /// The kind does not allow this part of this many parts (BRD-7).
    #[error("there is no such part of this kind")]
    Parts,
}

/// The envelope was not made for this key and mailbox, or breaks BRD-7. Says nothing more, and
/// nothing is ever sent because of it (BRD-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an envelope of ours")]
pub struct OpenError;

/// Seals a parcel into an envelope at `tag` for `mailbox` (BRD-3).
///
/// # Errors
/// [`SealError`] if the parcel breaks BRD-7; never for any other input.
pub fn seal(
    rng: &mut impl CryptoRng,
    key: &EnvelopeKey,
    tag: Tag,
    mailbox: &OnionKey,
    parcel: &Parcel,
) -> Result<Envelope, SealError> {
    let plain = parcel.encode()?;
    let sealed = key.seal(rng, &associated(tag, mailbox), &plain);
    let mut out = Box::new([0; ENVELOPE_LEN]);
    for (to, from) in out.iter_mut().zip(tag.0.iter().chain(&sealed)) {
        *to = *from;
    }
    Ok(Envelope(out))
}

/// Opens an envelope that was found at a tag of ours at `mailbox`. Has no state (BRD-8).
///
/// # Errors
/// [`OpenError`] for everything that [`seal`] did not make with this key, tag and mailbox.
pub fn open(
    key: &EnvelopeKey,
    mailbox: &OnionKey,
    envelope: &Envelope,
) -> Result<Parcel, OpenError> {
    let sealed = envelope.0.get(ADDRESS_LEN..).ok_or(OpenError)?;
    let plain = key.open(&associated(envelope.tag(), mailbox), sealed).map_err(|_| OpenError)?;
    Parcel::decode(&plain).map_err(|_| OpenError)
}

/// Draws a dummy: 4096 random bytes, which nobody opens (BRD-2).
pub fn dummy(rng: &mut impl CryptoRng) -> Envelope {
    let mut bytes = Box::new([0; ENVELOPE_LEN]);
    rng.fill_bytes(bytes.as_mut_slice());
    Envelope(bytes)
}

/// Associated data of the AEAD: `"pvtcoms board v1 envelope" ‖ M ‖ tag` (BRD-3).
fn associated(tag: Tag, mailbox: &OnionKey) -> Vec<u8> {
    [labels::BOARD_ENVELOPE, mailbox, &tag.0].concat()
}

#[cfg(test)]
mod tests;
