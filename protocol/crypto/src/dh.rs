//! X25519 (RFC 7748).

use crate::secret;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroize;

secret! {
    /// An X25519 private key, 32 bytes.
    pub struct Private([u8; 32]);
    /// The result of a Diffie-Hellman, 32 bytes; never all zero.
    pub struct Shared([u8; 32]);
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

impl Private {
    /// The public key of this private key.
    #[must_use]
    pub fn public(&self) -> Public {
        Public(PublicKey::from(&StaticSecret::from(*self.expose_secret())).to_bytes())
    }

    /// Agrees with the owner of `peer`.
    ///
    /// # Errors
    /// [`NotContributory`] if the result is all zero, found in constant time.
    pub fn agree(&self, peer: &Public) -> Result<Shared, NotContributory> {
        let key = StaticSecret::from(*self.expose_secret());
        let mut raw = key.diffie_hellman(&PublicKey::from(peer.0)).to_bytes();
        let shared = Shared::copy_of(&raw);
        raw.zeroize();
        // CRY-4
        if bool::from(shared.expose_secret().ct_eq(&[0; 32])) {
            Err(NotContributory)
        } else {
            Ok(shared)
        }
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
