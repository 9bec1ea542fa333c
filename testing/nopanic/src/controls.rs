//! Planted panics: the check must find every one, or it finds none.

use crate::Input;
use core::hint::black_box;

/// An index behind a length that nobody checked.
#[inline(never)]
#[expect(clippy::indexing_slicing, reason = "the panic to be found")]
pub(crate) fn control_index(input: &Input<'_>) -> Option<()> {
    black_box(input.message[4]);
    Some(())
}

/// A sum that can overflow, which a release checks as well.
#[inline(never)]
#[expect(clippy::arithmetic_side_effects, reason = "the panic to be found")]
pub(crate) fn control_overflow(input: &Input<'_>) -> Option<()> {
    let [a, b, ..] = input.message else { return None };
    black_box(*a + *b);
    Some(())
}

/// A length that a function of std asserts and hands back to its caller.
#[inline(never)]
pub(crate) fn control_copy(input: &Input<'_>) -> Option<()> {
    let mut out = [0; 32];
    out.copy_from_slice(input.message);
    black_box(out);
    Some(())
}

/// An index that only a pointer to its function leads to.
#[inline(never)]
pub(crate) fn control_pointer(input: &Input<'_>) -> Option<()> {
    let read: fn(&[u8]) -> u8 = black_box(fifth);
    black_box(read(input.message));
    Some(())
}

#[expect(clippy::indexing_slicing, reason = "the panic to be found")]
fn fifth(bytes: &[u8]) -> u8 {
    bytes[4]
}
