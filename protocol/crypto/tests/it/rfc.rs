//! The examples that the RFCs print beside the algorithms.

use super::support::{array, hex};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use crypto::dh::{Private, Public};
use crypto::kdf::extract;
use crypto::sign::{BadSignature, EdSecret, ed_verify};
use serde_json::json;

fn h(text: &str) -> Vec<u8> {
    hex(&json!(text))
}

fn h32(text: &str) -> [u8; 32] {
    array(&json!(text))
}

/// RFC 5869, appendix A.1 to A.3, the three with SHA-256.
#[test]
fn cry_3_rfc5869_hkdf_sha256() {
    let run = |ikm: Vec<u8>, salt: Vec<u8>, info: Vec<u8>, okm: &str| {
        let (okm, mut out) = (h(okm), [0; 82]);
        extract(&salt, &[&ikm]).expand(&[&info], &mut out);
        // A shorter output is the beginning of a longer one.
        assert_eq!(out[..okm.len()], okm[..]);
        okm.len()
    };
    let a1 = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    let a2 = "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb\
              41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87";
    let a3 = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8";
    let lengths = [
        run(vec![0x0b; 22], (0..13).collect(), (0xf0..=0xf9).collect(), a1),
        run((0..0x50).collect(), (0x60..0xb0).collect(), (0xb0..=0xff).collect(), a2),
        run(vec![0x0b; 22], vec![], vec![], a3),
    ];
    assert_eq!(lengths, [42, 82, 42]);
}

/// RFC 8439, section 2.8.2. It has a nonce, which our API does not take.
#[test]
fn cry_6_rfc8439_chacha20_poly1305_of_the_primitive() {
    let key: Vec<u8> = (0x80..=0x9f).collect();
    let nonce: [u8; 12] = array(&json!("070000004041424344454647"));
    let aad = h("50515253c0c1c2c3c4c5c6c7");
    let msg = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                the future, sunscreen would be it.";
    let expected = h(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca967\
                      1282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee32809\
                      1b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b\
                      594f09e26a7e902ecbd0600691",
    );
    let cipher = ChaCha20Poly1305::new_from_slice(&key).unwrap();
    let sealed = cipher.encrypt(&Nonce::from(nonce), Payload { msg, aad: &aad }).unwrap();
    assert_eq!(sealed, expected);
}

/// RFC 7748, section 5.2: two multiplications, then a thousand, each on the results of the last two.
#[test]
fn cry_4_rfc7748_multiplications() {
    for (scalar, u, out) in [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ] {
        let shared = Private::copy_of(&h32(scalar)).agree(&Public(h32(u))).unwrap();
        assert_eq!(shared.expose_secret(), &h32(out));
    }
    let (mut k, mut u) = ([0; 32], [0; 32]);
    (k[0], u[0]) = (9, 9);
    for i in 1..=1000 {
        let next = *Private::copy_of(&k).agree(&Public(u)).unwrap().expose_secret();
        (k, u) = (next, k);
        if i == 1 {
            assert_eq!(k, h32("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
        }
    }
    assert_eq!(k, h32("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

/// RFC 7748, section 6.1: two people.
#[test]
fn cry_4_rfc7748_agreement() {
    let (a, b) = (
        Private::copy_of(&h32("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")),
        Private::copy_of(&h32("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")),
    );
    let a_public = h32("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let b_public = h32("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    assert_eq!((a.public().0, b.public().0), (a_public, b_public));
    let shared = h32("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
    for (own, peer) in [(a, b_public), (b, a_public)] {
        assert_eq!(own.agree(&Public(peer)).unwrap().expose_secret(), &shared);
    }
}

/// RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
#[test]
fn cry_8_rfc8032_ed25519() {
    for (secret, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39\
             701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f36\
             13d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7\
             60984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c\
             23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7\
             c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ] {
        let (secret, message) = (EdSecret::copy_of(&h32(secret)), h(message));
        let signature: [u8; 64] = array(&json!(signature));
        assert_eq!(secret.public(), h32(public));
        assert_eq!(secret.sign(&message), signature);
        assert_eq!(ed_verify(&h32(public), &message, &signature), Ok(()));
        let longer = [&message[..], &[0]].concat();
        assert_eq!(ed_verify(&h32(public), &longer, &signature), Err(BadSignature));
    }
}
