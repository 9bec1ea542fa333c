//! X25519 (RFC 7748).

mod backend;

use crate::stack::{CURVES, scrubbed};
use crate::{SecretBox, secret};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;

secret! {
    /// The result of a Diffie-Hellman, 32 bytes; never all zero.
    pub struct Shared([u8; 32]);
}

/// An X25519 private key, 32 bytes, with its public key beside it.
pub struct Private {
    bytes: SecretBox<32>,
    public: Public,
}

/// An X25519 public key, 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Public(pub [u8; 32]);

/// The peer's public key is of small order: the shared secret would be zero (CRY-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the public key contributes nothing")]
pub struct NotContributory;

/// Draws a key pair.
pub fn generate(rng: &mut impl CryptoRng) -> (Private, Public) {
    let private = Private::random(rng);
    let public = private.public();
    (private, public)
}

crate::opaque!(Private);

impl Public {
    /// Whether an exchange with this key gives something else than zeros (CRY-4): for a key that is
    /// kept now and used later. Takes time that depends on the key, which is public.
    #[must_use]
    pub fn contributes(&self) -> bool {
        let Self(mut u) = *self;
        // RFC 7748 ignores the top bit.
        if let Some(top) = u.last_mut() {
            *top &= 0x7f;
        }
        !SMALL_ORDER.contains(&u)
    }
}

/// The coordinates below 2^255 that every private key, which is a multiple of 8, takes to zero:
/// 0, 1 and -1, the two of order 8, and p and p + 1, which are 0 and 1 again.
const SMALL_ORDER: [[u8; 32]; 7] = {
    let mut one = [0; 32];
    one[0] = 1;
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    let (mut minus_one, mut p_and_one) = (p, p);
    minus_one[0] = 0xec;
    p_and_one[0] = 0xee;
    [
        [0; 32],
        one,
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83,
            0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd,
            0xd0, 0x9f, 0x11, 0x57,
        ],
        minus_one,
        p,
        p_and_one,
    ]
};

impl Private {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// Copies a key's bytes.
    #[must_use]
    pub fn copy_of(bytes: &[u8; 32]) -> Self {
        Self::complete(SecretBox::copy_of(bytes))
    }

    /// Draws a new key.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::complete(SecretBox::random(rng))
    }

    /// The same key once more, for a state that outlives this one.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { bytes: SecretBox::copy_of(self.expose_secret()), public: self.public }
    }

    /// The bytes, for the encrypted store.
    #[must_use]
    pub const fn expose_secret(&self) -> &[u8; 32] {
        self.bytes.expose_secret()
    }

    /// The public key of this private key.
    #[must_use]
    pub const fn public(&self) -> Public {
        self.public
    }

    /// Agrees with the owner of `peer`.
    ///
    /// # Errors
    /// [`NotContributory`] if the result is all zero, found in constant time.
    pub fn agree(&self, peer: &Public) -> Result<Shared, NotContributory> {
        let shared = Shared::filled(|out| {
            scrubbed::<CURVES, _>(|| backend::multiply(self.expose_secret(), &peer.0, out));
        });
        // CRY-4
        if bool::from(shared.expose_secret().ct_eq(&[0; 32])) {
            Err(NotContributory)
        } else {
            Ok(shared)
        }
    }

    fn complete(bytes: SecretBox<32>) -> Self {
        let public = Public(scrubbed::<CURVES, _>(|| backend::base(bytes.expose_secret())));
        Self { bytes, public }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cry_4_zero_result_is_refused() {
        let private = Private::copy_of(&[9; 32]);
        for point in [[0; 32], {
            let mut one = [0; 32];
            one[0] = 1;
            one
        }] {
            assert_eq!(private.agree(&Public(point)).err(), Some(NotContributory));
        }
        for mut point in SMALL_ORDER {
            for top in [0, 0x80] {
                point[31] |= top;
                assert!(!Public(point).contributes());
                assert_eq!(private.agree(&Public(point)).err(), Some(NotContributory));
            }
        }
        let other = Private::copy_of(&[8; 32]);
        assert!(other.public().contributes());
        let a = private.agree(&other.public()).unwrap();
        let b = other.agree(&private.public()).unwrap();
        assert!(a.ct_eq(&b));
    }
}
