//! What a primitive leaves on the stack, overwritten when it is done (CRY-1).
//!
//! Secrets of ours lie in boxes, but the libraries below copy keys into their own frames. Whoever
//! reads the memory of an idle process would find them there until something else covers them.

use std::hint::black_box;

/// Bytes below the caller's frame: at least what the deepest frame of a family of primitives uses.
pub(crate) const HASHES: usize = 1 << 10;
pub(crate) const CIPHERS: usize = 2 << 10;
pub(crate) const CURVES: usize = 8 << 10;
pub(crate) const KEM: usize = 64 << 10;
pub(crate) const SIGNATURES: usize = 256 << 10;

/// Runs `work` in frames of its own and overwrites them. Its result passes through the caller's
/// frame, so it must hold secrets in boxes only.
#[inline]
pub(crate) fn scrubbed<const DEPTH: usize, T>(work: impl FnOnce() -> T) -> T {
    let result = below(work);
    overwrite::<DEPTH>();
    result
}

#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Overwrites what lies below the caller's frame.
///
/// In the fuzzer's programs there is nothing to hide, and it was an eighth of an execution and
/// more (docs/fuzzing.md).
#[inline(never)]
pub(crate) fn overwrite<const DEPTH: usize>() {
    if cfg!(fuzzing) {
        return;
    }
    black_box(&mut [0_u8; DEPTH]);
}
