//! Many lives, on all processors, each from a seed of its own.

use crate::life::live;
use crate::model::Finding;
use crate::plan::Plan;
use soak::Tally;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

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
