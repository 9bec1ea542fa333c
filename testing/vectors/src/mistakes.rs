//! The mistakes: for each rule that refuses something, an input that it refuses and one beside it
//! that it takes.

mod board;
mod content;
mod handshake;
mod identity;
mod primitives;
mod ratchet;
mod rekey;

use crate::hexed::hex;
use crate::judge::judge;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One mistake.
pub(crate) struct Mistake {
    /// File name.
    name: &'static str,
    /// The rule that refuses it.
    rule: &'static str,
    /// What is wrong, in words.
    says: &'static str,
    /// The function that must refuse it.
    call: &'static str,
    /// The part of the input that both share.
    with: Value,
    /// What is taken.
    good: Value,
    /// What is refused.
    bad: Value,
    /// The error's name.
    expect: &'static str,
}

/// All mistakes as files, `mistakes/NAME.json`, and `states.json`, which their `@names` stand for.
///
/// # Panics
/// If the crates judge one otherwise than it is written here.
#[must_use]
pub fn generate() -> BTreeMap<String, Value> {
    let (mut states, in_handshake) = handshake::all();
    let all = [
        primitives::all(),
        identity::all(),
        in_handshake,
        rekey::all(),
        ratchet::all(),
        content::all(),
        board::all(),
    ];
    let mut files = BTreeMap::new();
    for mistake in all.into_iter().flatten() {
        let name = format!("mistakes/{}.json", mistake.name);
        assert!(files.insert(name, mistake.file()).is_none(), "two mistakes {}", mistake.name);
    }
    share(&mut files, &mut states);
    for (name, file) in &files {
        check(file, &states).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
    files.insert(crate::STATES.to_owned(), states);
    files
}

/// Strings from this length on are moved to `states.json` if more than one mistake has them.
const LONG: usize = 1000;

/// Moves long values that several mistakes share to `states.json`, named for where they first stand.
fn share(files: &mut BTreeMap<String, Value>, states: &mut Value) {
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    each_long(files, |_, text| *uses.entry(text.clone()).or_default() += 1);
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    each_long(files, |place, text| {
        if uses[&*text] > 1 {
            let name = names.entry(text.clone()).or_insert_with(|| place.to_owned());
            states[name.as_str()] = Value::String(std::mem::replace(text, format!("@{name}")));
        }
    });
}

/// Calls `f` with each long string of an input, and its place: mistake, part and field.
fn each_long(files: &mut BTreeMap<String, Value>, mut f: impl FnMut(&str, &mut String)) {
    for (name, file) in files {
        let name = name.trim_start_matches("mistakes/").trim_end_matches(".json");
        for part in ["with", "good", "bad"] {
            for (field, value) in file[part].as_object_mut().unwrap() {
                if let Value::String(text) = value
                    && text.len() >= LONG
                {
                    f(&format!("{name}, {part} {field}"), text);
                }
            }
        }
    }
}

impl Mistake {
    fn file(&self) -> Value {
        let Self { name: _, rule, says, call, with, good, bad, expect } = self;
        json!({
            "format": 1, "rule": rule, "mistake": says, "call": call, "with": with, "good": good,
            "bad": bad, "expect": expect,
        })
    }
}

/// Whether a mistake is refused with its error, and its good twin is taken.
///
/// # Errors
/// What happened instead.
///
/// # Panics
/// If the file is no mistake.
pub fn check(file: &Value, states: &Value) -> Result<(), String> {
    assert_eq!(file["format"], 1, "another format");
    let call = crate::hexed::text(&file["call"]);
    let input = |which: &str| {
        let mut input = file["with"].as_object().unwrap().clone();
        input.extend(file[which].as_object().unwrap().clone());
        Value::Object(resolved(input, states))
    };
    if let Err(error) = judge(call, &input("good")) {
        return Err(format!("the good input is refused: {error}"));
    }
    match judge(call, &input("bad")) {
        Ok(()) => Err("the mistake is accepted".to_owned()),
        Err(error) if file["expect"] == *error => Ok(()),
        Err(error) => Err(format!("refused with {error} and not with {}", file["expect"])),
    }
}

/// Puts `states.json`'s value in the place of each `@name`.
fn resolved(mut input: Map<String, Value>, states: &Value) -> Map<String, Value> {
    for value in input.values_mut() {
        if let Some(name) = value.as_str().and_then(|text| text.strip_prefix('@')) {
            assert!(states[name].is_string(), "states.json has no {name}");
            *value = states[name].clone();
        }
    }
    input
}

/// `{"bytes": ..}`.
fn input(bytes: &[u8]) -> Value {
    json!({ "bytes": hex(bytes) })
}

/// The bytes with byte `at` set.
fn set(bytes: &[u8], at: usize, value: u8) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    assert_ne!(bytes[at], value, "nothing changes");
    bytes[at] = value;
    bytes
}

/// The bytes with one bit of byte `at` flipped.
fn flip(bytes: &[u8], at: usize) -> Vec<u8> {
    set(bytes, at, bytes[at] ^ 1)
}
