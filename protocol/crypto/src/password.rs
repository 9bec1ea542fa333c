//! Argon2id (RFC 9106) for the passphrase, and the key of a slot (STO-9).

use crate::aead::{NotAuthentic, OneTimeKey};
use crate::kdf::{Pair, ct_eq, hkdf_sha512};
use crate::{labels, secret};
use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

secret! {
    /// What Argon2id made of a passphrase, 32 bytes.
    pub struct Stretched([u8; 32]);
    /// The second lock, kept by the OS keystore, 32 bytes.
    pub struct KeystoreSecret([u8; 32]);
}

/// Cost of one Argon2id run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

/// The cost is outside what Argon2id is defined for, or there is no memory for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Argon2id cannot run with this cost")]
pub struct CannotStretch;

impl Stretched {
    /// Runs Argon2id once. The caller judges the cost first (STO-12).
    ///
    /// # Errors
    /// [`CannotStretch`].
    pub fn from_passphrase(
        passphrase: &[u8],
        salt: &[u8; 16],
        cost: Cost,
    ) -> Result<Self, CannotStretch> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(Self::LEN))
            .map_err(|_| CannotStretch)?;
        let mut result = Ok(());
        let stretched = Self::filled(|out| {
            result = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                .hash_password_into(passphrase, salt, out)
                .map_err(|_| CannotStretch);
        });
        result.map(|()| stretched)
    }
}

/// The key of one slot and its commitment, `HKDF-SHA-512(seed, A ‖ KS, "pvtcoms/slot/v1" ‖ i)`.
pub struct SlotKey {
    key: OneTimeKey,
    commitment: [u8; 32],
}

crate::opaque!(SlotKey);

impl SlotKey {
    /// Derives the key of slot `index`; fresh at every write because `seed` is (STO-10).
    #[must_use]
    pub fn derive(
        seed: &[u8; 32],
        stretched: &Stretched,
        keystore: Option<&KeystoreSecret>,
        index: u8,
    ) -> Self {
        let mut both = Box::new(Zeroizing::new([0; 64]));
        let second: &[u8] = keystore.map_or(&[], |ks| ks.expose_secret());
        hkdf_sha512(
            seed,
            &[stretched.expose_secret(), second],
            &[labels::SLOT, &[index]],
            &mut both,
        );
        let halves = Pair::from_halves(both);
        Self { key: OneTimeKey::copy_of(halves.first()), commitment: *halves.second() }
    }

    /// Binds the slot to one key; stored beside the ciphertext.
    #[must_use]
    pub const fn commitment(&self) -> &[u8; 32] {
        &self.commitment
    }

    /// Seals the slot's content; the key is consumed.
    #[must_use]
    pub fn seal(self, ad: &[u8], content: &[u8]) -> Vec<u8> {
        self.key.seal(ad, content)
    }

    /// Opens a slot whose stored commitment is `commitment`.
    ///
    /// # Errors
    /// [`NotAuthentic`] if the commitment differs (compared in constant time) or the tag does.
    pub fn open(
        &self,
        commitment: &[u8; 32],
        ad: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let committed = ct_eq(&self.commitment, commitment);
        let opened = self.key.open(ad, sealed);
        if committed { opened } else { Err(NotAuthentic) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    #[test]
    fn sto_9_slot_opens_with_its_own_inputs_only() {
        let a = Stretched::from_passphrase(b"pass", &[1; 16], COST).unwrap();
        let b = Stretched::from_passphrase(b"Pass", &[1; 16], COST).unwrap();
        let ks = KeystoreSecret::copy_of(&[2; 32]);
        let key = || SlotKey::derive(&[3; 32], &a, Some(&ks), 1);
        let commitment = *key().commitment();
        let sealed = key().seal(b"header", b"master");
        assert_eq!(&**key().open(&commitment, b"header", &sealed).unwrap(), b"master");
        assert!(key().open(&[0; 32], b"header", &sealed).is_err());
        assert!(key().open(&commitment, b"Header", &sealed).is_err());
        for other in [
            SlotKey::derive(&[3; 32], &b, Some(&ks), 1),
            SlotKey::derive(&[3; 32], &a, None, 1),
            SlotKey::derive(&[3; 32], &a, Some(&ks), 2),
            SlotKey::derive(&[4; 32], &a, Some(&ks), 1),
        ] {
            assert!(other.open(&commitment, b"header", &sealed).is_err());
        }
    }

    #[test]
    fn cry_9_argon2id_rfc9106_shape_and_bad_cost() {
        let cost = Cost { memory_kib: 1, ..COST };
        assert_eq!(Stretched::from_passphrase(b"p", &[0; 16], cost).err(), Some(CannotStretch));
    }
}
