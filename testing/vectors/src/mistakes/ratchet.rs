//! Mistakes against `ratchet.md`.

use super::{Mistake, flip, set};
use crate::dice::Dice;
use crate::hexed::hex;
use crate::reference::{body_keys, bound, message_key};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use crypto::aead::siv_seal;
use ratchet::{Ciphertext, Ratchet};
use serde_json::{Value, json};

const SID: [u8; 32] = [2; 32];
const DAY: u32 = 20_625;

/// Where the fields of a header lie (RAT-1).
const TYPE: usize = 1;
const RESERVED: usize = 2;
const N: usize = 4;
const PN: usize = 8;
const DH: usize = 12;
const EK: usize = 44;
const CT: usize = 1228;
const HEADER_LEN: usize = 2316;

/// Where the number of the next message lies in the state of a side that sends.
const SEND_N: usize = 1282;

pub(super) fn all() -> Vec<Mistake> {
    let dice = &mut Dice::noting(6);
    let mut a = Ratchet::inviter(&[1; 32], SID);
    let mut b = Ratchet::invited(dice, &[1; 32], SID);
    let waits = a.to_secret_bytes().to_vec();
    let sends = b.to_secret_bytes().to_vec();
    let ck: [u8; 32] = sends[1250..1282].try_into().unwrap();

    let mut said = |who: &mut Ratchet| *who.encrypt(dice, b"content").unwrap().as_bytes();
    let b0 = said(&mut b);
    let b1 = said(&mut b);
    let b1000 = (2..=1000).map(|_| said(&mut b)).last().unwrap();
    let b1001 = said(&mut b);
    read(&mut a, &b0);
    let replies = a.to_secret_bytes().to_vec();
    let a0 = said(&mut a);
    read(&mut a, &b1);
    let two_read = a.to_secret_bytes().to_vec();
    read(&mut b, &a0);
    let next = said(&mut b);
    // A state that has skipped a message, on the day DAY.
    let mut skipped = Ratchet::from_secret_bytes(&replies).unwrap();
    read(&mut skipped, &b1000);

    let forged = |body: &[u8]| forge(&ck, &b0[..HEADER_LEN], body);
    let body = padded(7, b"content");
    // Authentic, and of the first chain.
    let mut low = b0[..HEADER_LEN].to_vec();
    low[DH..EK].fill(0);
    let answers = set(&b0[..HEADER_LEN], CT, 1);
    let case = |name, rule, says, state: &[u8], good: &[u8], bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "ratchet decrypt",
        with: json!({ "state": hex(state), "day": DAY }),
        good: super::input(good),
        bad: super::input(bad),
        expect,
    };
    let first =
        |name, rule, says, bad: &[u8], expect| case(name, rule, says, &waits, &b0, bad, expect);
    let mut unreduced = b0;
    unreduced[EK..EK + 3].fill(0xff);
    let mut wrong_pn = next;
    wrong_pn[PN..PN + 4].copy_from_slice(&1_u32.to_be_bytes());
    // Two of the 1002 messages before have come: the skip to the end of that chain is at its limit.
    let mut long_pn = next;
    long_pn[PN..PN + 4].copy_from_slice(&1003_u32.to_be_bytes());
    let field = |name: &str| format!(r#"Malformed(Field("{name}"))"#);
    let [version, kind, n, pn, key, answered] = ["version", "type", "n", "pn", "ek", "ct"]
        .map(|name| -> &'static str { field(name).leak() });
    let encrypt = |name, rule, says, good: Value, bad: Value, expect| Mistake {
        name,
        rule,
        says,
        call: "ratchet encrypt",
        with: json!({ "length": 10 }),
        good,
        bad,
        expect,
    };
    let state = |state: &[u8]| json!({ "state": hex(state) });
    let exhausted = |n: u32| {
        let mut state = sends.clone();
        state[SEND_N..SEND_N + 4].copy_from_slice(&n.to_be_bytes());
        json!({ "state": hex(&state) })
    };
    vec![
        first("ratchet-version", "RAT-1", "version 2", &set(&b0, 0, 2), version),
        first("ratchet-type", "RAT-1", "type 2", &set(&b0, TYPE, 2), kind),
        first(
            "ratchet-reserved",
            "RAT-1",
            "a reserved byte is not zero",
            &set(&b0, RESERVED, 1),
            "Malformed(Reserved)",
        ),
        case(
            "ratchet-body-length",
            "RAT-1",
            "an authentic body says that it is longer than it can be",
            &waits,
            &forged(&body),
            &forged(&padded(1635, b"content")),
            "Malformed(Short)",
        ),
        case(
            "ratchet-body-padding",
            "RAT-1",
            "an authentic body is padded with something else than zeros",
            &waits,
            &forged(&body),
            &forged(&padded(6, b"content")),
            "Malformed(Reserved)",
        ),
        first(
            "ratchet-pn-first-chain",
            "RAT-1",
            "the first chain has another before it",
            &set(&b0, PN + 3, 1),
            pn,
        ),
        Mistake {
            with: json!({ "state": hex(&sends) }),
            ..encrypt(
                "ratchet-content-too-long",
                "RAT-1",
                "a byte more than 1634",
                json!({ "length": 1634 }),
                json!({ "length": 1635 }),
                "TooLong",
            )
        },
        case(
            "ratchet-pn-too-small",
            "RAT-4",
            "the chain before is said to be shorter than what has come of it",
            &two_read,
            &next,
            &wrong_pn,
            pn,
        ),
        first("ratchet-ek-unreduced", "RAT-4", "ek is no encapsulation key", &unreduced, key),
        case(
            "ratchet-dh-zero",
            "RAT-4",
            "the authentic dh of the first chain contributes nothing",
            &waits,
            &forged(&body),
            &forge(&ck, &low, &body),
            "NotAuthentic",
        ),
        case(
            "ratchet-first-chain-answers",
            "RAT-4",
            "the first chain carries a ciphertext, though there is nothing that it could answer",
            &waits,
            &forged(&body),
            &forge(&ck, &answers, &body),
            answered,
        ),
        case(
            "ratchet-step-out-of-turn",
            "RAT-4",
            "a new dh comes before our answer to the last",
            &replies,
            &b1,
            &flip(&b1, DH),
            "NotAuthentic",
        ),
        encrypt(
            "ratchet-not-yet",
            "RAT-4",
            "the inviter speaks first",
            state(&sends),
            state(&waits),
            "NotYet",
        ),
        case(
            "ratchet-siv",
            "RAT-5",
            "the tag is good under the siv, and the siv is not that of the body",
            &waits,
            &b0,
            &other_siv(&ck, &b0[..HEADER_LEN], &body),
            "NotAuthentic",
        ),
        case(
            "ratchet-header-flipped",
            "RAT-5",
            "a bit of the ciphertext in the header is flipped",
            &two_read,
            &next,
            &flip(&next, 2000),
            "NotAuthentic",
        ),
        case(
            "ratchet-skip-pn",
            "RAT-6",
            "1001 messages of the chain before would be passed over",
            &two_read,
            &next,
            &long_pn,
            "TooManySkipped",
        ),
        case(
            "ratchet-skip",
            "RAT-6",
            "1001 messages would be passed over",
            &waits,
            &b1000,
            &b1001,
            "TooManySkipped",
        ),
        first("ratchet-n", "RAT-6", "the number is 2^24", &set(&b0, N, 1), n),
        encrypt(
            "ratchet-chain-end",
            "RAT-6",
            "the chain is at its end",
            exhausted((1 << 24) - 1),
            exhausted(1 << 24),
            "Exhausted",
        ),
        Mistake {
            with: json!({ "state": hex(&skipped.to_secret_bytes()), "bytes": hex(&b1) }),
            good: json!({ "day": DAY + 30 }),
            bad: json!({ "day": DAY + 31 }),
            ..first(
                "ratchet-key-expired",
                "RAT-6",
                "the message comes 31 days after its key was put aside",
                &b1001,
                "Replayed",
            )
        },
        case(
            "ratchet-replay",
            "RAT-7",
            "the message was read before",
            &replies,
            &b1,
            &b0,
            "Replayed",
        ),
    ]
}

fn read(who: &mut Ratchet, message: &[u8; 4000]) {
    who.decrypt(DAY, &Ciphertext::from_bytes(message)).map(|_| ()).unwrap();
}

/// A body that says `len`.
fn padded(len: u16, content: &[u8]) -> Vec<u8> {
    let mut body = [&len.to_be_bytes()[..], content].concat();
    body.resize(1636, 0);
    body
}

/// The first message of a chain, with any body.
fn forge(ck: &[u8; 32], header: &[u8], body: &[u8]) -> Vec<u8> {
    let (mk, _) = message_key(ck);
    [header, &siv_seal(&mk, &SID, &bound(header), body)].concat()
}

/// The same, under the siv of another body.
fn other_siv(ck: &[u8; 32], header: &[u8], body: &[u8]) -> Vec<u8> {
    let (mk, _) = message_key(ck);
    let (siv, keys) = body_keys(&mk, &SID, header, b"another body");
    let cipher = ChaCha20Poly1305::new_from_slice(&keys[..32]).unwrap();
    let nonce: [u8; 12] = keys[32..].try_into().unwrap();
    let ad = [&SID[..], &bound(header)].concat();
    let sealed = cipher.encrypt(&Nonce::from(nonce), Payload { msg: body, aad: &ad }).unwrap();
    [header, &siv, &sealed].concat()
}
