//! The story that the transcript tells, and its replay.

use crate::dice::Dice;
use crate::hexed::{bytes, hex, text};
use crate::play::Player;
use serde_json::{Value, json};

/// An hour in 2026; days count from it.
pub(crate) const NOW: u32 = 495_000;
const DAY: u32 = NOW / 24;
const MAILBOX: [u8; 32] = [0x3a; 32];

/// In which order the messages of each chain arrive, five to a chain. What is missing is lost; what
/// stands twice is a replay, and refused.
const ARRIVALS: [&[usize]; 10] = [
    &[0, 1, 2, 3, 4],
    &[0, 2, 1, 4, 3],
    &[4, 3, 2, 1, 0],
    &[1, 1, 0, 4],
    &[3],
    &[0, 1, 2, 4, 2],
    &[2, 0, 4, 3, 3],
    &[4, 0],
    &[0, 1, 2, 3, 4, 0],
    &[1, 3, 0, 2, 4],
];

/// Writes the story down, step by step.
struct Writer {
    player: Player,
    dice: Dice,
    steps: Vec<Value>,
}

impl Writer {
    /// Performs a step and notes it; gives its number.
    fn step(&mut self, mut step: Value) -> usize {
        let number = self.steps.len();
        let given = self.player.perform(&step, &mut self.dice);
        step["step"] = number.into();
        step["dice"] = hex(&self.dice.take());
        step["gives"] = given.clone();
        self.player.note(given);
        self.steps.push(step);
        number
    }

    fn given(&self, step: usize, name: &str) -> Value {
        self.steps[step]["gives"][name].clone()
    }

    fn pairing(&mut self, session: &str, inviter: &str, invited: &str) {
        let invite = self.step(json!({
            "does": "invite", "who": inviter, "session": session,
            "mailboxes": [hex(&MAILBOX)], "expiry": NOW + 48,
        }));
        let secret = self.given(invite, "I");
        let deposit = |writer: &mut Self, of: usize, message: &str, d: u8, i: u8| {
            writer.step(json!({
                "does": "deposit", "of": of, "message": message, "d": d, "i": i, "I": secret,
                "mailbox": hex(&MAILBOX),
            }))
        };
        deposit(self, invite, "M1", 1, 0);
        let accept = self.step(json!({
            "does": "accept", "who": invited, "session": session, "of": invite,
            "uri": self.given(invite, "uri"), "introduction": introduction(invited),
            "hours": NOW + 1,
        }));
        deposit(self, accept, "M2", 0, 0);
        let m3 = self.step(json!({
            "does": "receive M2", "who": inviter, "session": session, "of": accept,
            "introduction": introduction(inviter), "hours": NOW + 2,
        }));
        deposit(self, m3, "M3", 1, 1);
        let m4 = self.step(json!({
            "does": "receive M3", "who": invited, "session": session, "of": m3, "hours": NOW + 3,
        }));
        deposit(self, m4, "M4", 0, 2);
        self.step(json!({ "does": "receive M4", "who": inviter, "session": session, "of": m4 }));
        self.step(
            json!({ "does": "session", "who": invited, "session": session, "peer": inviter }),
        );
    }

    /// Chains of five, the invited side first; each arrives as [`ARRIVALS`] says.
    fn talk(&mut self, session: &str, inviter: &str, invited: &str, chains: usize) {
        let mut lost = None;
        for (chain, arrivals) in ARRIVALS.iter().take(chains).enumerate() {
            let (who, peer) = if chain % 2 == 0 { (invited, inviter) } else { (inviter, invited) };
            let sent: Vec<usize> = (0..5)
                .map(|i| {
                    let content = format!("{who}, chain {chain}, message {i}");
                    let of = self.step(json!({
                        "does": "encrypt", "who": who, "session": session, "peer": peer,
                        "content": content,
                    }));
                    self.step(json!({
                        "does": "post", "who": who, "session": session, "peer": peer, "of": of,
                        "mailbox": hex(&MAILBOX),
                    }));
                    of
                })
                .collect();
            let read = |writer: &mut Self, who: &str, of: usize, save: bool| {
                writer.step(json!({
                    "does": "decrypt", "who": who, "session": session, "of": of, "day": DAY,
                    "save": save,
                }))
            };
            for (at, i) in arrivals.iter().enumerate() {
                read(self, peer, sent[*i], at + 1 == arrivals.len());
            }
            // One of chain 3 comes when two chains have gone by.
            match (chain, lost) {
                (3, _) => lost = Some(sent[2]),
                (5, Some(late)) => {
                    read(self, peer, late, true);
                }
                _ => {}
            }
        }
    }
}

fn introduction(name: &str) -> Value {
    json!({ "inbox": [hex(&[7; 32]), hex(&[8; 32])], "version": 1, "name": name })
}

/// The transcript: two people meet, talk, lose their state, and one gets new keys.
#[must_use]
pub fn generate() -> Value {
    let (player, dice) = (Player::default(), Dice::noting(2026));
    let mut w = Writer { player, dice, steps: Vec::new() };
    for who in ["alice", "bob"] {
        w.step(json!({ "does": "identity", "who": who, "hours": NOW }));
    }
    w.pairing("first", "alice", "bob");
    w.step(json!({ "does": "long check", "who": "alice", "peer": "bob" }));
    w.talk("first", "alice", "bob", ARRIVALS.len());

    let r1 = w.step(json!({
        "does": "R1", "who": "alice", "peer": "bob", "session": "renewed", "psk of": "first",
        "introduction": introduction("alice"), "hours": NOW + 24,
    }));
    let r2 = w.step(json!({
        "does": "receive R1", "who": "bob", "peer": "alice", "session": "renewed",
        "psk of": "first", "introduction": introduction("bob"), "hours": NOW + 25, "of": r1,
    }));
    w.step(json!({ "does": "receive R2", "who": "alice", "session": "renewed", "of": r2 }));
    w.step(json!({ "does": "session", "who": "bob", "session": "renewed", "peer": "alice" }));
    w.talk("renewed", "alice", "bob", 1);

    w.step(json!({ "does": "rotate", "who": "bob", "hours": NOW + 720 }));
    w.step(json!({ "does": "identity", "who": "alice's next device", "hours": NOW + 720 }));
    w.step(json!({
        "does": "succeed", "who": "alice", "new": "alice's next device", "hours": NOW + 721,
    }));
    w.pairing("again", "alice's next device", "bob");
    w.talk("again", "alice's next device", "bob", 1);
    json!({ "format": 1, "steps": w.steps })
}

/// Performs every step with its noted dice; gives the number of steps.
///
/// # Errors
/// The first step whose result is not the noted one.
///
/// # Panics
/// If the document is not a transcript, or if a step cannot be performed at all.
pub fn replay(transcript: &Value) -> Result<usize, String> {
    assert_eq!(transcript["format"], 1, "another format");
    let mut player = Player::default();
    let steps = transcript["steps"].as_array().unwrap();
    for (number, step) in steps.iter().enumerate() {
        let mut dice = Dice::noted(bytes(&step["dice"]));
        let given = player.perform(step, &mut dice);
        if given != step["gives"] || dice.has_rest() {
            return Err(format!("step {number}, {}", text(&step["does"])));
        }
        player.note(given);
    }
    Ok(steps.len())
}
