#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const FAR: u32 = 128;

/// A conversation in which what arrives is acknowledged at once, and what is lost arrives with the
/// rest of its message later.
struct Talk {
    /// Parts of each message.
    sizes: Vec<u32>,
    ahead: Ahead,
    /// The message that is said next, and its parts that were said.
    next: (usize, u32),
    /// Parts that have not arrived, by message.
    missing: BTreeMap<usize, u32>,
    /// What the reader holds of the messages whose turn has not come.
    held: BTreeMap<usize, u32>,
    /// The number of the next message that the reader shows.
    shown: usize,
}

impl Talk {
    fn new(sizes: Vec<u32>) -> Self {
        let (missing, held) = (BTreeMap::new(), BTreeMap::new());
        Self { sizes, ahead: Ahead::default(), next: (0, 0), missing, held, shown: 0 }
    }

    fn lowest(&self) -> u32 {
        let unsaid = self.next.0;
        let lowest = self.missing.keys().next().map_or(unsaid, |lost| unsaid.min(*lost));
        u32::try_from(lowest).unwrap()
    }

    /// Says the next part, if the rule allows it. `lost`: it does not arrive.
    fn say(&mut self, lost: bool, rule: impl Fn(&Ahead, u32, u32) -> bool) {
        let (message, part) = self.next;
        let (number, lowest) = (u32::try_from(message).unwrap(), self.lowest());
        if message >= self.sizes.len() || !rule(&self.ahead, number, lowest) {
            return;
        }
        self.ahead.said(number, lowest);
        self.next =
            if part + 1 < self.sizes[message] { (message, part + 1) } else { (message + 1, 0) };
        if lost {
            *self.missing.entry(message).or_default() += 1;
        } else {
            *self.held.entry(message).or_default() += 1;
        }
        self.show();
    }

    /// All of a message that was lost arrives.
    fn mend(&mut self) {
        if let Some((message, parts)) = self.missing.pop_first() {
            *self.held.entry(message).or_default() += parts;
            self.show();
        }
    }

    fn show(&mut self) {
        while self.held.get(&self.shown).is_some_and(|held| *held == self.sizes[self.shown]) {
            self.held.remove(&self.shown);
            self.shown += 1;
        }
    }

    /// Parts and whole messages that wait.
    fn waiting(&self) -> (usize, usize) {
        let parts: u32 = self.held.values().sum();
        let whole = self.held.iter().filter(|(message, held)| **held == self.sizes[**message]);
        (usize::try_from(parts).unwrap(), whole.count())
    }

    /// The most that ever wait: parts, whole messages. What is said comes to its end.
    fn run(
        &mut self,
        steps: &[(u8, bool)],
        rule: impl Fn(&Ahead, u32, u32) -> bool,
    ) -> (usize, usize) {
        let mut most = (0, 0);
        for (parts, lost) in steps {
            if *parts == 0 {
                self.mend();
            }
            for k in 0..*parts {
                self.say(*lost && k == 0, &rule);
                let (parts, whole) = self.waiting();
                most = (most.0.max(parts), most.1.max(whole));
            }
        }
        for _ in 0..10_000 {
            self.say(false, &rule);
            self.mend();
        }
        assert_eq!(self.shown, self.sizes.len(), "everything is said in the end");
        most
    }
}

proptest! {
    #[test]
    fn eng_2_no_more_waits_at_a_reader_than_it_keeps(
        sizes in proptest::collection::vec(prop_oneof![1_u32..3, 1_u32..=165], 1..60),
        steps in proptest::collection::vec((0_u8..=200, proptest::bool::weighted(0.3)), 1..60),
    ) {
        let (parts, whole) = Talk::new(sizes).run(&steps, |a, next, lowest| a.may_say(next, lowest));
        prop_assert!(parts <= WAITING_PARTS, "{parts} parts wait");
        prop_assert!(whole < WHOLE, "{whole} messages wait");
    }
}

/// One message is lost for long, and six of the greatest length follow.
#[test]
fn eng_2_without_the_bound_on_parts_more_would_wait() {
    let sizes = [vec![1], vec![165; 6]].concat();
    let steps = [vec![(1, true)], vec![(200, false); 5]].concat();
    let ruled = Talk::new(sizes.clone()).run(&steps, |a, next, lowest| a.may_say(next, lowest));
    assert_eq!(ruled.0, 474, "one of the 475 is the one that was lost");
    let by_number = |_: &Ahead, next: u32, lowest: u32| next - lowest < FAR;
    let (parts, _) = Talk::new(sizes).run(&steps, by_number);
    assert_eq!(parts, 990, "control");
}

/// What was said goes out once more in the session that takes the place of a lost one, and the reader
/// still holds what had arrived before.
#[test]
fn eng_2_what_is_said_again_makes_no_room() {
    let mut ahead = Ahead::default();
    for number in 0..FAR {
        (0..3).for_each(|_| ahead.said(number, 0));
    }
    assert!(ahead.may_say(FAR - 1, 0));
    (0..100).for_each(|_| ahead.said(0, 0));
    assert!(ahead.may_say(0, 0), "the oldest always");
    assert!(!ahead.may_say(1, 0));
    assert!(ahead.may_say(FAR, FAR));
    ahead.said(FAR, FAR);
    assert!(ahead.may_say(FAR + 1, FAR), "all that was said has arrived");
}

#[test]
fn eng_2_what_was_said_is_kept_in_the_row() {
    let mut ahead = Ahead::default();
    (0..3).for_each(|number| ahead.said(number, 0));
    let mut w = Writer::with_capacity(8);
    ahead.put(&mut w);
    let row = w.into_vec();
    let mut r = Reader::new(&row);
    assert_eq!(Ahead::get(&mut r), Ok(ahead));
    r.finish().unwrap();
}
