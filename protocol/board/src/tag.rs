//! Where an envelope lies and what opens it: tags and keys from shared secrets (BRD-1, BRD-2).

use crypto::aead::EnvelopeKey;
use crypto::kdf::Prk;
use crypto::rand_core::CryptoRng;
use crypto::{Zeroizing, labels, secret};
use wire::{Malformed, Reader, Writer};

/// `M`: the onion key of a mailbox, 32 public bytes.
pub type OnionKey = [u8; 32];

/// Invite tags in one direction: `i` is below this.
pub const INVITE_TAGS: u8 = 8;
/// Resync tags in one direction on one day: `r` is below this.
pub const SYNC_TAGS: u8 = 4;
/// Tags of beacons on one day: `i` is below this.
pub const BEACON_TAGS: u8 = 64;
/// Days that a resync key is kept after its day (BRD-10).
pub const SYNC_DAYS: u32 = 14;

/// The address of an envelope, 16 bytes. Public, and used for one item at one mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag(pub [u8; 16]);

/// Which way an envelope goes between inviter and invited (`d`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// From the invited side to the inviter.
    ToInviter = 0,
    /// From the inviter to the invited side.
    ToInvited = 1,
}

impl Direction {
    /// The byte `d`.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::ToInviter => 0,
            Self::ToInvited => 1,
        }
    }

    /// The direction of a byte `d`.
    ///
    /// # Errors
    /// [`Malformed::Field`] if there is no such direction.
    pub const fn from_byte(d: u8) -> Result<Self, Malformed> {
        match d {
            0 => Ok(Self::ToInviter),
            1 => Ok(Self::ToInvited),
            _ => Err(Malformed::Field("direction")),
        }
    }

    /// The other way.
    #[must_use]
    pub const fn back(self) -> Self {
        match self {
            Self::ToInviter => Self::ToInvited,
            Self::ToInvited => Self::ToInviter,
        }
    }
}

/// `KDF(k, label, ctx) = HKDF-Expand(k, "pvtcoms board v1 kdf " ‖ label ‖ 0x00 ‖ ctx, 32)` (BRD-1).
pub(crate) fn kdf(k: &[u8; 32], label: &str, ctx: &[&[u8]], out: &mut [u8; 32]) {
    let head: [&[u8]; 3] = [labels::BOARD_KDF, label.as_bytes(), &[0]];
    let info: Vec<&[u8]> = head.iter().chain(ctx).copied().collect();
    Prk::from_key(k).expand(&info, out);
}

fn tag_of(k: &[u8; 32], label: &str, ctx: &[&[u8]]) -> Tag {
    let mut whole = Zeroizing::new([0; 32]);
    kdf(k, label, ctx, &mut whole);
    Tag(*whole.first_chunk().unwrap_or(&[0; 16]))
}

fn key_of(k: &[u8; 32], label: &str, ctx: &[&[u8]]) -> EnvelopeKey {
    EnvelopeKey::filled(|out| kdf(k, label, ctx, out))
}

secret! {
    /// `S`: the secret of one index of a chain, or of one loop. It gives the tag and the key at
    /// every mailbox; two mailboxes share no byte (BRD-2).
    pub struct SlotSecret([u8; 32]);
    /// `I`: the secret of an invite, 32 bytes.
    struct InviteSecret([u8; 32]);
    /// `KS[t]`: the resync key of a day.
    struct SyncKey([u8; 32]);
    /// `B`: what the beacons of a profile are made from, 32 random bytes that all its copies have.
    struct BeaconSecret([u8; 32]);
}

crypto::opaque!(InviteSlots, SyncChain, SyncDay, BeaconSlots);

impl SlotSecret {
    /// `tag[M] = KDF(S, "tag", M)[0..16]`.
    #[must_use]
    pub fn tag(&self, mailbox: &OnionKey) -> Tag {
        tag_of(self.expose_secret(), "tag", &[mailbox])
    }

    /// `ok[M] = KDF(S, "outer", M)`, which seals once.
    #[must_use]
    pub fn key(&self, mailbox: &OnionKey) -> EnvelopeKey {
        key_of(self.expose_secret(), "outer", &[mailbox])
    }
}

/// Draws the secret of a loop: an envelope from a profile to itself (BRD-2).
pub fn loop_slot(rng: &mut impl CryptoRng) -> SlotSecret {
    SlotSecret::random(rng)
}

/// Tags and keys of the beacons of a profile (BRD-2). `t` is a UTC day since 1970, `i` is below
/// [`BEACON_TAGS`].
pub struct BeaconSlots(BeaconSecret);

impl BeaconSlots {
    /// Takes `B`.
    #[must_use]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(BeaconSecret::copy_of(secret))
    }

    /// `B`, for the encrypted store.
    #[must_use]
    pub const fn expose_secret(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// `btag[t,i,M] = KDF(B, "beacon tag", t ‖ i ‖ M)[0..16]`.
    #[must_use]
    pub fn tag(&self, t: u32, i: u8, mailbox: &OnionKey) -> Tag {
        tag_of(self.0.expose_secret(), "beacon tag", &[&t.to_be_bytes(), &[i], mailbox])
    }

    /// `KDF(B, "beacon outer", t ‖ i ‖ M)`.
    #[must_use]
    pub fn key(&self, t: u32, i: u8, mailbox: &OnionKey) -> EnvelopeKey {
        key_of(self.0.expose_secret(), "beacon outer", &[&t.to_be_bytes(), &[i], mailbox])
    }
}

/// Tags and keys of an invite, from its secret `I` (BRD-2). `i` is below [`INVITE_TAGS`].
pub struct InviteSlots(InviteSecret);

impl InviteSlots {
    /// Takes `I`.
    #[must_use]
    pub fn new(invite: &[u8; 32]) -> Self {
        Self(InviteSecret::copy_of(invite))
    }

    /// `itag[d,i,M] = KDF(I, "invite tag", d ‖ i ‖ M)[0..16]`.
    #[must_use]
    pub fn tag(&self, d: Direction, i: u8, mailbox: &OnionKey) -> Tag {
        tag_of(self.0.expose_secret(), "invite tag", &[&[d.byte(), i], mailbox])
    }

    /// `KDF(I, "invite outer", d ‖ i ‖ M)`.
    #[must_use]
    pub fn key(&self, d: Direction, i: u8, mailbox: &OnionKey) -> EnvelopeKey {
        key_of(self.0.expose_secret(), "invite outer", &[&[d.byte(), i], mailbox])
    }
}

/// The chain of resync keys, from the oldest day that is still read to the future (BRD-2, BRD-10).
///
/// Days `t` are UTC days since the day that the handshake states.
pub struct SyncChain {
    first: u32,
    key: SyncKey,
}

/// The resync secret of one day.
pub struct SyncDay(SyncKey);

/// The day is erased, or absurdly far ahead: the clock is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no resync key exists for this day")]
pub struct NoSuchDay;

/// Days that the chain can be run ahead at once (ten years): a bound for a broken clock.
const MAX_AHEAD: u32 = 3660;

impl SyncChain {
    /// `KS[0] = KDF(sync root, "sync", "")`.
    #[must_use]
    pub fn new(sync_root: &[u8; 32]) -> Self {
        Self { first: 0, key: SyncKey::filled(|out| kdf(sync_root, "sync", &[], out)) }
    }

    /// The secret of day `t`.
    ///
    /// # Errors
    /// [`NoSuchDay`] if it is erased, or more than ten years after the first that is kept.
    pub fn day(&self, t: u32) -> Result<SyncDay, NoSuchDay> {
        self.run(t).map(SyncDay)
    }

    /// Erases the keys of days before `today - 14` (BRD-10). Never goes back.
    ///
    /// # Errors
    /// [`NoSuchDay`] if that is more than ten years ahead; nothing is erased then.
    pub fn erase_before(&mut self, today: u32) -> Result<(), NoSuchDay> {
        let first = today.saturating_sub(SYNC_DAYS);
        if first > self.first {
            self.key = self.run(first)?;
            self.first = first;
        }
        Ok(())
    }

    /// `KS[t+1] = KDF(KS[t], "sync next", "")`.
    fn run(&self, t: u32) -> Result<SyncKey, NoSuchDay> {
        let steps = t.checked_sub(self.first).filter(|n| *n <= MAX_AHEAD).ok_or(NoSuchDay)?;
        let mut key = SyncKey::copy_of(self.key.expose_secret());
        for _ in 0..steps {
            key = SyncKey::filled(|out| kdf(key.expose_secret(), "sync next", &[], out));
        }
        Ok(key)
    }

    /// The state for the encrypted store: `first u32 ‖ KS[first](32)`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(36);
        w.u32(self.first).bytes(self.key.expose_secret());
        Zeroizing::new(w.into_vec())
    }

    /// Takes back what [`to_secret_bytes`](Self::to_secret_bytes) gave.
    ///
    /// # Errors
    /// [`Malformed`] for a wrong length.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let (first, key) = (r.u32()?, SyncKey::copy_of(r.array_ref()?));
        r.finish()?;
        Ok(Self { first, key })
    }
}

impl SyncDay {
    /// `stag[t,d,r,M] = KDF(KS[t], "sync tag", d ‖ r ‖ M)[0..16]`; `r` is below [`SYNC_TAGS`].
    #[must_use]
    pub fn tag(&self, d: Direction, r: u8, mailbox: &OnionKey) -> Tag {
        tag_of(self.0.expose_secret(), "sync tag", &[&[d.byte(), r], mailbox])
    }

    /// `KDF(KS[t], "sync outer", d ‖ r ‖ M)`.
    #[must_use]
    pub fn key(&self, d: Direction, r: u8, mailbox: &OnionKey) -> EnvelopeKey {
        key_of(self.0.expose_secret(), "sync outer", &[&[d.byte(), r], mailbox])
    }
}

#[cfg(test)]
mod tests;
