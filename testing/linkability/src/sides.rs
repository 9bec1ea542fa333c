//! Two worlds that differ in nothing but what is said: T0, exact, and T2, by statistics.

use crate::controls::{NoCover, RetryAtOnce};
use crate::exact::difference;
use crate::index::Index;
use crate::people::Dice;
use crate::transcript::{Asked, Log};
use crate::world::{Presence, Setup, Workload, live};
use simnet::{MINUTE, Shaper};

/// A defence that T0 must miss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// None: nothing may differ.
    Nothing,
    /// Cover deposits do not leave.
    Cover,
    /// What failed and is waited for leaves again at once.
    Patience,
}

impl Missing {
    fn shaper(self) -> Option<Box<dyn Shaper>> {
        match self {
            Self::Nothing => None,
            Self::Cover => Some(Box::new(NoCover)),
            Self::Patience => Some(Box::new(RetryAtOnce)),
        }
    }
}

/// T0, with mailboxes that fail: the first operation in which a silent and a busy hour differ, if any does.
#[must_use]
pub fn coupling(clients: usize, seed: u64, missing: Missing) -> Option<String> {
    let run = |workload| {
        let setup = Setup { workload, garbage: 80, retry: 150, ..Setup::new(clients, 1, seed) };
        live(&setup, Presence::default(), missing.shaper()).log
    };
    difference(&run(Workload::Idle), &run(Workload::Usual))
}

/// What T2 gives.
#[derive(Debug, Clone, Copy)]
pub struct Sides {
    /// Share of runs that were told right by what was learnt from the others.
    pub accuracy: f64,
    /// The 99 % quantile of the same under permuted labels.
    pub limit: f64,
    /// Runs of each side.
    pub runs: usize,
}

/// T2: `runs` runs of each of two workloads that are equal but for whom people talk to; a
/// classifier over aggregates, leaving one out.
#[must_use]
pub fn left_right(clients: usize, runs: usize, seed: u64) -> Sides {
    let mut rows = Vec::new();
    for at in 0..2 * runs {
        let side = at % 2 == 1;
        let workload = if side { Workload::Right } else { Workload::Left };
        let seed = seed * 1000 + u64::try_from(at).unwrap();
        let setup = Setup { workload, ..Setup::new(clients, 1, seed) };
        rows.push((aggregates(&live(&setup, Presence::default(), None).log), side));
    }
    let accuracy = leave_one_out(&rows);
    let mut dice = Dice::new(seed);
    let mut permuted: Vec<f64> = (0..1000)
        .map(|_| {
            let mut sides: Vec<bool> = rows.iter().map(|(_, side)| *side).collect();
            dice.shuffle(&mut sides);
            let rows: Vec<_> =
                rows.iter().zip(sides).map(|((row, _), side)| (row.clone(), side)).collect();
            leave_one_out(&rows)
        })
        .collect();
    permuted.sort_by(f64::total_cmp);
    Sides { accuracy, limit: permuted[989], runs }
}

/// What a run adds up to.
fn aggregates(log: &Log) -> Vec<f64> {
    let index = Index::new(log);
    let (mut puts, mut reads, mut digests, mut ages, mut fresh) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let mut again = 0.0;
    for op in log.operations.iter().filter(|op| op.accept >= log.from) {
        match op.asked {
            Asked::Put { .. } => puts += 1.0,
            Asked::Fetch { .. } => {
                let age = index.age(op).unwrap_or(0);
                reads += 1.0;
                ages += (age as f64 + 1000.0).ln();
                fresh += f64::from(u8::from(age < 2 * MINUTE));
                again += index.fetches(index.chunk(op)).len() as f64;
            }
            Asked::Digest(_) => digests += 1.0,
        }
    }
    let reads = f64::max(reads, 1.0);
    vec![puts, reads, digests, ages / reads, fresh / reads, again / reads]
}

/// The share that the nearer of two means tells right, in standardised coordinates.
fn leave_one_out(rows: &[(Vec<f64>, bool)]) -> f64 {
    let width = rows[0].0.len();
    let right = (0..rows.len()).filter(|out| {
        let others: Vec<&(Vec<f64>, bool)> =
            rows.iter().enumerate().filter(|(at, _)| at != out).map(|(_, row)| row).collect();
        let mut score = 0.0;
        for k in 0..width {
            let mean = |side: bool| {
                let of: Vec<f64> =
                    others.iter().filter(|(_, s)| *s == side).map(|(row, _)| row[k]).collect();
                of.iter().sum::<f64>() / of.len() as f64
            };
            let (left, right) = (mean(false), mean(true));
            let spread = others
                .iter()
                .map(|(row, side)| (row[k] - if *side { right } else { left }).powi(2))
                .sum::<f64>()
                / others.len() as f64;
            let x = rows[*out].0[k];
            score += ((x - left).powi(2) - (x - right).powi(2)) / (spread + 1e-12);
        }
        (score > 0.0) == rows[*out].1
    });
    right.count() as f64 / rows.len() as f64
}
