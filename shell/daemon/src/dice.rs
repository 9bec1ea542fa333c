//! The system's randomness. A system that cannot give any ends the process.

use getrandom::SysRng;
use rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;

/// Draws from the operating system, for keys, padding and the schedule alike.
#[derive(Clone, Copy)]
pub(crate) struct Dice;

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(SysRng.try_next_u32().unwrap_or_else(|_| std::process::abort()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(SysRng.try_next_u64().unwrap_or_else(|_| std::process::abort()))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        SysRng.try_fill_bytes(dst).unwrap_or_else(|_| std::process::abort());
        Ok(())
    }
}

impl TryCryptoRng for Dice {}

/// `N` random bytes.
pub(crate) fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand_core::Rng::fill_bytes(&mut Dice, &mut bytes);
    bytes
}
