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
        let other = Private::copy_of(&[8; 32]);
        let a = private.agree(&other.public()).unwrap();
        let b = other.agree(&private.public()).unwrap();
        assert!(a.ct_eq(&b));
    }
}
