//! ML-KEM-768 (FIPS 203): encapsulation key 1184 bytes, ciphertext 1088, shared secret 32.

mod backend;

use crate::stack::{KEM, scrubbed};
use crate::{SecretBox, secret};
use backend::{Expanded, Public};
use rand_core::CryptoRng;
use std::sync::Arc;

/// Length of an encapsulation key in bytes.
pub const EK_LEN: usize = 1184;
/// Length of a ciphertext in bytes.
pub const CT_LEN: usize = 1088;

secret! {
    /// An encapsulated secret, 32 bytes.
    pub struct Shared([u8; 32]);
}

/// A private key: its 64-byte seed `d ‖ z` (CRY-5).
///
/// What the seed expands to is made with it and kept beside it for as long as a duplicate lives; in
/// memory only, and wiped like the seed.
pub struct Seed {
    bytes: SecretBox<64>,
    expanded: Arc<Expanded>,
}

/// An encapsulation key that passed the modulus check of FIPS 203, 1184 bytes.
#[derive(Clone)]
pub struct EncapsulationKey(Box<Public>);

/// A ciphertext, 1088 bytes. Every byte string of this length is one.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext(Box<[u8; CT_LEN]>);

/// The bytes are no encapsulation key: a coefficient is not reduced (CRY-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid ML-KEM-768 encapsulation key")]
pub struct InvalidKey;

/// Draws a key pair.
pub fn generate(rng: &mut impl CryptoRng) -> (Seed, EncapsulationKey) {
    let seed = Seed::random(rng);
    let ek = seed.encapsulation_key();
    (seed, ek)
}

crate::opaque!(Seed, Expanded);

impl Seed {
    /// Length in bytes.
    pub const LEN: usize = 64;

    /// Copies a seed's bytes.
    #[must_use]
    pub fn copy_of(bytes: &[u8; 64]) -> Self {
        Self::expand(SecretBox::copy_of(bytes))
    }

    /// Draws a new seed.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::expand(SecretBox::random(rng))
    }

    /// The same key once more, for a state that outlives this one; shares what it expands to.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let bytes = SecretBox::copy_of(self.expose_secret());
        Self { bytes, expanded: Arc::clone(&self.expanded) }
    }

    /// The bytes, for the encrypted store.
    #[must_use]
    pub const fn expose_secret(&self) -> &[u8; 64] {
        self.bytes.expose_secret()
    }

    /// The encapsulation key of this seed.
    #[must_use]
    pub fn encapsulation_key(&self) -> EncapsulationKey {
        EncapsulationKey(Box::new(self.expanded.encapsulation_key()))
    }

    /// Decapsulates. A ciphertext made for another key gives an unrelated secret (implicit
    /// rejection), never an error.
    #[must_use]
    pub fn decapsulate(&self, ct: &Ciphertext) -> Shared {
        scrubbed::<KEM, _>(|| Shared::copy_of(&self.expanded.decapsulate(&ct.0)))
    }

    fn expand(bytes: SecretBox<64>) -> Self {
        let expanded = scrubbed::<KEM, _>(|| Arc::new(Expanded::of(bytes.expose_secret())));
        Self { bytes, expanded }
    }
}

impl EncapsulationKey {
    /// Checks and takes an encapsulation key.
    ///
    /// # Errors
    /// [`InvalidKey`] if a coefficient is not below q.
    pub fn from_bytes(bytes: &[u8; EK_LEN]) -> Result<Self, InvalidKey> {
        // CRY-5
        Public::read(bytes).map(|key| Self(Box::new(key))).ok_or(InvalidKey)
    }

    /// The 1184 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; EK_LEN] {
        &self.0.bytes
    }

    /// Makes a secret for the owner of this key.
    pub fn encapsulate(&self, rng: &mut impl CryptoRng) -> (Ciphertext, Shared) {
        let dice = SecretBox::<32>::random(rng);
        scrubbed::<KEM, _>(|| {
            let (ct, raw) = self.0.encapsulate(dice.expose_secret());
            (Ciphertext(Box::new(ct)), Shared::copy_of(&raw))
        })
    }
}

impl PartialEq for EncapsulationKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for EncapsulationKey {}

impl Ciphertext {
    /// Takes a ciphertext.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; CT_LEN]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The 1088 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; CT_LEN] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cry_5_a_duplicate_is_the_same_key_and_outlives_the_first() {
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(6);
        let seed = Seed::random(&mut rng);
        let (ct, ours) = seed.encapsulation_key().encapsulate(&mut rng);
        let duplicate = seed.duplicate();
        drop(seed);
        assert!(duplicate.decapsulate(&ct).ct_eq(&ours));
    }

    #[test]
    fn cry_5_round_trip_implicit_rejection_and_modulus_check() {
        use rand_core::SeedableRng;
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(5);
        let (seed, ek) = generate(&mut rng);
        let (ct, ours) = ek.encapsulate(&mut rng);
        assert!(seed.decapsulate(&ct).ct_eq(&ours));
        let mut other = *ct.as_bytes();
        other[17] ^= 1;
        assert!(!seed.decapsulate(&Ciphertext::from_bytes(&other)).ct_eq(&ours));
        let mut bad = *ek.as_bytes();
        bad[0] = 0xff;
        bad[1] |= 0x0f;
        assert_eq!(EncapsulationKey::from_bytes(&bad).err(), Some(InvalidKey));
        assert!(EncapsulationKey::from_bytes(ek.as_bytes()).is_ok());
    }
}
