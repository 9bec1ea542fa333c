//! Tag chains: one secret an index, erased as it is used (BRD-2, 9, 10, 41, 42).

use crate::tag::{Direction, SlotSecret, kdf};
use crypto::kdf::extract;
use crypto::{Zeroizing, labels, secret};
use std::collections::BTreeMap;
use wire::{Malformed, Reader, Writer};

/// Indices that a reader watches, and that a sender may have unacknowledged (BRD-41, BRD-43).
pub const WINDOW: u32 = 64;

secret! {
    /// `SK[g]`: the secret of one generation, from which both directions' chains start.
    pub struct GenerationSecret([u8; 32]);
    /// `FK`: the secret of one file, from which its own chain starts (FIL-4).
    pub struct FileSecret([u8; 32]);
    /// `CK[n]`: gives the slot of index `n` and the next chain key; erased when that exists.
    struct ChainKey([u8; 32]);
}

impl GenerationSecret {
    /// `SK[0] = KDF(board root, "root", "")`.
    #[must_use]
    pub fn first(board_root: &[u8; 32]) -> Self {
        Self::filled(|out| kdf(board_root, "root", &[], out))
    }

    /// `SK[g+1] = HKDF(salt = SK[g], ikm = r, "pvtcoms board v1 generation")` (BRD-9). `r` came
    /// through the ratchet, so addresses heal when content heals.
    #[must_use]
    pub fn next(&self, r: &[u8; 32]) -> Self {
        Self::filled(|out| {
            extract(self.expose_secret(), &[r]).expand(&[labels::BOARD_GENERATION], out);
        })
    }

    /// `CK[0] = KDF(SK[g], "chain", d ‖ g)`.
    fn chain(&self, g: u16, d: Direction) -> ChainKey {
        ChainKey::filled(|out| {
            kdf(self.expose_secret(), "chain", &[&[d.byte()], &g.to_be_bytes()], out);
        })
    }
}

impl FileSecret {
    /// `CK[0] = KDF(FK, "file chain", "")`.
    fn chain(&self) -> ChainKey {
        ChainKey::filled(|out| kdf(self.expose_secret(), "file chain", &[], out))
    }
}

/// Generation and direction of a file's chain: it has neither.
const OF_FILE: (u16, Direction) = (0, Direction::ToInviter);

crypto::opaque!(SendChain, RecvChain);

impl ChainKey {
    /// `S[n] = KDF(CK[n], "slot", "")`.
    fn slot(&self) -> SlotSecret {
        SlotSecret::filled(|out| kdf(self.expose_secret(), "slot", &[], out))
    }

    /// `CK[n+1] = KDF(CK[n], "next", "")`.
    fn next(&self) -> Self {
        Self::filled(|out| kdf(self.expose_secret(), "next", &[], out))
    }
}

/// The sending side of one generation and direction.
pub struct SendChain {
    g: u16,
    d: Direction,
    n: u32,
    key: ChainKey,
}

impl SendChain {
    /// Starts at index 0 of generation `g`.
    #[must_use]
    pub fn new(secret: &GenerationSecret, g: u16, d: Direction) -> Self {
        Self { g, d, n: 0, key: secret.chain(g, d) }
    }

    /// Starts at index 0 of the chain of a file (FIL-4).
    #[must_use]
    pub fn of_file(secret: &FileSecret) -> Self {
        let (g, d) = OF_FILE;
        Self { g, d, n: 0, key: secret.chain() }
    }

    /// The generation.
    #[must_use]
    pub const fn g(&self) -> u16 {
        self.g
    }

    /// The direction.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.d
    }

    /// The index that [`take`](Self::take) gives next.
    #[must_use]
    pub const fn next_index(&self) -> u32 {
        self.n
    }

    /// Takes the next index with its secret; the chain key that made it is erased (BRD-10).
    ///
    /// At one index a second, the counter ends after 136 years; generations last a day (BRD-9).
    pub fn take(&mut self) -> (u32, SlotSecret) {
        let taken = (self.n, self.key.slot());
        self.key = self.key.next();
        self.n = self.n.saturating_add(1);
        taken
    }

    /// The state for the encrypted store: `g u16 ‖ d(1) ‖ n u32 ‖ CK[n](32)` = 39.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(39);
        w.u16(self.g).u8(self.d.byte()).u32(self.n).bytes(self.key.expose_secret());
        Zeroizing::new(w.into_vec())
    }

    /// Takes back what [`to_secret_bytes`](Self::to_secret_bytes) gave.
    ///
    /// # Errors
    /// [`Malformed`] for everything else.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let (g, d, n) = (r.u16()?, Direction::from_byte(r.u8()?)?, r.u32()?);
        let key = read_key(&mut r)?;
        r.finish()?;
        Ok(Self { g, d, n, key })
    }
}

/// The reading side of one generation and direction: a window of [`WINDOW`] indices from `base`,
/// the lowest index that has neither arrived nor been given up by the sender.
pub struct RecvChain {
    g: u16,
    d: Direction,
    base: u32,
    /// Of the window, the indices that have not arrived.
    waiting: BTreeMap<u32, SlotSecret>,
    /// `CK[end]`, `end` being the index after the window.
    end: u32,
    key: ChainKey,
}

impl RecvChain {
    /// Starts at index 0 of generation `g`.
    #[must_use]
    pub fn new(secret: &GenerationSecret, g: u16, d: Direction) -> Self {
        Self::start(g, d, secret.chain(g, d))
    }

    /// Starts at index 0 of the chain of a file (FIL-4).
    #[must_use]
    pub fn of_file(secret: &FileSecret) -> Self {
        let (g, d) = OF_FILE;
        Self::start(g, d, secret.chain())
    }

    fn start(g: u16, d: Direction, key: ChainKey) -> Self {
        let mut chain = Self { g, d, base: 0, waiting: BTreeMap::new(), end: 0, key };
        chain.fill();
        chain
    }

    /// The generation.
    #[must_use]
    pub const fn g(&self) -> u16 {
        self.g
    }

    /// The direction.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.d
    }

    /// The indices that are waited for, lowest first, with their secrets (BRD-43).
    pub fn slots(&self) -> impl Iterator<Item = (u32, &SlotSecret)> {
        self.waiting.iter().map(|(n, slot)| (*n, slot))
    }

    /// The secret of an index, if it is waited for.
    #[must_use]
    pub fn slot(&self, n: u32) -> Option<&SlotSecret> {
        self.waiting.get(&n)
    }

    /// Erases the secret of an index whose envelope has been opened and saved (BRD-10); says
    /// whether it was waited for.
    pub fn consume(&mut self, n: u32) -> bool {
        let waited = self.waiting.remove(&n).is_some();
        self.fill();
        waited
    }

    /// Gives up the indices below `floor`: the sender pursues them no more (BRD-41).
    ///
    /// An honest floor lies in the window or below it; one beyond it counts as its end, so that
    /// no peer makes us compute at length.
    pub fn floor(&mut self, floor: u32) {
        self.waiting = self.waiting.split_off(&floor);
        self.base = self.base.max(floor.min(self.end));
        self.fill();
    }

    /// All indices below this have arrived or were given up: `ack_base` (BRD-42).
    #[must_use]
    pub const fn arrived_base(&self) -> u32 {
        self.base
    }

    /// Bit `j` says that index `base + 1 + j` has arrived: `ack_map` (BRD-42).
    #[must_use]
    pub fn ack_map(&self) -> u64 {
        let above = (0..WINDOW).zip(self.base.saturating_add(1)..self.end);
        above
            .filter(|(_, n)| !self.waiting.contains_key(n))
            .fold(0, |map, (j, _)| map | 1_u64.checked_shl(j).unwrap_or(0))
    }

    /// Moves the base over what has arrived and derives the secrets of the new indices.
    fn fill(&mut self) {
        self.base = self.waiting.keys().next().copied().unwrap_or(self.end);
        while self.end < self.base.saturating_add(WINDOW) {
            self.waiting.insert(self.end, self.key.slot());
            self.key = self.key.next();
            self.end = self.end.saturating_add(1);
        }
    }

    /// The state for the encrypted store:
    /// `g u16 ‖ d(1) ‖ end u32 ‖ CK[end](32) ‖ waiting u16 ‖ waiting × ( n u32 ‖ S[n](32) )`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let room = self.waiting.len().saturating_mul(36).saturating_add(41);
        let mut w = Writer::with_capacity(room);
        w.u16(self.g).u8(self.d.byte()).u32(self.end).bytes(self.key.expose_secret());
        w.u16(u16::try_from(self.waiting.len()).unwrap_or(u16::MAX)); // at most WINDOW
        for (n, slot) in &self.waiting {
            w.u32(*n).bytes(slot.expose_secret());
        }
        Zeroizing::new(w.into_vec())
    }

    /// Takes back what [`to_secret_bytes`](Self::to_secret_bytes) gave.
    ///
    /// # Errors
    /// [`Malformed`] for everything else.
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let (g, d, end) = (r.u16()?, Direction::from_byte(r.u8()?)?, r.u32()?);
        let key = read_key(&mut r)?;
        let mut waiting = BTreeMap::new();
        for _ in 0..r.u16()? {
            let (n, slot) = (r.u32()?, SlotSecret::copy_of(r.array_ref()?));
            let rises = waiting.last_key_value().is_none_or(|(last, _)| *last < n);
            if !rises || n >= end {
                return Err(Malformed::Field("waiting"));
            }
            waiting.insert(n, slot);
        }
        r.finish()?;
        let base = waiting.keys().next().copied().ok_or(Malformed::Field("waiting"))?;
        // The window is always full: fill() ends there.
        if base.checked_add(WINDOW) != Some(end) {
            return Err(Malformed::Field("end"));
        }
        Ok(Self { g, d, base, waiting, end, key })
    }
}

fn read_key(r: &mut Reader<'_>) -> Result<ChainKey, Malformed> {
    r.array().map(|bytes| ChainKey::copy_of(&Zeroizing::new(bytes)))
}

#[cfg(test)]
mod tests;
