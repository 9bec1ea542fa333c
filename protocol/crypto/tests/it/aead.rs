use super::support::{Dice, array, cases, groups, hex, load, valid};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use crypto::aead::{EnvelopeKey, OneTimeKey};
use serde_json::Value;

/// `ct ‖ tag` of a case.
fn sealed(case: &Value) -> Vec<u8> {
    [hex(&case["ct"]), hex(&case["tag"])].concat()
}

fn seal_with_primitive(key: &[u8; 32], nonce: &[u8; 12], aad: &[u8], msg: &[u8]) -> Vec<u8> {
    let cipher = ChaCha20Poly1305::new_from_slice(key).unwrap();
    cipher.encrypt(&Nonce::from(*nonce), Payload { msg, aad }).unwrap()
}

/// What graviola makes of `sealed`; the portable library's answer where graviola does not exist.
fn open_with_graviola(
    key: &[u8; 32],
    nonce: &[u8; 12],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    {
        let (body, tag) = sealed.split_last_chunk::<16>()?;
        let mut text = body.to_vec();
        let cipher = graviola::aead::ChaCha20Poly1305::new(*key);
        cipher.decrypt(nonce, aad, &mut text, tag).is_ok().then_some(text)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let cipher = ChaCha20Poly1305::new_from_slice(key).unwrap();
        cipher.decrypt(&Nonce::from(*nonce), Payload { msg: sealed, aad }).ok()
    }
}

/// The vectors choose nonces, which our API never lets anyone do. Both libraries of docs/adr/0010.
#[test]
fn cry_6_wycheproof_chacha20_poly1305_of_the_primitive() {
    let file = load("wycheproof-chacha20_poly1305_test");
    let (mut accepted, mut refused, mut no_nonce) = (0, 0, 0);
    for case in groups(&file).iter().flat_map(cases) {
        let Ok(nonce) = hex(&case["iv"]).try_into() else {
            assert!(!valid(case), "{}", case["tcId"]);
            no_nonce += 1;
            continue;
        };
        let (key, aad) = (array(&case["key"]), hex(&case["aad"]));
        let (msg, sealed) = (hex(&case["msg"]), sealed(case));
        let cipher = ChaCha20Poly1305::new_from_slice(&key).unwrap();
        let opened = cipher.decrypt(&Nonce::from(nonce), Payload { msg: &sealed, aad: &aad });
        let fast = open_with_graviola(&key, &nonce, &aad, &sealed);
        assert_eq!(fast.as_ref(), opened.as_ref().ok(), "{}", case["tcId"]);
        if valid(case) {
            assert_eq!(opened.unwrap(), msg, "{}", case["tcId"]);
            assert_eq!(seal_with_primitive(&key, &nonce, &aad, &msg), sealed, "{}", case["tcId"]);
            accepted += 1;
        } else {
            assert!(opened.is_err(), "{}", case["tcId"]);
            refused += 1;
        }
    }
    assert_eq!((accepted, refused, no_nonce), (256, 60, 9));
    assert_eq!(file["numberOfTests"], 325);
}

/// No vector has the zero nonce of [`OneTimeKey`], so it is held against the primitive that
/// passed the test above, on the keys and texts of the vectors.
#[test]
fn cry_6_one_time_key_is_the_primitive_under_the_zero_nonce() {
    let file = load("wycheproof-chacha20_poly1305_test");
    let mut count = 0;
    for case in groups(&file).iter().flat_map(cases).filter(|case| valid(case)) {
        let (key, aad, msg) = (array(&case["key"]), hex(&case["aad"]), hex(&case["msg"]));
        let ours = OneTimeKey::copy_of(&key).seal(&aad, &msg);
        assert_eq!(ours, seal_with_primitive(&key, &[0; 12], &aad, &msg), "{}", case["tcId"]);
        assert_eq!(*OneTimeKey::copy_of(&key).open(&aad, &ours).unwrap(), msg);
        assert!(OneTimeKey::copy_of(&key).open(&aad, &sealed(case)).is_err());
        count += 1;
    }
    assert_eq!(count, 256);
}

/// The nonce comes from the generator, which here holds the vector's; through our API whole.
#[test]
fn cry_7_wycheproof_xchacha20_poly1305() {
    let file = load("wycheproof-xchacha20_poly1305_test");
    let (mut accepted, mut refused, mut no_nonce) = (0, 0, 0);
    for case in groups(&file).iter().flat_map(cases) {
        let nonce = hex(&case["iv"]);
        if nonce.len() != 24 {
            assert!(!valid(case), "{}", case["tcId"]);
            no_nonce += 1;
            continue;
        }
        let key = EnvelopeKey::copy_of(&array(&case["key"]));
        let (aad, msg) = (hex(&case["aad"]), hex(&case["msg"]));
        let envelope = [nonce.clone(), sealed(case)].concat();
        let opened = key.open(&aad, &envelope);
        if valid(case) {
            assert_eq!(*opened.unwrap(), msg, "{}", case["tcId"]);
            assert_eq!(key.seal(&mut Dice(nonce), &aad, &msg), envelope, "{}", case["tcId"]);
            accepted += 1;
        } else {
            assert!(opened.is_err(), "{}", case["tcId"]);
            refused += 1;
        }
    }
    assert_eq!((accepted, refused, no_nonce), (246, 60, 9));
    assert_eq!(file["numberOfTests"], 315);
}
