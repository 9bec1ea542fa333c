//! The three ways to open (CRY-6, CRY-7, RAT-5).

use crate::choices::Choices;
use crypto::aead::{EnvelopeKey, MessageKey, OneTimeKey, TAG_LEN, siv_open, siv_seal};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

const SID: [u8; 32] = [6; 32];

/// `shape and again(1) ‖ length of the associated data(1) ‖ associated data ‖ sealed`
///
/// What opens has the plaintext's length; what is sealed opens; what was opened and is sealed
/// again under a key that seals once has the same ciphertext.
pub fn open(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (shape, len) = (choices.byte(), choices.byte());
    let (ad, sealed) = (choices.take(len.into()), choices.rest());
    // The way back costs as much again, so it is not taken each time.
    let again = shape >= 0x80;
    match shape % 3 {
        0 => one_time(ad, sealed, again),
        1 => envelope(ad, sealed, again),
        _ => siv(ad, sealed, again),
    }
}

fn one_time(ad: &[u8], sealed: &[u8], again: bool) {
    let key = || OneTimeKey::copy_of(&[3; 32]);
    if let Ok(plain) = key().open(ad, sealed) {
        let same = key().seal(ad, &plain);
        assert_eq!(same[..plain.len()], sealed[..sealed.len() - TAG_LEN]);
    }
    if again {
        assert_eq!(**key().open(ad, &key().seal(ad, sealed)).unwrap(), *sealed);
    }
}

fn envelope(ad: &[u8], sealed: &[u8], again: bool) {
    let key = EnvelopeKey::copy_of(&[4; 32]);
    if let Ok(plain) = key.open(ad, sealed) {
        assert_eq!(plain.len(), sealed.len() - 24 - TAG_LEN);
    }
    if again {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        assert_eq!(**key.open(ad, &key.seal(&mut rng, ad, sealed)).unwrap(), *sealed);
    }
}

fn siv(ad: &[u8], sealed: &[u8], again: bool) {
    let mk = MessageKey::copy_of(&[5; 32]);
    if let Ok(plain) = siv_open(&mk, &SID, ad, sealed) {
        assert_eq!(plain.len(), sealed.len() - 48);
    }
    if again {
        let back = siv_open(&mk, &SID, ad, &siv_seal(&mk, &SID, ad, sealed));
        assert_eq!(**back.unwrap(), *sealed);
    }
}

pub fn open_seeds() -> Vec<Vec<u8>> {
    let ad = b"associated";
    let plain = [9; 24];
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let sealed = [
        OneTimeKey::copy_of(&[3; 32]).seal(ad, &plain),
        EnvelopeKey::copy_of(&[4; 32]).seal(&mut rng, ad, &plain),
        siv_seal(&MessageKey::copy_of(&[5; 32]), &SID, ad, &plain),
    ];
    let seed = |(shape, sealed): (u8, Vec<u8>)| [&[shape, 10], &ad[..], &sealed].concat();
    (0..).zip(sealed.clone()).chain((129..).zip(sealed)).map(seed).collect()
}

/// Whether anything opens: only in a fuzzing build, where the comparison of tags says yes.
pub fn forged_tags_pass() -> bool {
    let mk = MessageKey::copy_of(&[5; 32]);
    let opens = [
        OneTimeKey::copy_of(&[3; 32]).open(b"", &[0; 40]).is_ok(),
        EnvelopeKey::copy_of(&[4; 32]).open(b"", &[0; 80]).is_ok(),
        siv_open(&mk, &SID, b"", &[0; 80]).is_ok(),
    ];
    assert!(opens.iter().all(|o| *o == opens[0]), "the three shapes differ: {opens:?}");
    opens[0]
}
