//! The dice of a step: drawn and noted when vectors are made, read back when they are replayed.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use std::convert::Infallible;

/// Randomness of one step after another.
pub(crate) enum Dice {
    /// Draws from ChaCha20 and notes what was drawn.
    Noting {
        /// Where it comes from.
        source: Box<ChaCha20Rng>,
        /// What was drawn since [`Dice::take`].
        drawn: Vec<u8>,
    },
    /// Gives what was noted.
    Noted {
        /// What is left of it.
        left: Vec<u8>,
        /// What was drawn since [`Dice::take`].
        drawn: Vec<u8>,
    },
}

impl Dice {
    /// Dice for making vectors: the same seed gives the same vectors.
    #[must_use]
    pub(crate) fn noting(seed: u64) -> Self {
        Self::Noting { source: Box::new(ChaCha20Rng::seed_from_u64(seed)), drawn: Vec::new() }
    }

    /// Dice that give `bytes` and nothing more.
    #[must_use]
    pub(crate) const fn noted(bytes: Vec<u8>) -> Self {
        Self::Noted { left: bytes, drawn: Vec::new() }
    }

    /// What was drawn since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        match self {
            Self::Noting { drawn, .. } | Self::Noted { drawn, .. } => std::mem::take(drawn),
        }
    }

    /// What was drawn since the last call of [`take`](Self::take), and stays so.
    #[must_use]
    pub(crate) fn drawn(&self) -> &[u8] {
        match self {
            Self::Noting { drawn, .. } | Self::Noted { drawn, .. } => drawn,
        }
    }

    /// Whether noted randomness is left over: the step drew less than it once did.
    #[must_use]
    pub(crate) const fn has_rest(&self) -> bool {
        match self {
            Self::Noting { .. } => false,
            Self::Noted { left, .. } => !left.is_empty(),
        }
    }
}

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        panic!("keys and nonces are drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        panic!("keys and nonces are drawn as bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        match self {
            Self::Noting { source, drawn } => {
                source.fill_bytes(out);
                drawn.extend_from_slice(out);
            }
            Self::Noted { left, drawn } => {
                assert!(left.len() >= out.len(), "the step draws more than was noted");
                let rest = left.split_off(out.len());
                out.copy_from_slice(&std::mem::replace(left, rest));
                drawn.extend_from_slice(out);
            }
        }
        Ok(())
    }
}

impl TryCryptoRng for Dice {}
