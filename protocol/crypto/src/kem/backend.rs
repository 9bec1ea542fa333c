//! The expanded private key: matrix, secret vector and public key, ready for decapsulation.
//!
//! The library chooses its vector code at run time for packed keys only; for unpacked ones the
//! caller does. All of its code gives the same results.

use super::{CT_LEN, EK_LEN};
use libcrux_ml_kem::MlKemPublicKey;
use libcrux_ml_kem::mlkem768::portable::unpacked as portable;
use zeroize::optimization_barrier;

#[cfg(target_arch = "x86_64")]
use libcrux_ml_kem::mlkem768::avx2::unpacked as vector;
#[cfg(target_arch = "aarch64")]
use libcrux_ml_kem::mlkem768::neon::unpacked as vector;

/// About 8 KiB on the heap, never copied, wiped on drop. Made for the vector unit of this machine,
/// if the library knows it.
pub(super) enum Expanded {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    Vector(Box<vector::MlKem768KeyPairUnpacked>),
    Portable(Box<portable::MlKem768KeyPairUnpacked>),
}

impl Expanded {
    /// Expands a seed `d ‖ z`.
    pub(super) fn of(seed: &[u8; 64]) -> Self {
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        if has_vectors() {
            let mut pair = Box::new(vector::init_key_pair());
            vector::generate_key_pair_mut(*seed, &mut pair);
            return Self::Vector(pair);
        }
        Self::portable(seed)
    }

    fn portable(seed: &[u8; 64]) -> Self {
        let mut pair = Box::new(portable::init_key_pair());
        portable::generate_key_pair_mut(*seed, &mut pair);
        Self::Portable(pair)
    }

    pub(super) fn encapsulation_key(&self) -> Box<[u8; EK_LEN]> {
        let mut ek = MlKemPublicKey::default();
        match self {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Self::Vector(pair) => vector::key_pair_serialized_public_key_mut(pair, &mut ek),
            Self::Portable(pair) => portable::key_pair_serialized_public_key_mut(pair, &mut ek),
        }
        Box::new(ek.into())
    }

    pub(super) fn decapsulate(&self, ct: &[u8; CT_LEN]) -> [u8; 32] {
        match self {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Self::Vector(pair) => vector::decapsulate(pair, &ct.into()),
            Self::Portable(pair) => portable::decapsulate(pair, &ct.into()),
        }
    }
}

impl Drop for Expanded {
    fn drop(&mut self) {
        // The library has no zeroize; its empty key is all zeros.
        match self {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            Self::Vector(pair) => {
                **pair = vector::init_key_pair();
                optimization_barrier(&**pair);
            }
            Self::Portable(pair) => {
                **pair = portable::init_key_pair();
                optimization_barrier(&**pair);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_vectors() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

/// Every processor of this kind has them.
#[cfg(target_arch = "aarch64")]
const fn has_vectors() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use libcrux_ml_kem::mlkem768;

    /// The two expansions here and the library's packed key agree, on good and on foreign
    /// ciphertexts.
    #[test]
    fn cry_5_all_forms_of_a_private_key_agree() {
        for i in 0..50u8 {
            let seed = [i; 64];
            let packed = mlkem768::generate_key_pair(seed);
            let (here, portable) = (Expanded::of(&seed), Expanded::portable(&seed));
            assert_eq!(&*here.encapsulation_key(), packed.pk());
            assert_eq!(&*portable.encapsulation_key(), packed.pk());
            let (ct, ss) = mlkem768::encapsulate(packed.public_key(), [i; 32]);
            let mut bytes: [u8; CT_LEN] = ct.into();
            assert_eq!(here.decapsulate(&bytes), ss);
            assert_eq!(portable.decapsulate(&bytes), ss);
            bytes[usize::from(i) * 20] ^= 1;
            let refused = mlkem768::decapsulate(packed.private_key(), &bytes.into());
            assert_ne!(refused, ss);
            assert_eq!(here.decapsulate(&bytes), refused);
            assert_eq!(portable.decapsulate(&bytes), refused);
        }
    }
}
