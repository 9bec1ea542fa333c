//! A stand-in: what is zeroized holds its zero, but the compiler may leave out a write that nobody reads, and spare capacity stays as it is.
//! The real crate wipes byte by byte, which was half of some executions. For the fuzzer alone (docs/fuzzing.md).

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ops::{Deref, DerefMut};

#[cfg(feature = "derive")]
pub use zeroize_derive::{Zeroize, ZeroizeOnDrop};

/// Sets to zero, empty or nothing.
pub trait Zeroize {
    /// Sets it.
    fn zeroize(&mut self);
}

/// Zeroized when dropped.
pub trait ZeroizeOnDrop {}

/// Its default is its zero.
pub trait DefaultIsZeroes: Copy + Default {}

impl<Z: DefaultIsZeroes> Zeroize for Z {
    fn zeroize(&mut self) {
        *self = Z::default();
    }
}

macro_rules! numbers {
    ($($type:ty),+) => {$(impl DefaultIsZeroes for $type {})+};
}

numbers!((), bool, char, f32, f64, i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize);

impl<Z: Zeroize, const N: usize> Zeroize for [Z; N] {
    fn zeroize(&mut self) {
        self.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl<Z: Zeroize> Zeroize for std::slice::IterMut<'_, Z> {
    fn zeroize(&mut self) {
        self.for_each(Zeroize::zeroize);
    }
}

impl<Z: DefaultIsZeroes> Zeroize for [Z] {
    fn zeroize(&mut self) {
        self.fill(Z::default());
    }
}

impl<Z> Zeroize for MaybeUninit<Z> {
    fn zeroize(&mut self) {
        *self = MaybeUninit::zeroed();
    }
}

impl<Z> Zeroize for [MaybeUninit<Z>] {
    fn zeroize(&mut self) {
        self.fill_with(MaybeUninit::zeroed);
    }
}

impl<Z: Zeroize> Zeroize for Vec<Z> {
    fn zeroize(&mut self) {
        self.clear();
    }
}

impl Zeroize for String {
    fn zeroize(&mut self) {
        self.clear();
    }
}

impl<Z: Zeroize> Zeroize for Box<[Z]> {
    fn zeroize(&mut self) {
        self.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl<Z: Zeroize> Zeroize for Option<Z> {
    fn zeroize(&mut self) {
        *self = None;
    }
}

impl<Z> Zeroize for PhantomData<Z> {
    fn zeroize(&mut self) {}
}

impl<Z: ZeroizeOnDrop, const N: usize> ZeroizeOnDrop for [Z; N] {}
impl<Z: ZeroizeOnDrop> ZeroizeOnDrop for Option<Z> {}
impl<Z: ZeroizeOnDrop> ZeroizeOnDrop for Vec<Z> {}
impl<Z: ZeroizeOnDrop> ZeroizeOnDrop for Box<[Z]> {}
impl<Z> ZeroizeOnDrop for PhantomData<Z> {}

/// Zeroized when dropped.
#[derive(Default, PartialEq, Eq)]
pub struct Zeroizing<Z: Zeroize + ?Sized>(Z);

impl<Z: Zeroize> Zeroizing<Z> {
    /// Takes the value.
    pub fn new(value: Z) -> Self {
        Self(value)
    }
}

impl<Z: Zeroize> From<Z> for Zeroizing<Z> {
    fn from(value: Z) -> Self {
        Self(value)
    }
}

impl<Z: Zeroize + Clone> Clone for Zeroizing<Z> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<Z: Zeroize + ?Sized> std::fmt::Debug for Zeroizing<Z> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Zeroizing(..)")
    }
}

impl<Z: Zeroize + ?Sized> Deref for Zeroizing<Z> {
    type Target = Z;
    fn deref(&self) -> &Z {
        &self.0
    }
}

impl<Z: Zeroize + ?Sized> DerefMut for Zeroizing<Z> {
    fn deref_mut(&mut self) -> &mut Z {
        &mut self.0
    }
}

impl<T: ?Sized, Z: Zeroize + AsRef<T>> AsRef<T> for Zeroizing<Z> {
    fn as_ref(&self) -> &T {
        self.0.as_ref()
    }
}

impl<T: ?Sized, Z: Zeroize + AsMut<T>> AsMut<T> for Zeroizing<Z> {
    fn as_mut(&mut self) -> &mut T {
        self.0.as_mut()
    }
}

impl<Z: Zeroize + ?Sized> Zeroize for Zeroizing<Z> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl<Z: Zeroize + ?Sized> ZeroizeOnDrop for Zeroizing<Z> {}

impl<Z: Zeroize + ?Sized> Drop for Zeroizing<Z> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Nothing here has to be written for certain.
pub fn optimization_barrier<T: ?Sized>(_: &T) {}

/// For values that are dropped: nobody reads them again.
pub fn zeroize_flat_type<F>(_: *mut F) {}

/// What the derives ask for.
#[doc(hidden)]
pub mod __internal {
    use super::{Zeroize, ZeroizeOnDrop};

    pub trait AssertZeroizeOnDrop {
        fn zeroize_or_on_drop(self);
    }

    impl<T: ZeroizeOnDrop + ?Sized> AssertZeroizeOnDrop for &&mut T {
        fn zeroize_or_on_drop(self) {}
    }

    pub trait AssertZeroize {
        fn zeroize_or_on_drop(&mut self);
    }

    impl<T: Zeroize + ?Sized> AssertZeroize for T {
        fn zeroize_or_on_drop(&mut self) {
            self.zeroize();
        }
    }
}
