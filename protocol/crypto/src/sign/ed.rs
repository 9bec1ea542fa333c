//! Verification of Ed25519 by the fastest code that this processor runs (docs/adr/0010).
//!
//! Graviola where it can run, as for X25519; ed25519-dalek elsewhere. Which signatures are good does not
//! depend on it: RFC 8032, 5.1.7 without the cofactor, and [`is_usable`] for both points (CRY-8).

use super::{ED_PK_LEN, ED_SIG_LEN};
use ed25519_dalek::{Signature, VerifyingKey};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use graviola::signing::eddsa::Ed25519VerifyingKey;

/// Whether `signature` is one of `public` on `message`.
pub(super) fn verifies(
    public: &[u8; ED_PK_LEN],
    message: &[u8],
    signature: &[u8; ED_SIG_LEN],
) -> bool {
    let r = signature.first_chunk().unwrap_or(&[0; 32]);
    if !is_usable(public) || !is_usable(r) {
        return false;
    }
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if graviola::util::is_cpu_supported() {
        return fast(public, message, signature);
    }
    portable(public, message, signature)
}

/// `2^255 - 19`, little-endian.
const P: [u8; 32] = {
    let mut p = [0xff; 32];
    (p[0], p[31]) = (0xed, 0x7f);
    p
};

/// The coordinates `y` of the eight points of small order: 0, 1, -1, and those of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = {
    let (mut one, mut minus_one) = ([0; 32], P);
    (one[0], minus_one[0]) = (1, 0xec);
    [
        [0; 32],
        one,
        minus_one,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

/// Whether these bytes, if they encode a point, encode one that is not of small order, and in the one
/// way that is allowed. Takes time that depends on them; they are public.
fn is_usable(point: &[u8; 32]) -> bool {
    let mut y = *point;
    // The top bit is the sign of the other coordinate; of a point of small order it does not matter.
    if let Some(top) = y.last_mut() {
        *top &= 0x7f;
    }
    y.iter().rev().lt(P.iter().rev()) && !SMALL_ORDER.contains(&y)
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn fast(public: &[u8; ED_PK_LEN], message: &[u8], signature: &[u8; ED_SIG_LEN]) -> bool {
    let key = Ed25519VerifyingKey::from_bytes(public);
    key.is_ok_and(|key| key.verify(signature, message).is_ok())
}

fn portable(public: &[u8; ED_PK_LEN], message: &[u8], signature: &[u8; ED_SIG_LEN]) -> bool {
    let key = VerifyingKey::from_bytes(public);
    key.is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::EIGHT_TORSION;
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use ed25519_dalek::{Signer, SigningKey};
    use proptest::prelude::*;
    use sha2::{Digest, Sha512};

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn cry_8_a_processor_of_today_runs_the_fast_code() {
        // Otherwise the comparisons below would compare one thing with itself.
        assert!(graviola::util::is_cpu_supported());
    }

    #[test]
    fn cry_8_points_of_small_order_and_second_encodings_are_not_usable() {
        for point in EIGHT_TORSION {
            let mut encoded = point.compress().to_bytes();
            assert!(!is_usable(&encoded));
            encoded[31] ^= 0x80;
            assert!(!is_usable(&encoded), "the other sign");
        }
        for low in 0..=u8::MAX {
            let mut y = P;
            y[0] = low;
            assert_eq!(is_usable(&y), low < 0xec, "{low:02x}");
            y[31] = 0xff;
            assert_eq!(is_usable(&y), low < 0xec, "{low:02x}, the other sign");
        }
    }

    /// What whoever knows `a` and `r` signs if its key and its R have a part of small order besides.
    #[expect(clippy::arithmetic_side_effects, reason = "points and scalars, modulo their orders")]
    fn mixed(
        a: u64,
        r: u64,
        parts: (EdwardsPoint, EdwardsPoint),
        m: &[u8],
    ) -> ([u8; 32], [u8; 64]) {
        let (a, r) = (Scalar::from(a), Scalar::from(r));
        let public = (EdwardsPoint::mul_base(&a) + parts.0).compress().to_bytes();
        let big_r = (EdwardsPoint::mul_base(&r) + parts.1).compress().to_bytes();
        let k = Sha512::new().chain_update(big_r).chain_update(public).chain_update(m).finalize();
        let s = r + Scalar::from_bytes_mod_order_wide(&k.into()) * a;
        (public, *[big_r, s.to_bytes()].as_flattened().first_chunk().unwrap())
    }

    /// Here implementations that multiply by the cofactor accept more than those that do not.
    #[test]
    fn cry_8_both_backends_agree_on_points_with_a_part_of_small_order() {
        let (mut accepted, mut refused) = (0, 0);
        for part in EIGHT_TORSION {
            for other in EIGHT_TORSION {
                for m in 0..8 {
                    let (public, signature) = mixed(7, 11, (part, other), &[m]);
                    let verdict = verifies(&public, &[m], &signature);
                    assert_eq!(verdict, portable(&public, &[m], &signature));
                    *if verdict { &mut accepted } else { &mut refused } += 1;
                }
            }
        }
        assert!(accepted > 8 && refused > 64, "{accepted} accepted, {refused} refused");
    }

    /// Without the check of points the fast code alone would take them.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn cry_8_keys_of_small_order_are_refused_though_their_equation_holds() {
        let none = EIGHT_TORSION[0];
        for key in EIGHT_TORSION {
            let forged = (0..=u8::MAX).find_map(|m| {
                let (public, signature) = mixed(0, 5, (key, none), &[m]);
                fast(&public, &[m], &signature).then_some((public, m, signature))
            });
            let (public, m, signature) = forged.unwrap();
            assert!(!verifies(&public, &[m], &signature));
            assert!(!portable(&public, &[m], &signature));
        }
    }

    proptest! {
        #[test]
        fn cry_8_both_backends_agree(
            seed in any::<[u8; 32]>(),
            message in any::<Vec<u8>>(),
            at in 0..96_usize,
            by in 1..=u8::MAX,
        ) {
            let key = SigningKey::from_bytes(&seed);
            let mut both = [key.verifying_key().to_bytes().as_slice(), &key.sign(&message).to_bytes()].concat();
            for good in [true, false] {
                let (public, signature) = both.split_first_chunk().unwrap();
                let signature = signature.first_chunk().unwrap();
                prop_assert_eq!(verifies(public, &message, signature), good);
                prop_assert_eq!(portable(public, &message, signature), good);
                both[at] ^= by;
            }
        }
    }
}
