//! ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 by the fastest code that this processor runs (docs/adr/0010).
//!
//! Graviola where it can run, as for X25519; RustCrypto elsewhere. Both give the same bytes.

use super::TAG_LEN;
use chacha20poly1305::aead::inout::InOutBuf;
use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit, XChaCha20Poly1305};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use graviola::aead as asm;

/// A cipher with a nonce of `N` bytes: the portable one, and how the fast one is called.
pub(super) trait Cipher<const N: usize>: AeadInOut + KeyInit {
    /// Encrypts in place and gives the tag.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn fast_encrypt(key: &[u8; 32], nonce: &[u8; N], ad: &[u8], buf: &mut [u8]) -> [u8; TAG_LEN];

    /// Decrypts in place; false, and zeros, if the tag is another one.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    fn fast_decrypt(
        key: &[u8; 32],
        nonce: &[u8; N],
        ad: &[u8],
        buf: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> bool;
}

macro_rules! cipher {
    ($name:ident, $nonce:literal) => {
        impl Cipher<$nonce> for $name {
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            fn fast_encrypt(
                key: &[u8; 32],
                nonce: &[u8; $nonce],
                ad: &[u8],
                buf: &mut [u8],
            ) -> [u8; TAG_LEN] {
                let mut tag = [0; TAG_LEN];
                asm::$name::new(*key).encrypt(nonce, ad, buf, &mut tag);
                tag
            }

            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            fn fast_decrypt(
                key: &[u8; 32],
                nonce: &[u8; $nonce],
                ad: &[u8],
                buf: &mut [u8],
                tag: &[u8; TAG_LEN],
            ) -> bool {
                asm::$name::new(*key).decrypt(nonce, ad, buf, tag).is_ok()
            }
        }
    };
}

cipher!(ChaCha20Poly1305, 12);
cipher!(XChaCha20Poly1305, 24);

/// Encrypts in place and gives the tag; `None` for a text of 2^38 bytes.
pub(super) fn encrypt<C: Cipher<N>, const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; N],
    ad: &[u8],
    buf: &mut [u8],
) -> Option<[u8; TAG_LEN]> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if graviola::util::is_cpu_supported() {
        return Some(C::fast_encrypt(key, nonce, ad, buf));
    }
    portable_encrypt::<C, N>(key, nonce, ad, buf)
}

/// Decrypts in place; `None` if this key, nonce and associated data did not make this tag. What then
/// stands in `buf` is no plaintext.
pub(super) fn decrypt<C: Cipher<N>, const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; N],
    ad: &[u8],
    buf: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Option<()> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    if graviola::util::is_cpu_supported() {
        return C::fast_decrypt(key, nonce, ad, buf, tag).then_some(());
    }
    portable_decrypt::<C, N>(key, nonce, ad, buf, tag)
}

fn portable_encrypt<C: Cipher<N>, const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; N],
    ad: &[u8],
    buf: &mut [u8],
) -> Option<[u8; TAG_LEN]> {
    let cipher = C::new_from_slice(key).ok()?;
    let nonce = nonce.as_slice().try_into().ok()?;
    let tag = cipher.encrypt_inout_detached(nonce, ad, InOutBuf::from(buf)).ok()?;
    tag.as_slice().try_into().ok()
}

fn portable_decrypt<C: Cipher<N>, const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; N],
    ad: &[u8],
    buf: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Option<()> {
    let cipher = C::new_from_slice(key).ok()?;
    let nonce = nonce.as_slice().try_into().ok()?;
    let tag = tag.as_slice().try_into().ok()?;
    cipher.decrypt_inout_detached(nonce, ad, InOutBuf::from(buf), tag).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[test]
    fn cry_6_a_processor_of_today_runs_the_fast_code() {
        // Otherwise the comparisons below would compare one thing with itself.
        assert!(graviola::util::is_cpu_supported());
    }

    /// The same bytes from both, each opens what the other made, and neither opens anything else.
    fn agree<C: Cipher<N>, const N: usize>(
        key: &[u8; 32],
        nonce: &[u8; N],
        ad: &[u8],
        text: &[u8],
        wrong: (usize, u8),
    ) {
        let (mut fast, mut slow) = (text.to_vec(), text.to_vec());
        let tag = encrypt::<C, N>(key, nonce, ad, &mut fast).unwrap();
        assert_eq!(portable_encrypt::<C, N>(key, nonce, ad, &mut slow), Some(tag));
        assert_eq!(fast, slow);
        let mut changed = [&fast[..], &tag].concat();
        assert_eq!(decrypt::<C, N>(key, nonce, ad, &mut fast, &tag), Some(()));
        assert_eq!(portable_decrypt::<C, N>(key, nonce, ad, &mut slow, &tag), Some(()));
        assert_eq!((fast.as_slice(), slow.as_slice()), (text, text));
        let at = wrong.0.checked_rem(changed.len()).unwrap();
        changed[at] ^= wrong.1;
        let (body, tag) = changed.split_last_chunk().unwrap();
        let (mut fast, mut slow) = (body.to_vec(), body.to_vec());
        assert_eq!(decrypt::<C, N>(key, nonce, ad, &mut fast, tag), None);
        assert_eq!(portable_decrypt::<C, N>(key, nonce, ad, &mut slow, tag), None);
    }

    /// Blocks are of 16, 64, 128 and 512 bytes in one or the other of the implementations.
    #[test]
    fn cry_6_both_backends_agree_at_every_length() {
        for len in (0..=1100).chain([1636, 4056, 6864, 8191]) {
            let text = vec![0x5a; len];
            agree::<ChaCha20Poly1305, 12>(&[1; 32], &[2; 12], &text, &text, (len / 2, 0x80));
            agree::<XChaCha20Poly1305, 24>(&[1; 32], &[2; 24], &[], &text, (len, 1));
        }
    }

    proptest! {
        #[test]
        fn cry_6_cry_7_both_backends_agree(
            key in any::<[u8; 32]>(),
            nonce in any::<[u8; 24]>(),
            ad in prop::collection::vec(any::<u8>(), 0..100),
            text in prop::collection::vec(any::<u8>(), 0..3000),
            at in any::<usize>(),
            by in 1..=u8::MAX,
        ) {
            agree::<ChaCha20Poly1305, 12>(&key, nonce.first_chunk().unwrap(), &ad, &text, (at, by));
            agree::<XChaCha20Poly1305, 24>(&key, &nonce, &ad, &text, (at, by));
        }
    }
}
