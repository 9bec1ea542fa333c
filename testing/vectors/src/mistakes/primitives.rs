//! Mistakes against `wire.md` and `crypto.md`.

use super::{Mistake, flip, input, set};
use crate::dice::Dice;
use crate::hexed::hex;
use crypto::aead::{EnvelopeKey, OneTimeKey};
use crypto::kem;
use crypto::sign::{EdSecret, MdSecret};
use serde_json::{Value, json};

pub(super) fn all() -> Vec<Mistake> {
    let dice = &mut Dice::noting(1);
    let ek = *kem::Seed::random(dice).encapsulation_key().as_bytes();
    let unreduced = set(&set(&ek, 0, 0xff), 1, 0xff);
    let sealed = OneTimeKey::copy_of(&[1; 32]).seal(b"ad", b"text");
    let envelope = EnvelopeKey::copy_of(&[1; 32]).seal(dice, b"ad", b"text");
    let opening = json!({ "key": hex(&[1; 32]), "ad": hex(b"ad") });
    let ed = EdSecret::random(dice);
    let signature = ed.sign(b"message");
    let md = MdSecret::random(dice);
    let md_signature = md.sign(dice, b"context", b"message").unwrap();
    // A point of order one as a key verifies a signature of R = identity, s = 0 over anything.
    let (small, zero) = ([&[1][..], &[0; 31]].concat(), [&[1][..], &[0; 63]].concat());
    let cost = |memory: u32| json!({ "memory_kib": memory });
    let none = || json!({});
    vec![
        wire("wire-short", "WIR-1", "the bytes end before the value does", [4, 3], "Short"),
        wire("wire-long", "WIR-2", "a byte is left over", [4, 5], "Long"),
        Mistake {
            name: "wire-reserved",
            rule: "WIR-3",
            says: "a reserved byte is not zero",
            call: "wire four zeros",
            with: none(),
            good: input(&[0; 4]),
            bad: input(&[0, 0, 1, 0]),
            expect: "Reserved",
        },
        Mistake {
            name: "x25519-zero",
            rule: "CRY-4",
            says: "the public key is a point of small order",
            call: "crypto x25519",
            with: json!({ "private": hex(&[9; 32]) }),
            good: input(&[9; 32]),
            bad: input(&[0; 32]),
            expect: "NotContributory",
        },
        Mistake {
            name: "encapsulation-key-unreduced",
            rule: "CRY-5",
            says: "a coefficient of the encapsulation key is not below 3329",
            call: "crypto encapsulation key",
            with: none(),
            good: input(&ek),
            bad: input(&unreduced),
            expect: "InvalidKey",
        },
        Mistake {
            name: "one-time-tag",
            rule: "CRY-6",
            says: "a bit of the tag is flipped",
            call: "crypto one-time open",
            with: opening.clone(),
            good: input(&sealed),
            bad: input(&flip(&sealed, sealed.len() - 1)),
            expect: "NotAuthentic",
        },
        Mistake {
            name: "envelope-nonce",
            rule: "CRY-7",
            says: "a bit of the nonce is flipped",
            call: "crypto envelope open",
            with: opening,
            good: input(&envelope),
            bad: input(&flip(&envelope, 0)),
            expect: "NotAuthentic",
        },
        Mistake {
            name: "ed25519-small-order",
            rule: "CRY-8",
            says: "the key is of small order, and the signature fits every message",
            call: "crypto ed25519",
            with: json!({ "message": hex(b"message") }),
            good: json!({ "public": hex(&ed.public()), "signature": hex(&signature) }),
            bad: json!({ "public": hex(&small), "signature": hex(&zero) }),
            expect: "BadSignature",
        },
        Mistake {
            name: "ml-dsa-context",
            rule: "CRY-8",
            says: "the signature was made under another context",
            call: "crypto ml-dsa",
            with: json!({
                "public": hex(md.public().as_slice()), "message": hex(b"message"),
                "signature": hex(md_signature.as_slice()),
            }),
            good: json!({ "context": hex(b"context") }),
            bad: json!({ "context": hex(b"another") }),
            expect: "BadSignature",
        },
        Mistake {
            name: "argon2id-cost",
            rule: "CRY-9",
            says: "less memory than eight blocks a lane",
            call: "crypto argon2id",
            with: json!({ "passes": 1, "lanes": 1 }),
            good: cost(8),
            bad: cost(7),
            expect: "CannotStretch",
        },
    ]
}

fn wire(
    name: &'static str,
    rule: &'static str,
    says: &'static str,
    [good, bad]: [usize; 2],
    expect: &'static str,
) -> Mistake {
    let zeros = |n: usize| -> Value { input(&vec![0; n]) };
    let (good, bad) = (zeros(good), zeros(bad));
    Mistake { name, rule, says, call: "wire four bytes", with: json!({}), good, bad, expect }
}
