//! What is looked for: the secrets that the transcript shows.

#![expect(
    deprecated,
    reason = "the format of an expanded key is deprecated; here it is looked for"
)]

use data_encoding::HEXLOWER;
use ml_kem::{DecapsulationKey, ExpandedKeyEncoding, MlKem768};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// What the subject's dice are masked with.
const MASK: u8 = 0x5a;
/// Length of what is looked for: the second half of 32 bytes. The first half of what was freed is
/// where the allocator keeps its own pointers.
pub(crate) const HALF: usize = 16;

/// Somewhere in the secret vector of an expanded ML-KEM key (FIPS 203, algorithm 13: dk = s, 1152
/// bytes); graviola keeps it as it is written there.
const SECRET_VECTOR: usize = 512;

/// Steps whose dice become public: identifiers and nonces.
const PUBLIC_DICE: [&str; 2] = ["deposit", "post"];
/// Dice of a step that its message tells the other side: the nonces of the code (SAS-1).
const TOLD_DICE: [(&str, usize); 2] = [("invite", 3), ("accept", 2)];
/// Secrets among the values that a step gives; 32 bytes, or they begin with 32.
const GIVEN: [&str; 13] = [
    "I",
    "ck0",
    "session secret",
    "ratchet root",
    "board root",
    "sync root",
    "recovery psk",
    "SK[0]",
    "ck",
    "mk",
    "key and nonce",
    "S[n]",
    "key",
];
/// Secrets of a combiner step.
const MIXED: [&str; 5] = ["kem_ss", "x_ss", "prk", "k", "next"];

pub(crate) struct Needles {
    steps: Vec<Value>,
    /// Names by what is looked for.
    names: HashMap<[u8; HALF], String>,
}

impl Needles {
    pub(crate) fn of_the_transcript() -> Self {
        // Asked when the test runs: checkouts share a build directory.
        let package = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        let path = Path::new(&package).join("../../vectors/transcript.json");
        let text = std::fs::read_to_string(path).unwrap();
        let transcript: Value = serde_json::from_str(&text).unwrap();
        let mut needles = Self { steps: Vec::new(), names: HashMap::new() };
        for step in transcript["steps"].as_array().unwrap() {
            needles.note(step);
            needles.steps.push(told(step));
        }
        needles
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The steps as the subject is told them.
    pub(crate) fn steps(&self) -> &[Value] {
        &self.steps
    }

    pub(crate) fn name(&self, bytes: &[u8]) -> Option<&str> {
        self.names.get(bytes).map(String::as_str)
    }

    fn note(&mut self, step: &Value) {
        let does = step["does"].as_str().unwrap();
        let at = format!("step {}, {does}", step["step"]);
        if !PUBLIC_DICE.contains(&does) {
            let dice = bytes(&step["dice"]);
            for (i, part) in dice.chunks_exact(32).enumerate() {
                if !TOLD_DICE.contains(&(does, i)) {
                    self.add(part, format!("{at}: dice {i}"));
                }
            }
            // Wherever two of them are the seed of an ML-KEM key: what it expands to.
            for (i, seed) in dice.windows(64).step_by(32).enumerate() {
                let seed: [u8; 64] = seed.try_into().unwrap();
                let key = DecapsulationKey::<MlKem768>::from_seed(seed.into()).to_expanded_bytes();
                self.add(&key[SECRET_VECTOR..][..32], format!("{at}: expanded key of dice {i}"));
            }
        }
        let gives = &step["gives"];
        for name in GIVEN {
            self.given(&gives[name], format!("{at}: {name}"));
        }
        for envelope in gives["envelopes"].as_array().into_iter().flatten() {
            self.given(&envelope["key"], format!("{at}: key of an envelope"));
        }
        let mixes = gives["mixes"].as_array().into_iter().flatten();
        for mix in mixes.chain([&gives["mix"]]) {
            for name in MIXED {
                self.given(&mix[name], format!("{at}: {name}"));
            }
        }
    }

    fn given(&mut self, value: &Value, name: String) {
        if value.is_string() {
            self.add(&bytes(value)[..32], name);
        }
    }

    fn add(&mut self, secret: &[u8], name: String) {
        self.names.entry(secret[HALF..].try_into().unwrap()).or_insert(name);
    }
}

/// A step without what it gives and without secrets.
fn told(step: &Value) -> Value {
    let mut told = step.as_object().unwrap().clone();
    told.retain(|name, _| !["gives", "I", "uri"].contains(&name.as_str()));
    let masked: Vec<u8> = bytes(&step["dice"]).iter().map(|byte| byte ^ MASK).collect();
    told.insert("dice".to_owned(), json!(HEXLOWER.encode(&masked)));
    Value::Object(told)
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}
