//! Authenticated encryption that manages its own nonces (CR-2): no function takes one.
//!
//! Three shapes, one for each way a key is used here: [`OneTimeKey`] (a key that seals once),
//! [`EnvelopeKey`] (a key that may seal a few times, random 192-bit nonce), and [`siv_seal`]
//! (a key that a rolled-back machine could use twice).

mod backend;

use crate::kdf::{ct_eq, extract, hmac};
use crate::stack::{CIPHERS, scrubbed};
use crate::{labels, secret};
use backend::Cipher;
use chacha20poly1305::{ChaCha20Poly1305, XChaCha20Poly1305};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// Length of a Poly1305 tag in bytes.
pub const TAG_LEN: usize = 16;
/// Length of an envelope's nonce in bytes (XChaCha20).
pub const XNONCE_LEN: usize = 24;
/// Length of the synthetic IV in bytes (HMAC-SHA-256).
pub const SIV_LEN: usize = 32;

/// Every tag and every `siv` passes, so that a fuzzer gets at what is behind them (docs/fuzzing.md).
const TAGS_PASS: bool = cfg!(fuzzing);

#[cfg(all(fuzzing, not(debug_assertions)))]
compile_error!("cfg(fuzzing) opens forgeries: never in a release build");

secret! {
    /// A ChaCha20-Poly1305 key (RFC 8439) that seals exactly one message; it is consumed.
    pub struct OneTimeKey([u8; 32]);
    /// An XChaCha20-Poly1305 key; each seal draws a fresh 192-bit nonce.
    pub struct EnvelopeKey([u8; 32]);
    /// The key of one ratchet message.
    pub struct MessageKey([u8; 32]);
}

/// The bytes were not made with this key and associated data. Says nothing more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not authentic")]
pub struct NotAuthentic;

impl OneTimeKey {
    /// Seals the only message of this key: `ciphertext ‖ tag`, 16 bytes longer than `plain` (CRY-6).
    #[must_use]
    pub fn seal(self, ad: &[u8], plain: &[u8]) -> Vec<u8> {
        sealed(&[], plain, |body| {
            encrypt::<ChaCha20Poly1305, 12>(self.expose_secret(), &[0; 12], ad, body)
        })
    }

    /// Opens the only message of this key.
    ///
    /// # Errors
    /// [`NotAuthentic`] for everything that [`seal`](Self::seal) did not make.
    pub fn open(&self, ad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let (body, tag) = sealed.split_last_chunk::<TAG_LEN>().ok_or(NotAuthentic)?;
        let mut out = Zeroizing::new(body.to_vec());
        decrypt::<ChaCha20Poly1305, 12>(self.expose_secret(), &[0; 12], ad, &mut out, tag)?;
        Ok(out)
    }
}

impl EnvelopeKey {
    /// Seals: `nonce(24) ‖ ciphertext ‖ tag(16)`, 40 bytes longer than `plain` (CRY-7).
    pub fn seal(&self, rng: &mut impl CryptoRng, ad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; XNONCE_LEN];
        rng.fill_bytes(&mut nonce);
        sealed(&nonce, plain, |body| {
            encrypt::<XChaCha20Poly1305, XNONCE_LEN>(self.expose_secret(), &nonce, ad, body)
        })
    }

    /// Opens what [`seal`](Self::seal) made.
    ///
    /// # Errors
    /// [`NotAuthentic`] for everything else.
    pub fn open(&self, ad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let (nonce, rest) = sealed.split_first_chunk::<XNONCE_LEN>().ok_or(NotAuthentic)?;
        let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(NotAuthentic)?;
        let mut out = Zeroizing::new(body.to_vec());
        decrypt::<XChaCha20Poly1305, XNONCE_LEN>(self.expose_secret(), nonce, ad, &mut out, tag)?;
        Ok(out)
    }
}

/// Seals one ratchet message (RAT-5): `siv(32) ‖ ciphertext ‖ tag(16)`, 48 bytes longer than `body`.
///
/// `siv = HMAC(mk, "pvtcoms v1 siv" ‖ sid ‖ bound ‖ body)`; key and nonce are derived from it, so a
/// machine that was rolled back and seals another text under the same key reveals at most whether
/// two texts are equal.
#[must_use]
pub fn siv_seal(mk: &MessageKey, sid: &[u8; 32], bound: &[u8], body: &[u8]) -> Vec<u8> {
    let mut siv = [0; SIV_LEN];
    hmac(mk.expose_secret(), &[labels::SIV, sid, bound, body], &mut siv);
    let kn = siv_key(mk, &siv);
    sealed(&siv, body, |body| {
        encrypt::<ChaCha20Poly1305, 12>(kn.key(), kn.nonce(), &[sid, bound].concat(), body)
    })
}

/// Opens what [`siv_seal`] made.
///
/// # Errors
/// [`NotAuthentic`] for everything else, a wrong `siv` beside a good tag included.
pub fn siv_open(
    mk: &MessageKey,
    sid: &[u8; 32],
    bound: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
    let (siv, rest) = sealed.split_first_chunk::<SIV_LEN>().ok_or(NotAuthentic)?;
    let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(NotAuthentic)?;
    let kn = siv_key(mk, siv);
    let mut out = Zeroizing::new(body.to_vec());
    decrypt::<ChaCha20Poly1305, 12>(kn.key(), kn.nonce(), &[sid, bound].concat(), &mut out, tag)?;
    let mut again = [0; SIV_LEN];
    hmac(mk.expose_secret(), &[labels::SIV, sid, bound, &out], &mut again);
    if ct_eq(siv, &again) || TAGS_PASS { Ok(out) } else { Err(NotAuthentic) }
}

/// Key and nonce of one body: 44 derived bytes.
struct KeyAndNonce(Box<Zeroizing<[u8; 44]>>);

impl KeyAndNonce {
    fn key(&self) -> &[u8; 32] {
        self.0.first_chunk().unwrap_or(&[0; 32])
    }
    fn nonce(&self) -> &[u8; 12] {
        self.0.last_chunk().unwrap_or(&[0; 12])
    }
}

crate::opaque!(KeyAndNonce);

fn siv_key(mk: &MessageKey, siv: &[u8; SIV_LEN]) -> KeyAndNonce {
    let mut kn = Box::new(Zeroizing::new([0; 44]));
    extract(siv, &[mk.expose_secret()]).expand(&[labels::BODY], &mut kn);
    KeyAndNonce(kn)
}

/// `before ‖ ciphertext ‖ tag`, where `seal` turns the one into the other in place and gives the
/// tag. There is room for all of it from the start, so that nothing moves and leaves a plaintext.
fn sealed(before: &[u8], plain: &[u8], seal: impl FnOnce(&mut [u8]) -> [u8; TAG_LEN]) -> Vec<u8> {
    let len = before.len().saturating_add(plain.len()).saturating_add(TAG_LEN);
    let mut out = Vec::with_capacity(len);
    out.extend_from_slice(before);
    out.extend_from_slice(plain);
    let tag = seal(out.get_mut(before.len()..).unwrap_or_default());
    out.extend_from_slice(&tag);
    out
}

/// Encrypts in place and gives the tag. No message here comes near the cipher's limit of 2^38
/// bytes, which is the only way to fail; a failure leaves zeros, which no one can open.
fn encrypt<C: Cipher<N>, const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; N],
    ad: &[u8],
    buf: &mut [u8],
) -> [u8; TAG_LEN] {
    let sealed = scrubbed::<CIPHERS, _>(|| backend::encrypt::<C, N>(key, nonce, ad, buf));
    sealed.unwrap_or_else(|| {
        buf.fill(0);
        [0; TAG_LEN]
    })
}

fn decrypt<C: Cipher<N>, const N: usize>(
    key: &[u8; 32],
    nonce: &[u8; N],
    ad: &[u8],
    buf: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), NotAuthentic> {
    let opened = scrubbed::<CIPHERS, _>(|| {
        if TAGS_PASS {
            // A stream cipher: encrypting again decrypts.
            return backend::encrypt::<C, N>(key, nonce, ad, buf).map(|_tag| ());
        }
        backend::decrypt::<C, N>(key, nonce, ad, buf, tag)
    });
    opened.ok_or(NotAuthentic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_core::SeedableRng;

    fn one_time() -> OneTimeKey {
        OneTimeKey::copy_of(&[3; 32])
    }

    proptest! {
        #[test]
        fn cry_6_one_time_key_round_trips_and_any_flip_is_refused(
            ad in any::<Vec<u8>>(), text in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let mut sealed = one_time().seal(&ad, &text);
            prop_assert_eq!(&**one_time().open(&ad, &sealed).unwrap(), &text);
            let i = at.index(sealed.len());
            sealed[i] ^= 1 << bit;
            prop_assert_eq!(one_time().open(&ad, &sealed).err(), Some(NotAuthentic));
        }

        #[test]
        fn cry_7_envelope_key_never_repeats_a_nonce_and_any_flip_is_refused(
            ad in any::<Vec<u8>>(), text in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), bit in 0u8..8, seed in any::<u64>(),
        ) {
            let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(seed);
            let key = EnvelopeKey::copy_of(&[4; 32]);
            let mut sealed = key.seal(&mut rng, &ad, &text);
            prop_assert_ne!(&sealed, &key.seal(&mut rng, &ad, &text));
            prop_assert_eq!(&**key.open(&ad, &sealed).unwrap(), &text);
            let i = at.index(sealed.len());
            sealed[i] ^= 1 << bit;
            prop_assert_eq!(key.open(&ad, &sealed).err(), Some(NotAuthentic));
        }

        #[test]
        fn rat_5_siv_round_trips_and_any_flip_is_refused(
            header in any::<Vec<u8>>(), text in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let mk = MessageKey::copy_of(&[5; 32]);
            let mut sealed = siv_seal(&mk, &[6; 32], &header, &text);
            prop_assert_eq!(&**siv_open(&mk, &[6; 32], &header, &sealed).unwrap(), &text);
            prop_assert!(siv_open(&mk, &[7; 32], &header, &sealed).is_err());
            let i = at.index(sealed.len());
            sealed[i] ^= 1 << bit;
            prop_assert_eq!(siv_open(&mk, &[6; 32], &header, &sealed).err(), Some(NotAuthentic));
        }
    }

    #[test]
    fn rat_5_same_key_other_text_shares_no_keystream() {
        let mk = MessageKey::copy_of(&[5; 32]);
        let a = siv_seal(&mk, &[6; 32], b"h", &[0; 64]);
        let b = siv_seal(&mk, &[6; 32], b"h", &[1; 64]);
        let xor: Vec<u8> = a.iter().zip(&b).skip(SIV_LEN).take(64).map(|(x, y)| x ^ y).collect();
        assert_ne!(xor, vec![1; 64], "a two-time pad would show the difference of the texts");
    }
}
