use crate::Difference;
use std::collections::BTreeMap;
use std::fmt;

/// What happened, counted: a run in which nothing goes wrong shows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Seeds that were lived through to their end: lives of the simulator, runs of the real programs.
    pub seeds: u64,
    /// Messages said.
    pub messages: u64,
    /// Things that went wrong.
    pub faults: u64,
    /// Messages that never came, or are gone from the sender's own history.
    pub lost: u64,
    /// Messages seen twice.
    pub duplicated: u64,
    /// Messages seen after a later one of the same sender.
    pub reordered: u64,
    /// Every other difference between what is seen and what must be.
    pub other: u64,
    /// Things that happened, by name.
    pub kinds: BTreeMap<&'static str, u64>,
}

impl Tally {
    /// Counts something that happened so many times.
    pub fn count(&mut self, kind: &'static str, times: u64) {
        let count = self.kinds.entry(kind).or_default();
        *count = count.saturating_add(times);
    }

    /// Counts a difference where it belongs.
    pub const fn difference(&mut self, difference: Difference) {
        let count = match difference {
            Difference::Lost(_) => &mut self.lost,
            Difference::Duplicated(_) => &mut self.duplicated,
            Difference::Reordered(_) => &mut self.reordered,
            Difference::Altered(_) | Difference::Stranger => &mut self.other,
        };
        *count = count.saturating_add(1);
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        let Self { seeds, messages, faults, lost, duplicated, reordered, other: more, kinds } =
            other;
        for (count, add) in [
            (&mut self.seeds, seeds),
            (&mut self.messages, messages),
            (&mut self.faults, faults),
            (&mut self.lost, lost),
            (&mut self.duplicated, duplicated),
            (&mut self.reordered, reordered),
            (&mut self.other, more),
        ] {
            *count = count.saturating_add(*add);
        }
        for (kind, times) in kinds {
            self.count(kind, *times);
        }
    }

    /// How many differences there are.
    #[must_use]
    pub const fn differences(&self) -> u64 {
        let Self { lost, duplicated, reordered, other, .. } = self;
        lost.saturating_add(*duplicated).saturating_add(*reordered).saturating_add(*other)
    }

    /// What happened, by name: `killed: 3, power cut: 1`.
    #[must_use]
    pub fn happened(&self) -> String {
        let kinds = self.kinds.iter().map(|(kind, times)| format!("{kind}: {times}"));
        kinds.collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seeds, messages, faults, lost, duplicated, reordered, .. } = self;
        write!(
            f,
            "soak: messages={messages} lost={lost} duplicated={duplicated} reordered={reordered} \
             faults={faults} seeds={seeds}"
        )
    }
}
