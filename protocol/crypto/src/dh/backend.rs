//! The two functions of RFC 7748 by the fastest code that this processor runs (docs/adr/0007).
//!
//! Graviola carries the assembly of s2n-bignum, and needs a processor of about 2014 or later; where
//! it cannot run, curve25519-dalek does. Both clamp, ignore the top bit of a coordinate and reduce
//! one that is not canonical; neither takes time that depends on what it computes.

use x25519_dalek::{PublicKey, StaticSecret};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use graviola::key_agreement::x25519 as asm;

/// `X25519(k, 9)`.
pub(super) fn base(k: &[u8; 32]) -> [u8; 32] {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if graviola::util::is_cpu_supported() {
        return asm::StaticPrivateKey::from_array(k).public_key().as_bytes();
    }
    portable_base(k)
}

/// `X25519(k, u)`, written into `out`: zeros for a point of small order, which the caller refuses.
pub(super) fn multiply(k: &[u8; 32], u: &[u8; 32], out: &mut [u8; 32]) {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if graviola::util::is_cpu_supported() {
        let key = asm::StaticPrivateKey::from_array(k);
        match key.diffie_hellman(&asm::PublicKey::from_array(u)) {
            Ok(shared) => out.copy_from_slice(&shared.0),
            Err(_) => out.fill(0),
        }
        return;
    }
    portable_multiply(k, u, out);
}

fn portable_base(k: &[u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(*k)).to_bytes()
}

fn portable_multiply(k: &[u8; 32], u: &[u8; 32], out: &mut [u8; 32]) {
    // The shared secret wipes itself.
    let shared = StaticSecret::from(*k).diffie_hellman(&PublicKey::from(*u));
    out.copy_from_slice(shared.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Points at which implementations have differed: small order, 2^255 - 19 and its neighbours,
    /// the top bit.
    fn odd_points() -> Vec<[u8; 32]> {
        let mut points = vec![[0; 32], [0xff; 32]];
        for low in 0..=255 {
            let mut p = [0xff; 32];
            (p[0], p[31]) = (low, 0x7f);
            points.push(p);
            p = [0; 32];
            (p[0], p[31]) = (low, 0x80);
            points.push(p);
        }
        points.push([
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f,
            0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16,
            0x5f, 0x49, 0xb8, 0x00,
        ]);
        points
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn cry_4_a_processor_of_today_runs_the_fast_code() {
        // Otherwise the comparisons below would compare one thing with itself.
        assert!(graviola::util::is_cpu_supported());
    }

    #[test]
    fn cry_4_both_backends_agree_where_implementations_differ() {
        for (i, u) in (0..=u8::MAX).cycle().zip(odd_points()) {
            let (mut fast, mut portable) = ([1; 32], [2; 32]);
            multiply(&[i; 32], &u, &mut fast);
            portable_multiply(&[i; 32], &u, &mut portable);
            assert_eq!(fast, portable, "{u:02x?}");
            assert_eq!(crate::dh::Public(u).contributes(), fast != [0; 32], "{u:02x?}");
        }
    }

    proptest! {
        #[test]
        fn cry_4_both_backends_agree(k in any::<[u8; 32]>(), u in any::<[u8; 32]>()) {
            prop_assert_eq!(base(&k), portable_base(&k));
            let (mut fast, mut portable) = ([1; 32], [2; 32]);
            multiply(&k, &u, &mut fast);
            portable_multiply(&k, &u, &mut portable);
            prop_assert_eq!(fast, portable);
        }
    }
}
