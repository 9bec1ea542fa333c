//! Many lives, on all processors, each from a seed of its own.

use crate::life::live;
use crate::model::Finding;
use crate::plan::Plan;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What happened, counted: a run in which nothing goes wrong shows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lives lived to their end.
    pub lives: u64,
    /// Messages said.
    pub messages: u64,
    /// Things that went wrong.
    pub faults: u64,
    /// Days of virtual time.
    pub days: u64,
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
    pub(crate) fn count(&mut self, kind: &'static str, times: u64) {
        *self.kinds.entry(kind).or_default() += times;
    }

    /// Counts a finding where it belongs.
    pub const fn finding(&mut self, finding: &Finding) {
        let count = match finding {
            Finding::Lost(_) | Finding::Forgotten(_) => &mut self.lost,
            Finding::Duplicated(_) => &mut self.duplicated,
            Finding::Reordered(_) => &mut self.reordered,
            _ => &mut self.other,
        };
        *count += 1;
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        self.lives += other.lives;
        self.messages += other.messages;
        self.faults += other.faults;
        self.days += other.days;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.other += other.other;
        for (kind, times) in &other.kinds {
            self.count(kind, *times);
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lives, messages, faults, lost, duplicated, reordered, .. } = self;
        write!(
            f,
            "soak: messages={messages} lost={lost} duplicated={duplicated} reordered={reordered} \
             faults={faults} seeds={lives}"
        )
    }
}

/// A life in which something was wrong.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Its number in the run.
    pub life: u64,
    /// What was wrong.
    pub findings: Vec<Finding>,
}

/// Messages in one life; the last life of a run has the rest.
pub const A_LIFE: u64 = 300;

/// The plan of one life of a run.
#[must_use]
pub fn plan(seed: u64, life: u64, messages: u64) -> Plan {
    let rest = messages.saturating_sub(life * A_LIFE).min(A_LIFE);
    // Any injective mixture will do; the dice hash it.
    let mixed = seed.rotate_left(32) ^ life.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    Plan::draw(mixed, usize::try_from(rest).unwrap())
}

/// Lives until `messages` have been said, on `threads` threads, or until `stop` is set; `progress` is
/// told after each life. The same seed gives the same lives, however many threads there are.
pub fn soak(
    seed: u64,
    messages: u64,
    threads: usize,
    stop: &AtomicBool,
    progress: impl Fn(&Tally) + Sync,
) -> (Tally, Vec<Outcome>) {
    let lives = messages.div_ceil(A_LIFE);
    let next = AtomicU64::new(0);
    let sum = Mutex::new((Tally::default(), Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let life = next.fetch_add(1, Ordering::Relaxed);
                    if life >= lives || stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let (tally, findings) = live(&plan(seed, life, messages), None);
                    let mut sum = sum.lock().unwrap();
                    sum.0.add(&tally);
                    if !findings.is_empty() {
                        sum.1.push(Outcome { life, findings });
                    }
                    progress(&sum.0);
                }
            });
        }
    });
    sum.into_inner().unwrap()
}
