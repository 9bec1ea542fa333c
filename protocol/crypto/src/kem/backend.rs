//! ML-KEM-768 by the fastest code that this processor runs (docs/adr/0008).
//!
//! Graviola where it can run, as for X25519; libcrux's portable code elsewhere. Both give the same
//! bytes for the same seed and dice, which FIPS 203 defines, and both keep a private key expanded:
//! the matrix is not made again for every ciphertext.

use super::{CT_LEN, EK_LEN};
use libcrux_ml_kem::mlkem768::portable::{self, unpacked};
use libcrux_ml_kem::{MlKemCiphertext, MlKemPublicKey};
use zeroize::optimization_barrier;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use graviola::key_agreement::mlkem768 as asm;

/// 7 to 8 KiB on the heap, never copied, wiped on drop.
pub(super) enum Expanded {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    Fast(Box<asm::DecapKey>),
    Portable(Box<unpacked::MlKem768KeyPairUnpacked>),
}

impl Expanded {
    /// Expands a seed `d ‖ z`.
    pub(super) fn of(seed: &[u8; 64]) -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if graviola::util::is_cpu_supported() {
            return Self::Fast(Box::new(asm::DecapKey::keygen_internal(seed)));
        }
        Self::portable(seed)
    }

    fn portable(seed: &[u8; 64]) -> Self {
        let mut pair = Box::new(unpacked::init_key_pair());
        unpacked::generate_key_pair_mut(*seed, &mut pair);
        Self::Portable(pair)
    }

    pub(super) fn encapsulation_key(&self) -> Public {
        match self {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Self::Fast(key) => {
                let key = key.encapsulation_key();
                Public { bytes: key.as_bytes(), fast: Some(key) }
            }
            Self::Portable(pair) => {
                let mut ek = MlKemPublicKey::default();
                unpacked::key_pair_serialized_public_key_mut(pair, &mut ek);
                Public::portable(ek.into())
            }
        }
    }

    pub(super) fn decapsulate(&self, ct: &[u8; CT_LEN]) -> [u8; 32] {
        match self {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Self::Fast(key) => *key.decaps_internal(&asm::Ciphertext::from(*ct)).as_ref(),
            Self::Portable(pair) => unpacked::decapsulate(pair, &ct.into()),
        }
    }
}

impl Drop for Expanded {
    fn drop(&mut self) {
        match self {
            // It wipes itself.
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Self::Fast(_) => {}
            // The library has no zeroize; its empty key is all zeros.
            Self::Portable(pair) => {
                **pair = unpacked::init_key_pair();
                optimization_barrier(&**pair);
            }
        }
    }
}

/// An encapsulation key that passed the modulus check of FIPS 203, 7.2, with what the fast code reads it into.
#[derive(Clone)]
pub(super) struct Public {
    pub(super) bytes: [u8; EK_LEN],
    /// None where the fast code cannot run.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fast: Option<asm::EncapKey>,
}

impl Public {
    /// Checks and takes a key.
    pub(super) fn read(bytes: &[u8; EK_LEN]) -> Option<Self> {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if graviola::util::is_cpu_supported() {
            let key = asm::EncapKey::from_bytes(bytes).ok()?;
            return Some(Self { bytes: *bytes, fast: Some(key) });
        }
        portable::validate_public_key(&bytes.into()).then(|| Self::portable(*bytes))
    }

    const fn portable(bytes: [u8; EK_LEN]) -> Self {
        Self {
            bytes,
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            fast: None,
        }
    }

    /// Encapsulates with the dice `m`: ciphertext and secret.
    pub(super) fn encapsulate(&self, m: &[u8; 32]) -> ([u8; CT_LEN], [u8; 32]) {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if let Some(key) = &self.fast {
            let (shared, ct) = key.clone().encaps_internal(asm::Message(*m));
            return (*ct.as_ref(), *shared.as_ref());
        }
        portable_encapsulate(&self.bytes, m)
    }
}

fn portable_encapsulate(ek: &[u8; EK_LEN], m: &[u8; 32]) -> ([u8; CT_LEN], [u8; 32]) {
    let (ct, shared): (MlKemCiphertext<CT_LEN>, _) = portable::encapsulate(&ek.into(), *m);
    (ct.into(), shared)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn cry_5_a_processor_of_today_runs_the_fast_code() {
        // Otherwise the comparison below would compare one thing with itself.
        let key = Expanded::of(&[1; 64]);
        assert!(matches!(key, Expanded::Fast(_)));
        assert!(key.encapsulation_key().fast.is_some());
    }

    fn seed() -> impl Strategy<Value = [u8; 64]> {
        (any::<[u8; 32]>(), any::<[u8; 32]>())
            .prop_map(|(d, z)| *[d, z].as_flattened().first_chunk().unwrap())
    }

    proptest! {
        /// On good ciphertexts, on changed ones, and on keys that are none.
        #[test]
        fn cry_5_both_backends_agree(
            seed in seed(),
            m in any::<[u8; 32]>(),
            at in 0..CT_LEN,
            key_at in 0..EK_LEN,
            by in 1..=u8::MAX,
        ) {
            let (fast, slow) = (Expanded::of(&seed), Expanded::portable(&seed));
            let key = fast.encapsulation_key();
            let ek = key.bytes;
            prop_assert_eq!(ek, slow.encapsulation_key().bytes);
            let (mut ct, shared) = key.encapsulate(&m);
            prop_assert_eq!((ct, shared), Public::read(&ek).unwrap().encapsulate(&m));
            prop_assert_eq!((ct, shared), portable_encapsulate(&ek, &m));
            prop_assert_eq!(fast.decapsulate(&ct), shared);
            prop_assert_eq!(slow.decapsulate(&ct), shared);
            ct[at] ^= by;
            let refused = fast.decapsulate(&ct);
            prop_assert_ne!(refused, shared);
            prop_assert_eq!(slow.decapsulate(&ct), refused);
            let mut other = ek;
            other[key_at] = by;
            let valid = portable::validate_public_key(&(&other).into());
            prop_assert_eq!(Public::read(&other).is_some(), valid);
        }
    }
}
