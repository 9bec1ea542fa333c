//! Any order, any loss, any repetition, against a model that knows no cryptography.

use crate::pair::{TODAY, copy, fresh};
use proptest::prelude::*;
use ratchet::{Ciphertext, MAX_OLD_CHAINS};
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Op {
    /// Side 0 (B) or 1 (A) says something.
    Say(usize),
    /// A message to that side arrives: the one at this place of all that were ever sent to it.
    Arrive(usize, prop::sample::Index),
    /// The newest message to that side arrives.
    Newest(usize),
    /// That side is saved and loaded.
    Restart(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0..2_usize).prop_map(Op::Say),
        5 => (0..2_usize, any::<prop::sample::Index>()).prop_map(|(s, i)| Op::Arrive(s, i)),
        3 => (0..2_usize).prop_map(Op::Newest),
        1 => (0..2_usize).prop_map(Op::Restart),
    ]
}

/// One side, as the specification describes it.
#[derive(Default)]
struct Side {
    /// Chain and number of the next message; chains count from 1.
    chain: u32,
    n: u32,
    pn: u32,
    /// The peer has stepped since our last message.
    reply: bool,
    /// The peer's chain that is current, and the number expected.
    theirs: u32,
    next: u32,
    late: BTreeSet<(u32, u32)>,
}

struct Sent {
    chain: u32,
    n: u32,
    pn: u32,
    text: Vec<u8>,
    message: Ciphertext,
}

impl Side {
    /// Number of the message that is sent now.
    fn say(&mut self) -> (u32, u32, u32) {
        if self.reply {
            (self.chain, self.pn, self.n, self.reply) = (self.chain + 1, self.n, 0, false);
        }
        let number = (self.chain, self.n, self.pn);
        self.n += 1;
        number
    }

    /// Whether the message is to be accepted.
    fn hear(&mut self, m: &Sent) -> bool {
        if self.late.remove(&(m.chain, m.n)) {
            return true;
        }
        if m.chain == self.theirs {
            if m.n < self.next {
                return false;
            }
        } else if m.chain == self.theirs + 1 {
            let theirs = self.theirs;
            self.late.extend((self.next..m.pn).map(|n| (theirs, n)));
            (self.theirs, self.next, self.reply) = (m.chain, 0, true);
        } else {
            assert!(m.chain < self.theirs, "no chain can be passed over");
            return false;
        }
        self.late.extend((self.next..m.n).map(|n| (m.chain, n)));
        self.next = m.n + 1;
        let old: BTreeSet<u32> =
            self.late.iter().map(|(c, _)| *c).filter(|c| *c != self.theirs).collect();
        if let Some(oldest) = old.iter().rev().nth(MAX_OLD_CHAINS - 1) {
            self.late.retain(|(c, _)| c >= oldest);
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ratchet_rat_6_rat_7_any_order_agrees_with_the_model(
        ops in prop::collection::vec(op(), 1..160), seed in any::<u64>(),
    ) {
        let p = fresh(seed);
        let mut rng = p.rng;
        let mut real = [p.b, p.a];
        let mut model = [Side { chain: 1, ..Side::default() }, Side::default()];
        let mut wire: [Vec<Sent>; 2] = [Vec::new(), Vec::new()]; // to each side
        for (i, op) in ops.into_iter().enumerate() {
            let (side, at) = match op {
                Op::Say(side) => {
                    prop_assert_eq!(real[side].can_send(), model[side].chain > 0 || model[side].reply);
                    if real[side].can_send() {
                        let text = format!("{i} from {side}").into_bytes();
                        let message = real[side].encrypt(&mut rng, &text).unwrap();
                        let (chain, n, pn) = model[side].say();
                        wire[1 - side].push(Sent { chain, n, pn, text, message });
                    }
                    continue;
                }
                Op::Restart(side) => {
                    real[side] = copy(&real[side]);
                    continue;
                }
                Op::Arrive(side, _) | Op::Newest(side) if wire[side].is_empty() => continue,
                Op::Arrive(side, at) => (side, at.index(wire[side].len())),
                Op::Newest(side) => (side, wire[side].len() - 1),
            };
            let sent = &wire[side][at];
            let before = real[side].to_secret_bytes();
            let got = real[side].decrypt(TODAY, &sent.message);
            if model[side].hear(sent) {
                let got = got.unwrap();
                prop_assert_eq!(got.content(), &sent.text);
            } else {
                prop_assert!(got.is_err());
                prop_assert_eq!(&*before, &*real[side].to_secret_bytes());
            }
        }
    }
}
