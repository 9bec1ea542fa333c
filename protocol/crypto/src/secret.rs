use rand_core::CryptoRng;
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// `N` secret bytes on the heap, so that a move leaves no copy; wiped on drop.
///
/// Role types are made of it by [`secret!`](crate::secret): a key of one role is never accepted
/// for another. No `Clone`, `Debug`, `Display`, `PartialEq`, `Hash` (see [`opaque!`](crate::opaque)),
/// and no `Serialize`, since nothing under `protocol/` may name a serializer.
///
/// ```compile_fail,E0277
/// let key = crypto::SecretBox::<32>::filled(|_| ());
/// println!("{key:?}");
/// ```
/// ```compile_fail,E0599
/// let key = crypto::SecretBox::<32>::filled(|_| ());
/// let copy = key.clone();
/// ```
/// ```compile_fail,E0369
/// let key = crypto::SecretBox::<32>::filled(|_| ());
/// let same = key == key;
/// ```
pub struct SecretBox<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretBox<N> {
    /// Makes a secret by writing it in place; it starts as zeros.
    pub fn filled(write: impl FnOnce(&mut [u8; N])) -> Self {
        let mut secret = Self(Box::new([0; N]));
        write(&mut secret.0);
        secret
    }

    /// Copies `bytes` into a new secret. The caller's copy stays the caller's to wipe.
    #[must_use]
    pub fn copy_of(bytes: &[u8; N]) -> Self {
        Self::filled(|out| out.copy_from_slice(bytes))
    }

    /// Draws a new secret.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::filled(|out| rng.fill_bytes(out))
    }

    /// The bytes, for a primitive or for the encrypted store. Every use is a place to look.
    #[must_use]
    pub const fn expose_secret(&self) -> &[u8; N] {
        &self.0
    }

    /// Compares in constant time (CR-3).
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        Choice::into(self.0.as_slice().ct_eq(other.0.as_slice()))
    }
}

impl<const N: usize> Drop for SecretBox<N> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for SecretBox<N> {}

/// Asserts that values of these types cannot be copied, printed or compared by accident: none has
/// `Clone`, `Debug`, `Display`, `PartialEq` or `Hash` (SE-2, CR-3). Stands beside every type that
/// holds a secret; `cargo xtask lint` finds one that is missing.
///
/// ```
/// struct Safe([u8; 32]);
/// crypto::opaque!(Safe);
/// ```
/// ```compile_fail,E0283
/// #[derive(Clone)]
/// struct Copied([u8; 32]);
/// crypto::opaque!(Copied);
/// ```
/// ```compile_fail,E0283
/// #[derive(Debug)]
/// struct Printed([u8; 32]);
/// crypto::opaque!(Printed);
/// ```
/// ```compile_fail,E0283
/// struct Shown([u8; 32]);
/// impl std::fmt::Display for Shown {
///     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
///         write!(f, "{:?}", self.0)
///     }
/// }
/// crypto::opaque!(Shown);
/// ```
/// ```compile_fail,E0283
/// #[derive(PartialEq)]
/// struct Compared([u8; 32]);
/// crypto::opaque!(Compared);
/// ```
/// ```compile_fail,E0283
/// #[derive(Hash)]
/// struct Hashed([u8; 32]);
/// crypto::opaque!(Hashed);
/// ```
#[macro_export]
macro_rules! opaque {
    ($($name:ty),+ $(,)?) => {$(
        $crate::static_assertions::assert_not_impl_any!(
            $name: Clone, ::core::fmt::Debug, ::core::fmt::Display, PartialEq, ::core::hash::Hash
        );
    )+};
}

crate::opaque!(SecretBox<32>, SecretBox<64>);

/// Declares a secret of one role: `secret! { /// doc pub struct ChainKey([u8; 32]); }`.
#[macro_export]
macro_rules! secret {
    ($($(#[$meta:meta])* $vis:vis struct $name:ident([u8; $n:expr]);)+) => {$(
        $(#[$meta])*
        $vis struct $name($crate::SecretBox<{ $n }>);

        $crate::opaque!($name);

        impl $name {
            /// Length in bytes.
            $vis const LEN: usize = $n;
            /// Makes the secret by writing it in place.
            $vis fn filled(write: impl FnOnce(&mut [u8; $n])) -> Self {
                Self($crate::SecretBox::filled(write))
            }
            /// Copies bytes into a new secret.
            #[must_use]
            $vis fn copy_of(bytes: &[u8; $n]) -> Self {
                Self($crate::SecretBox::copy_of(bytes))
            }
            /// Draws a new secret.
            $vis fn random(rng: &mut impl $crate::rand_core::CryptoRng) -> Self {
                Self($crate::SecretBox::random(rng))
            }
            /// The bytes, for a primitive or for the encrypted store.
            #[must_use]
            $vis const fn expose_secret(&self) -> &[u8; $n] {
                self.0.expose_secret()
            }
            /// Compares in constant time (CR-3).
            #[must_use]
            $vis fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }
        }
    )+};
}

#[cfg(test)]
mod tests {
    secret! {
        /// A key of some role.
        struct RoleKey([u8; 32]);
    }

    #[test]
    fn cry_1_secrets_compare_in_constant_time_and_by_role() {
        let a = RoleKey::copy_of(&[7; RoleKey::LEN]);
        let b = RoleKey::filled(|out| out.fill(7));
        assert!(a.ct_eq(&b));
        let c = RoleKey::filled(|out| out[31] = 1);
        assert!(!a.ct_eq(&c));
        assert_eq!(a.expose_secret(), &[7; 32]);
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        assert!(!RoleKey::random(&mut rng).ct_eq(&RoleKey::random(&mut rng)));
    }
}
