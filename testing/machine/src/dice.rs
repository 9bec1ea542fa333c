//! Dice that remember what they gave: so that a thief can "break" a public key by looking its private half up.

use std::convert::Infallible;

use crypto::{dh, kem};
use rand_chacha::ChaCha20Rng;
use rand_core::utils::next_word_via_fill;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};

/// The randomness of both sides of a session.
pub(crate) struct Dice {
    inner: ChaCha20Rng,
    given: Vec<u8>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { inner: ChaCha20Rng::seed_from_u64(seed), given: Vec::new() }
    }

    /// What was drawn since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.given)
    }
}

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.inner.fill_bytes(out);
        self.given.extend_from_slice(out);
        Ok(())
    }
}

impl TryCryptoRng for Dice {}

/// The X25519 private key of `public`, if it is among these draws, wherever it stands.
pub(crate) fn x25519_of(draws: &[u8], public: &[u8; 32]) -> Option<[u8; 32]> {
    pieces::<32>(draws).find(|private| dh::Private::copy_of(private).public().0 == *public)
}

/// The ML-KEM seed of `ek`, if it is among these draws.
pub(crate) fn seed_of(draws: &[u8], ek: &[u8; kem::EK_LEN]) -> Option<[u8; 64]> {
    pieces::<64>(draws).find(|seed| kem::Seed::copy_of(seed).encapsulation_key().as_bytes() == ek)
}

/// Every piece of `N` bytes at a multiple of 32.
fn pieces<const N: usize>(draws: &[u8]) -> impl Iterator<Item = [u8; N]> {
    draws.windows(N).step_by(32).filter_map(|piece| piece.try_into().ok())
}

/// The schedule's dice, apart from those of the sessions.
pub(crate) struct Chance(ChaCha20Rng);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A number below `n`, which is not 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap();
        usize::try_from(self.0.next_u64() % n).unwrap()
    }

    /// True in `of` cases of `among`.
    pub(crate) fn one_in(&mut self, among: usize) -> bool {
        self.below(among) == 0
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// One of `items`, if there is one.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        if items.is_empty() { None } else { Some(items[self.below(items.len())]) }
    }
}
