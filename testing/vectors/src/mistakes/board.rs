//! Mistakes against `board.md`, as far as bytes make them.

use super::{Mistake, flip, input, set};
use crate::dice::Dice;
use crate::hexed::hex;
use board::envelope::{Envelope, Kind, Parcel, dummy, open, seal, split_handshake};
use board::frame::{PutAnswer, Request, Window};
use board::header::{DigestFrame, PageHeader};
use board::page::{Page, Place, Settings};
use board::pow;
use board::tag::Tag;
use crypto::Zeroizing;
use crypto::aead::EnvelopeKey;
use rand_core::Rng;
use serde_json::{Value, json};
use wire::Codec;

const MAILBOX: [u8; 32] = [0x3a; 32];
const KEY: [u8; 32] = [0x11; 32];
const TAG: Tag = Tag([0x22; 16]);
const CLOSED_AT: u64 = 1_782_000_000;

pub(super) fn all() -> Vec<Mistake> {
    [envelopes(), frames(), pages(), work()].into_iter().flatten().collect()
}

/// A 4040-byte plaintext in an envelope, whatever it says (BRD-3).
fn sealed(dice: &mut Dice, plain: &[u8]) -> Vec<u8> {
    let ad = [b"pvtcoms board v1 envelope".as_slice(), &MAILBOX, &TAG.0].concat();
    [&TAG.0[..], &EnvelopeKey::copy_of(&KEY).seal(dice, &ad, plain)].concat()
}

fn envelopes() -> Vec<Mistake> {
    let dice = &mut Dice::noting(7);
    let key = EnvelopeKey::copy_of(&KEY);
    let body = Zeroizing::new(b"body".to_vec());
    let parcel =
        Parcel { kind: Kind::Message, part: 0, parts: 1, ack: None, floor: 0, mid: [9; 16], body };
    let good = *seal(dice, &key, TAG, &MAILBOX, &parcel).unwrap().as_bytes();
    let ad = [b"pvtcoms board v1 envelope".as_slice(), &MAILBOX, &TAG.0].concat();
    let plain = key.open(&ad, &good[16..]).unwrap().to_vec();
    assert!(
        open(
            &key,
            &MAILBOX,
            &Envelope::from_bytes(sealed(dice, &plain).as_slice().try_into().unwrap())
        )
        .is_ok()
    );

    let with = json!({ "key": hex(&KEY), "mailbox": hex(&MAILBOX) });
    let case = |name, rule, says, bad: &[u8]| Mistake {
        name,
        rule,
        says,
        call: "board open",
        with: with.clone(),
        good: input(&good),
        bad: input(bad),
        expect: "OpenError",
    };
    let mut inside = |at: usize, value: u8| sealed(dice, &set(&plain, at, value));
    let (version, kind, kind_0) = (inside(0, 2), inside(1, 7), inside(1, 0));
    let (part, parts, length, padding) =
        (inside(2, 1), inside(3, 2), inside(4, 0x10), inside(44, 1));
    let other = |name, rule, says, good: Value, bad: Value| Mistake {
        with: json!({ "key": hex(&KEY), "bytes": hex(&sealed(&mut Dice::noting(1), &plain)) }),
        good,
        bad,
        ..case(name, rule, says, &plain)
    };
    let mailbox = |mailbox: &[u8; 32]| json!({ "mailbox": hex(mailbox) });

    let dice = &mut Dice::noting(8);
    let mut in_parts = |mid: u8, kind: Kind, length: usize| -> Vec<Value> {
        let parcels = split_handshake([mid; 16], kind, &vec![mid; length]).unwrap();
        parcels
            .iter()
            .map(|p| hex(seal(dice, &key, TAG, &MAILBOX, p).unwrap().as_bytes()))
            .collect()
    };
    let (whole, others) = (in_parts(1, Kind::Handshake, 4001), in_parts(2, Kind::Handshake, 4001));
    let mut short = plain.clone();
    // A handshake part that is the first of two and holds 4 bytes.
    short[1..4].copy_from_slice(&[2, 0, 2]);
    let short = hex(&sealed(dice, &short));
    let join = |name, says, bad: [&Value; 2]| Mistake {
        name,
        rule: "BRD-6",
        says,
        call: "board join",
        with: with.clone(),
        good: json!({ "envelopes": [whole[0], whole[1]] }),
        bad: json!({ "envelopes": bad }),
        expect: "JoinError",
    };
    let day = |day: u32| json!({ "day": day });
    vec![
        case("envelope-flipped", "BRD-3", "a bit of the ciphertext is flipped", &flip(&good, 40)),
        case(
            "envelope-other-tag",
            "BRD-3",
            "the envelope was moved to another tag",
            &flip(&good, 0),
        ),
        other(
            "envelope-other-mailbox",
            "BRD-3",
            "the envelope was copied to another mailbox",
            mailbox(&MAILBOX),
            mailbox(&[0x3b; 32]),
        ),
        case("parcel-version", "BRD-4", "version 2", &version),
        case("parcel-kind", "BRD-4", "a kind that does not exist", &kind),
        case("parcel-kind-0", "BRD-4", "kind 0", &kind_0),
        case("parcel-part", "BRD-7", "part 1 of 1", &part),
        case("parcel-parts", "BRD-7", "a ratchet message in two parts", &parts),
        case("parcel-length", "BRD-7", "the body is said to be longer than 4000 bytes", &length),
        case("parcel-padding", "BRD-7", "a byte after the body is not zero", &padding),
        case(
            "envelope-dummy",
            "BRD-8",
            "4096 random bytes fail like all the others",
            dummy(&mut Dice::noting(9)).as_bytes(),
        ),
        join("parts-of-two", "the second part is of another message", [&whole[0], &others[1]]),
        join("parts-short", "the first of two parts is not full", [&short, &whole[1]]),
        Mistake {
            name: "resync-day",
            rule: "BRD-2",
            says: "a day more than ten years ahead",
            call: "board resync day",
            with: json!({ "sync root": hex(&[1; 32]) }),
            good: day(3660),
            bad: day(3661),
            expect: "NoSuchDay",
        },
    ]
}

fn frames() -> Vec<Mistake> {
    let fetch = Request::Fetch { page: 1, chunk: 2 }.encode();
    let digest = Request::Digest(Window::Day { back: 13 }).encode();
    let request = |name, rule, says, good: &[u8], bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "board request",
        with: json!({}),
        good: input(good),
        bad: input(bad),
        expect,
    };
    let stored = PutAnswer { stored: true, open_page: 7, head: [5; 32] }.encode();
    let answer = |name, says, bad: &[u8], expect| Mistake {
        name,
        rule: "BRD-12",
        says,
        call: "board answer to PUT",
        with: json!({}),
        good: input(&stored),
        bad: input(bad),
        expect,
    };
    vec![
        request(
            "request-version",
            "BRD-16",
            "version 2",
            &fetch,
            &set(&fetch, 0, 2),
            r#"Field("ver")"#,
        ),
        request(
            "request-operation",
            "BRD-16",
            "an operation that does not exist",
            &fetch,
            &set(&fetch, 1, 4),
            r#"Field("op")"#,
        ),
        request(
            "request-reserved",
            "BRD-11",
            "a reserved byte is not zero",
            &fetch,
            &set(&fetch, 63, 1),
            "Reserved",
        ),
        request(
            "request-mode",
            "BRD-11",
            "a mode that does not exist",
            &digest,
            &set(&digest, 2, 4),
            r#"Field("mode")"#,
        ),
        request(
            "request-back",
            "BRD-11",
            "a day before the oldest",
            &digest,
            &set(&digest, 3, 14),
            r#"Field("back")"#,
        ),
        answer(
            "answer-status",
            "a status that does not exist",
            &set(&stored, 1, 3),
            r#"Field("status")"#,
        ),
        answer("answer-reserved", "a reserved byte is not zero", &set(&stored, 63, 1), "Reserved"),
        answer("answer-long", "a byte is left over", &[&stored[..], &[0]].concat(), "Long"),
    ]
}

/// A page of eight random envelopes after `before`.
fn page(dice: &mut Dice, number: u64, prev: [u8; 32]) -> Page {
    let settings = Settings { interval_s: 10, fill: 8, ttl_h: 720, mailbox: MAILBOX };
    let closed_at = CLOSED_AT + 10 * number;
    let place = Place { page: number, closed_at, oldest: 0, prev, seed: [6; 32], effort: 1 };
    let deposits = vec![dummy(dice)];
    Page::build(&settings, &place, deposits, dice).unwrap()
}

fn pages() -> Vec<Mistake> {
    let dice = &mut Dice::noting(10);
    let first = page(dice, 0, [0; 32]);
    let second = page(dice, 1, first.frame.header.head());
    let good = first.frame.to_bytes();
    let digest = |name, rule, says, bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "board digest",
        with: json!({ "mailbox": hex(&MAILBOX) }),
        good: input(&good),
        bad: input(bad),
        expect,
    };
    let changed = |change: &dyn Fn(&mut DigestFrame)| {
        let mut frame = first.frame.clone();
        change(&mut frame);
        frame.to_bytes()
    };
    let header = |change: &dyn Fn(&mut PageHeader)| changed(&|frame| change(&mut frame.header));
    let both = [&good[..], &second.frame.to_bytes()].concat();
    let mut fork = second.frame.clone();
    fork.header.prev = [1; 32];
    let fork = [&good[..], &fork.to_bytes()].concat();

    let fetched = first.answer(0).unwrap().encode();
    let fetch = |name, rule, says, bad: &[u8], expect| Mistake {
        name,
        rule,
        says,
        call: "board answer to FETCH",
        with: json!({ "header": hex(&first.frame.header.to_bytes()), "page": 0, "chunk": 0 }),
        good: input(&fetched),
        bad: input(bad),
        expect,
    };
    let now = |now: u64| json!({ "now": now });
    vec![
        digest(
            "header-version",
            "BRD-13",
            "version 2",
            &set(&good, 0, 2),
            r#"Malformed(Field("ver"))"#,
        ),
        digest(
            "header-reserved",
            "BRD-13",
            "a reserved byte is not zero",
            &set(&good, 255, 1),
            "Malformed(Reserved)",
        ),
        digest(
            "header-count",
            "BRD-14",
            "nine envelopes",
            &set(&good, 43, 9),
            r#"Malformed(Field("count"))"#,
        ),
        digest(
            "header-interval",
            "BRD-20",
            "no seconds between two pages",
            &header(&|h| h.interval_s = 0),
            r#"Range("interval_s")"#,
        ),
        digest(
            "header-fill",
            "BRD-20",
            "a page that is not empty holds less than `fill`",
            &header(&|h| h.fill = 16),
            r#"Range("count")"#,
        ),
        digest(
            "header-effort",
            "BRD-23",
            "effort 0",
            &header(&|h| h.effort = 0),
            r#"Range("effort")"#,
        ),
        digest(
            "header-ttl",
            "BRD-37",
            "pages are kept for 23 hours",
            &header(&|h| h.ttl_h = 23),
            r#"Range("ttl_h")"#,
        ),
        digest(
            "header-epoch",
            "BRD-37",
            "the epoch is not that of the close",
            &header(&|h| h.epoch += 1),
            r#"Range("epoch")"#,
        ),
        digest(
            "header-oldest",
            "BRD-37",
            "the oldest page is later than this one",
            &header(&|h| h.oldest = 1),
            r#"Range("oldest")"#,
        ),
        digest(
            "header-mailbox",
            "BRD-37",
            "the page is another mailbox's",
            &header(&|h| h.mailbox = [1; 32]),
            "WrongMailbox",
        ),
        digest(
            "digest-unsorted",
            "BRD-21",
            "the tags are not in order",
            &changed(&|f| f.prefixes.reverse()),
            "Unsorted",
        ),
        digest(
            "digest-tags",
            "BRD-37",
            "a tag is not one that the header speaks of",
            &changed(&|f| f.prefixes[7] = [0xff; 8]),
            "TagsHash",
        ),
        digest(
            "digest-cut",
            "BRD-12",
            "the answer ends inside a frame",
            &good[..good.len() - 1],
            "Incomplete",
        ),
        Mistake {
            good: input(&both),
            ..digest(
                "digest-fork",
                "BRD-37",
                "the second page does not follow the first",
                &fork,
                "Fork",
            )
        },
        Mistake {
            name: "header-clock",
            rule: "BRD-37",
            says: "a fresh page was closed more than ten minutes from now",
            call: "board fresh header",
            with: input(&first.frame.header.to_bytes()),
            good: now(CLOSED_AT + 600),
            bad: now(CLOSED_AT + 601),
            expect: "Clock",
        },
        fetch(
            "fetch-not-in-page",
            "BRD-14",
            "an envelope is not the page's",
            &flip(&fetched, 33_279),
            "NotInPage",
        ),
        fetch(
            "fetch-reserved",
            "BRD-12",
            "a reserved byte is not zero",
            &set(&fetched, 63, 1),
            "Reserved",
        ),
        fetch(
            "fetch-depth",
            "BRD-12",
            "a path longer than fourteen",
            &set(&fetched, 1, 15),
            r#"Field("depth")"#,
        ),
        fetch(
            "fetch-other-chunk",
            "BRD-14",
            "the answer is for another chunk",
            &set(&fetched, 3, 1),
            "OtherChunk",
        ),
    ]
}

fn work() -> Vec<Mistake> {
    let dice = &mut Dice::noting(11);
    let (seed, envelope) = ([6; 32], dummy(dice));
    let nonces = || {
        let mut nonce = [0; 16];
        dice.fill_bytes(&mut nonce);
        nonce
    };
    let (nonce, solution) = pow::solve(&seed, &MAILBOX, &envelope, 1, nonces).unwrap();
    let all = [
        ("seed", &seed[..]),
        ("mailbox", &MAILBOX),
        ("envelope", envelope.as_bytes()),
        ("nonce", &nonce),
        ("solution", &solution),
    ];
    let mistake = |name, says, but: &str, bad: Vec<u8>| {
        let mut with = json!({ "effort": 1 });
        let mut good = Value::Null;
        for (field, bytes) in all {
            if field == but {
                good = json!({ field: hex(bytes) });
            } else {
                with[field] = hex(bytes);
            }
        }
        let bad = json!({ but: hex(&bad) });
        Mistake {
            name,
            rule: "BRD-15",
            says,
            call: "board proof of work",
            with,
            good,
            bad,
            expect: "not paid",
        }
    };
    vec![
        mistake(
            "work-solution",
            "a bit of the solution is flipped",
            "solution",
            flip(&solution, 0),
        ),
        mistake("work-mailbox", "the work was done for another mailbox", "mailbox", vec![0x3b; 32]),
        mistake("work-seed", "the work was done for the seed of another hour", "seed", vec![7; 32]),
    ]
}
