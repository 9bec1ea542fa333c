//! Performs the steps of a transcript: the crates do the work, the reference shows what lies between.

mod board;
mod pairing;
mod ratchet;
mod rekey;

use crate::dice::Dice;
use crate::hexed::{bytes, hex, number, text};
use crate::reference::Chain;
use ::board::chain::{RecvChain, SendChain};
use ::ratchet::Ratchet;
use crypto::{dh, kem};
use handshake::rekey::Initiated;
use handshake::{AwaitingM3, AwaitingM4, FirstWord, Introduction, Inviter, SessionSecret};
use identity::Identity;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What a step gives, by name.
pub(crate) type Gives = Map<String, Value>;

/// Everybody's state between two steps.
#[derive(Default)]
pub(crate) struct Player {
    people: BTreeMap<String, Identity>,
    sessions: BTreeMap<String, Session>,
    /// What earlier steps gave, by their number.
    given: Vec<Value>,
}

/// One pairing or re-key, and the session that comes of it.
#[derive(Default)]
struct Session {
    inviter: Option<Inviter>,
    awaiting_m3: Option<AwaitingM3>,
    awaiting_m4: Option<AwaitingM4>,
    initiated: Option<Initiated>,
    /// The reference, up to the last message made.
    chain: Option<Chain>,
    /// The reference's copy of `eB`, for step 3.
    e_b: Option<dh::Private>,
    made: BTreeMap<String, Made>,
    ratchets: BTreeMap<String, Ratchet>,
    lines: BTreeMap<String, Line>,
    root: [u8; 32],
    sid: [u8; 32],
    chains: BTreeMap<String, (SendChain, RecvChain)>,
}

/// What a side has when a handshake is done.
struct Made {
    secret: SessionSecret,
    first: FirstWord,
    transcript: [u8; 32],
}

/// The reference's view of one side's ratchet.
struct Line {
    /// The newest public keys, to which the other side steps.
    dh: dh::Public,
    ek: kem::EncapsulationKey,
    /// The sending chain, once there is one.
    ck: [u8; 32],
}

impl Player {
    /// Performs a step and gives its `gives`.
    ///
    /// # Panics
    /// If the step is none, or if crates and reference differ.
    pub(crate) fn perform(&mut self, step: &Value, dice: &mut Dice) -> Value {
        let gives = match text(&step["does"]) {
            "identity" => self.identity(step, dice),
            "rotate" => self.rotate(step, dice),
            "succeed" => self.succeed(step, dice),
            "long check" => self.long_check(step),
            "invite" => self.invite(step, dice),
            "accept" => self.accept(step, dice),
            "receive M2" => self.receive_m2(step, dice),
            "receive M3" => self.receive_m3(step, dice),
            "receive M4" => self.receive_m4(step),
            "R1" => self.rekey_initiate(step, dice),
            "receive R1" => self.rekey_respond(step, dice),
            "receive R2" => self.rekey_finish(step),
            "deposit" => self.deposit(step, dice),
            "session" => self.session(step, dice),
            "encrypt" => self.encrypt(step, dice),
            "decrypt" => self.decrypt(step),
            "post" => self.post(step, dice),
            other => panic!("no such step: {other}"),
        };
        Value::Object(gives)
    }

    /// Notes what the step gave: later steps take their messages from there.
    pub(crate) fn note(&mut self, gives: Value) {
        self.given.push(gives);
    }

    /// The bytes that step `of` gave as `name`.
    fn of(&self, step: &Value, name: &str) -> Vec<u8> {
        bytes(&self.given[number::<usize>(&step["of"])][name])
    }

    /// The session of a step and the identity of who acts in it.
    fn at(&mut self, step: &Value) -> (&mut Session, &Identity) {
        let session = self.sessions.entry(text(&step["session"]).to_owned()).or_default();
        (session, &self.people[text(&step["who"])])
    }
}

fn who(step: &Value) -> String {
    text(&step["who"]).to_owned()
}

fn introduction(step: &Value) -> Introduction {
    let intro = &step["introduction"];
    Introduction {
        inbox: intro["inbox"].as_array().unwrap().iter().map(crate::hexed::array).collect(),
        version: number(&intro["version"]),
        name: text(&intro["name"]).to_owned(),
    }
}

/// A JSON object as what a step gives.
fn gives(value: Value) -> Gives {
    let Value::Object(map) = value else { panic!("no object: {value}") };
    map
}

/// A refusal as a step's result; the same spelling as in the mistakes.
fn refused(error: &impl std::fmt::Debug) -> Gives {
    gives(json!({ "error": format!("{error:?}") }))
}

/// Whether the reference agrees with the crates.
fn agree(what: &str, crates: &[u8], reference: &[u8]) {
    assert!(crates == reference, "{what}: the crates and the reference differ");
}

/// A digest that stands for a state too long to be shown at every step.
fn state(bytes: &[u8]) -> Value {
    hex(&crypto::hash(&[bytes]))
}
