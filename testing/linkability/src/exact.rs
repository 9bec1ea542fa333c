//! What needs no statistics: T0, that nothing which leaves depends on what is said; and T1, the
//! structure of the log.

use crate::transcript::{Asked, Log};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of a PUT, and of the answer to a FETCH (BRD-11, BRD-12).
const SIZES: (usize, usize) = (4160, 33_280);

/// What of an operation must not depend on what is said: when, where, what, how long, for how long.
type Outline = (u64, u64, usize, String);

fn outline(log: &Log) -> impl Iterator<Item = Outline> + '_ {
    log.operations.iter().map(|op| {
        let what = match op.asked {
            Asked::Put { size, stored, .. } => format!("put {size} {stored}"),
            Asked::Fetch { answer, .. } => format!("fetch {answer}"),
            Asked::Digest(window) => format!("{window:?}"),
        };
        (op.accept, op.close, op.mailbox, what)
    })
}

/// T0: the first operation in which an idle and a busy run of one seed differ.
#[must_use]
pub fn difference(idle: &Log, busy: &Log) -> Option<String> {
    let (mut a, mut b) = (outline(idle), outline(busy));
    let mut at = 0_usize;
    loop {
        match (a.next(), b.next()) {
            (None, None) => return None,
            (a, b) if a == b => at += 1,
            (a, b) => return Some(format!("operation {at}: {a:?} and {b:?}")),
        }
    }
}

/// T1: what is wrong with the structure of a log; nothing, if it is as it must be.
#[must_use]
pub fn structure(log: &Log, bytes: &[u64], reused: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut circuits = BTreeSet::new();
    let mut tags: BTreeMap<[u8; 16], usize> = BTreeMap::new();
    for op in &log.operations {
        if !circuits.insert(op.circuit) {
            wrong.push(format!("circuit {} carries a second operation", op.circuit));
        }
        match op.asked {
            Asked::Put { size, .. } if size != SIZES.0 => {
                wrong.push(format!("a put of {size} bytes"))
            }
            Asked::Put { tag, .. } if *tags.entry(tag).or_insert(op.mailbox) != op.mailbox => {
                wrong.push("a tag stands in two mailboxes".to_owned());
            }
            Asked::Fetch { answer, .. } if answer != SIZES.1 => {
                wrong.push(format!("a fetch of {answer} bytes"));
            }
            _ => {}
        }
        if op.mark.is_some() {
            wrong.push("a frame with an identifier".to_owned());
        }
    }
    let unsorted = log.pages.iter().filter(|page| !page.tags.is_sorted()).count();
    if unsorted > 0 {
        wrong.push(format!("{unsorted} pages are not sorted"));
    }
    let drawn = log.pages.iter().flat_map(|page| page.tags.iter().flatten());
    let mut counts = vec![0_u64; 256];
    drawn.for_each(|byte| counts[usize::from(*byte)] += 1);
    for (what, counts) in [("tags", counts.as_slice()), ("envelopes", bytes)] {
        if let Some(sigma) = uneven(counts).filter(|sigma| sigma.abs() > 5.0) {
            wrong.push(format!("bytes of {what} are {sigma:.1} standard deviations from uniform"));
        }
    }
    if reused > 0 {
        wrong.push(format!("{reused} tokens were used twice"));
    }
    wrong
}

/// Chi-squared of byte counts against uniform, in standard deviations.
fn uneven(counts: &[u64]) -> Option<f64> {
    let sum: u64 = counts.iter().sum();
    let mean = sum as f64 / 256.0;
    let enough = counts.len() == 256 && mean > 20.0;
    let squares = counts.iter().map(|n| (*n as f64 - mean).powi(2) / mean).sum::<f64>();
    enough.then(|| (squares - 255.0) / (2.0 * 255.0_f64).sqrt())
}
