//! Dice that never hold what they give.

use rand_core::utils::next_word_via_fill;
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// What the dice of a step are masked with on their way here.
const MASK: u8 = 0x5a;

/// Gives noted bytes, unmasked one by one where they are wanted.
pub(crate) struct Dice {
    masked: std::vec::IntoIter<u8>,
}

impl Dice {
    pub(crate) fn new(masked: Vec<u8>) -> Self {
        Self { masked: masked.into_iter() }
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

    /// Zeros when nothing is left: what comes of them is then not what the transcript says, and
    /// the looking process does not find what must be there.
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for byte in out {
            *byte = self.masked.next().map_or(0, |masked| masked ^ MASK);
        }
        Ok(())
    }
}

impl TryCryptoRng for Dice {}
