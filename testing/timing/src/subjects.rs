//! What is measured: operations whose inputs of two classes differ in what a stranger would like to learn.

use crate::lab::{Plan, Times, dice, draw};
use core::hint::black_box;
use crypto::aead::{MessageKey, OneTimeKey, SIV_LEN, siv_open, siv_seal};
use crypto::kdf::ct_eq;
use crypto::kem;
use identity::{Sas, word_matches};

/// One measured operation.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) plan: Plan,
    pub(crate) time: fn(&Plan) -> Times,
}

const fn subject(
    name: &'static str,
    samples: usize,
    repeat: usize,
    time: fn(&Plan) -> Times,
) -> Subject {
    Subject { name, plan: Plan { samples, repeat }, time }
}

pub(crate) const SUBJECTS: &[Subject] = &[
    subject("tag: agrees in no byte / in 15 of 16", 200_000, 1, tag),
    subject("siv: other / equal", 200_000, 32, siv),
    subject("tag, 16 bytes: other / equal", 200_000, 32, short),
    subject("tag, 16 bytes: prefix of 8 other / equal", 200_000, 32, prefix),
    subject("message: siv wrong at the front / at the end", 100_000, 1, message),
    subject("secret: other / equal", 200_000, 32, secret),
    subject("decapsulation: true / false ciphertext", 40_000, 1, decapsulation),
    subject("words: wrong / right", 200_000, 4, words),
];

/// The comparison that must be found out: it stops at the first byte that differs.
pub(crate) const CONTROL: Subject =
    subject("control, leaky on purpose: other / equal", 200_000, 32, leaky);

/// Poly1305's comparison in `open`; both tags are false, so that both end there.
fn tag(plan: &Plan) -> Times {
    let mut rng = dice();
    let key: [u8; 32] = draw(&mut rng);
    plan.measure(
        |near| {
            let sealed = OneTimeKey::copy_of(&key).seal(b"ad", &draw::<64>(&mut rng));
            let wrong = sealed.iter().enumerate().map(|(at, byte)| match at {
                64..79 if !near => byte ^ 0x55,
                79 => byte ^ 0x55,
                _ => *byte,
            });
            wrong.collect()
        },
        |sealed| (OneTimeKey::copy_of(&key), sealed.to_vec()),
        |(key, sealed)| drop(black_box(key.open(b"ad", sealed))),
    )
}

/// Two strings of `N` bytes behind one another, equal from byte `from` to byte `to` or all different.
fn comparison<const N: usize>(
    plan: &Plan,
    (from, to): (usize, usize),
    equal: fn(&[u8], &[u8]) -> bool,
) -> Times {
    let mut rng = dice();
    plan.measure(
        |same| {
            let ours: [u8; N] = draw(&mut rng);
            let theirs = ours.iter().enumerate().map(|(at, byte)| {
                if same && (from..to).contains(&at) { *byte } else { byte ^ 0x55 }
            });
            ours.iter().copied().chain(theirs).collect()
        },
        <[u8]>::to_vec,
        |both| {
            let (ours, theirs) = both.split_at_checked(N).unwrap_or_default();
            black_box(equal(ours, theirs));
        },
    )
}

fn siv(plan: &Plan) -> Times {
    comparison::<SIV_LEN>(plan, (0, SIV_LEN), ct_eq)
}

fn short(plan: &Plan) -> Times {
    comparison::<16>(plan, (0, 16), ct_eq)
}

fn prefix(plan: &Plan) -> Times {
    comparison::<16>(plan, (0, 8), ct_eq)
}

fn leaky(plan: &Plan) -> Times {
    comparison::<32>(plan, (0, 32), |a, b| {
        a.iter().zip(b).all(|(a, b)| black_box(a) == black_box(b))
    })
}

/// The whole way of a false ratchet message.
fn message(plan: &Plan) -> Times {
    let mut rng = dice();
    let key: [u8; 32] = draw(&mut rng);
    plan.measure(
        |at_end| {
            let key = MessageKey::copy_of(&key);
            let mut sealed = siv_seal(&key, &[1; 32], b"header", &draw::<64>(&mut rng));
            let at = if at_end { SIV_LEN.saturating_sub(1) } else { 0 };
            for byte in sealed.iter_mut().skip(at).take(1) {
                *byte ^= 0x55;
            }
            sealed
        },
        |sealed| (MessageKey::copy_of(&key), sealed.to_vec()),
        |(key, sealed)| drop(black_box(siv_open(key, &[1; 32], b"header", sealed))),
    )
}

fn secret(plan: &Plan) -> Times {
    let mut rng = dice();
    plan.measure(
        |same| {
            let (ours, other): ([u8; 32], [u8; 32]) = (draw(&mut rng), draw(&mut rng));
            [ours, if same { ours } else { other }].concat()
        },
        |both| {
            let half = |bytes: Option<&[u8; 32]>| MessageKey::copy_of(bytes.unwrap_or(&[0; 32]));
            (half(both.first_chunk()), half(both.last_chunk()))
        },
        |(ours, theirs)| {
            black_box(ours.ct_eq(theirs));
        },
    )
}

/// Implicit rejection: a false ciphertext gives an unrelated secret, in the same time.
fn decapsulation(plan: &Plan) -> Times {
    let mut rng = dice();
    let (seed, ek) = kem::generate(&mut rng);
    plan.measure(
        |fake| {
            let (ct, _) = ek.encapsulate(&mut rng);
            let (ours, random) = (*ct.as_bytes(), draw::<{ kem::CT_LEN }>(&mut rng));
            if fake { random } else { ours }.to_vec()
        },
        |ct| kem::Ciphertext::from_bytes(ct.first_chunk().unwrap_or(&[0; kem::CT_LEN])),
        |ct| drop(black_box(seed.decapsulate(ct))),
    )
}

/// A typed word against the code: both classes are typed the same words, and only the code differs.
fn words(plan: &Plan) -> Times {
    let mut rng = dice();
    let mut typed = 0;
    plan.measure(
        |right| {
            if !right {
                [typed] = draw(&mut rng);
            }
            let [other] = draw(&mut rng);
            vec![typed, if right { typed } else { other }]
        },
        |bytes| {
            let (typed, code) = (bytes.first().copied(), bytes.last().copied());
            let [word, ..] = Sas::from_code([typed.unwrap_or_default(); 6]).words();
            (code.unwrap_or_default(), word)
        },
        |(code, word)| {
            black_box(word_matches(*code, 0, word));
        },
    )
}
