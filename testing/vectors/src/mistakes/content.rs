//! Mistakes against `content.md`.

use super::{Mistake, input, set};
use crate::hexed::hex;
use content::{Content, Timer, TimerSetting, split_text};
use serde_json::{Value, json};

pub(super) fn all() -> Vec<Mistake> {
    let part = |text: &str, index: usize| {
        let parts = split_text([1; 16], 0, 1_800_000_000, Timer::OFF, text).unwrap();
        Content::Part(parts[index].clone()).encode().to_vec()
    };
    let one = part("hello", 0);
    let long = "x".repeat(1600);
    let (first, second) = (part(&long, 0), part(&long, 1));
    let parts = |parts: &[&[u8]]| -> Value {
        json!({ "parts": parts.iter().map(|p| hex(p)).collect::<Vec<_>>() })
    };
    let inbox = |a: u8, b: u8| {
        Content::InboxSet { version: 1, mailboxes: vec![[a; 32], [b; 32]] }.encode().to_vec()
    };
    let day = TimerSetting { counter: 1, timer: Timer::new(86_400).unwrap() };
    let day = Content::Timer(day).encode().to_vec();
    let at = Fields::new();
    let length = |n: usize| json!({ "length": n });
    let simple = |name, rule, says, call, good: Value, bad: Value, expect| Mistake {
        name,
        rule,
        says,
        call,
        with: json!({}),
        good,
        bad,
        expect,
    };
    let decode = |name, rule, says, good: &[u8], bad: &[u8], expect| {
        simple(name, rule, says, "content decode", input(good), input(bad), expect)
    };
    let kind = r#"Field("kind")"#;
    let boxes = r#"Field("mailboxes")"#;
    let no_part = r#"Field("part")"#;
    let no_timer = r#"Field("timer")"#;
    let floor = Content::Floor { floor: 7 }.encode().to_vec();
    vec![
        decode("content-kind-0", "CNT-1", "there is no kind 0", &[2], &[0], kind),
        decode("content-receipt-long", "CNT-1", "a receipt has fields", &[2], &[2, 0], "Long"),
        decode(
            "content-inbox-twice",
            "CNT-1",
            "an inbox set names one mailbox twice",
            &inbox(1, 2),
            &inbox(1, 1),
            boxes,
        ),
        decode(
            "content-inbox-empty",
            "CNT-1",
            "an inbox set names no mailbox",
            &inbox(1, 2),
            &[4, 0, 0, 0, 1, 0],
            boxes,
        ),
        decode(
            "floor-zero",
            "CNT-7",
            "a floor is 0",
            &floor,
            &set(&floor, 4, 0),
            r#"Field("floor")"#,
        ),
        decode("floor-short", "CNT-1", "a floor has three bytes", &floor, &floor[..4], "Short"),
        decode(
            "floor-long",
            "CNT-1",
            "something follows a floor",
            &floor,
            &[&floor[..], &[0]].concat(),
            "Long",
        ),
        decode(
            "part-count",
            "CNT-4",
            "two parts are said to be where one is",
            &one,
            &set(&one, at.count + 1, 2),
            no_part,
        ),
        decode(
            "part-index",
            "CNT-4",
            "the index is not below the count",
            &one,
            &set(&one, at.index + 1, 1),
            no_part,
        ),
        decode(
            "part-empty-text",
            "CNT-4",
            "the text has no bytes",
            &one,
            &set(&set(&one[..at.bytes], at.total + 3, 0), at.count + 1, 0),
            no_part,
        ),
        decode(
            "part-too-long",
            "CNT-4",
            "the text is longer than 256 KiB",
            &one,
            &set(&one, at.total, 1),
            no_part,
        ),
        decode(
            "part-short",
            "CNT-4",
            "the part has fewer bytes than its place",
            &one,
            &one[..one.len() - 1],
            "Short",
        ),
        decode(
            "timer-too-short",
            "CNT-8",
            "a timer is shorter than 5 minutes",
            &day,
            &set(&set(&day, 6, 0), 7, 0),
            no_timer,
        ),
        decode(
            "timer-too-long",
            "CNT-8",
            "a timer is longer than 30 days",
            &day,
            &set(&day, 5, 1),
            no_timer,
        ),
        decode(
            "part-timer",
            "CNT-8",
            "a part names a timer of a second",
            &one,
            &set(&one, at.timer + 3, 1),
            no_timer,
        ),
        simple(
            "parts-other-time",
            "CNT-5",
            "the second part names another time than the first",
            "content join",
            parts(&[&first, &second]),
            parts(&[&first, &set(&second, at.sent + 7, 7)]),
            "Inconsistent",
        ),
        simple(
            "parts-other-bytes",
            "CNT-5",
            "the first part comes again with other bytes",
            "content join",
            parts(&[&first, &first]),
            parts(&[&first, &set(&first, 100, b'y')]),
            "Inconsistent",
        ),
        simple(
            "parts-no-text",
            "CNT-6",
            "the whole is not UTF-8",
            "content join",
            parts(&[&one]),
            parts(&[&set(&one, at.bytes, 0xff)]),
            "NotUtf8",
        ),
        simple(
            "text-empty",
            "CNT-3",
            "a text has no bytes",
            "content split",
            length(1),
            length(0),
            "Empty",
        ),
        simple(
            "text-too-long",
            "CNT-3",
            "a text has a byte more than 256 KiB",
            "content split",
            length(262_144),
            length(262_145),
            "TooLong",
        ),
    ]
}

/// Where the fields of a part lie (CNT-3), its kind included.
struct Fields {
    index: usize,
    count: usize,
    total: usize,
    sent: usize,
    timer: usize,
    bytes: usize,
}

impl Fields {
    const fn new() -> Self {
        Self { index: 25, count: 27, total: 29, sent: 33, timer: 41, bytes: 45 }
    }
}
