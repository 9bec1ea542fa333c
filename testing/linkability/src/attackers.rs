//! Attackers: each learns on one half of the clients and is asked about the other.

mod logistic;
mod stumps;
mod trees;

use crate::games::Case;
use crate::people::Dice;
use std::collections::BTreeMap;

/// Who is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attacker {
    /// A logistic model over standardised features.
    Logistic,
    /// Links what shares a circuit, an identifier, or the moment of its end. Learns nothing.
    UnionFind,
    /// Boosted stumps.
    Stumps,
    /// Gradient-boosted trees of depth four, given the raw features.
    Trees,
}

impl Attacker {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Logistic, Self::UnionFind, Self::Stumps, Self::Trees];

    /// What it is called in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Logistic => "logistic",
            Self::UnionFind => "union-find",
            Self::Stumps => "stumps",
            Self::Trees => "trees",
        }
    }
}

/// Most cases that an attacker learns from.
const LEARNT: usize = 6000;
/// Resamplings of clients for an interval.
const RESAMPLED: usize = 1000;

/// Right and wrong guesses about one client.
#[derive(Debug, Clone, Copy, Default)]
struct Cluster {
    hits: f64,
    yes: f64,
    alarms: f64,
    no: f64,
}

/// What an attacker achieved, over one run or several.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    clusters: Vec<Cluster>,
    /// Area under the curve and weight, of each half of each run.
    areas: Vec<(f64, f64)>,
}

/// An advantage, TPR − FPR, with its interval.
#[derive(Debug, Clone, Copy)]
pub struct Advantage {
    /// The figure itself.
    pub value: f64,
    /// 2.5 % of resamplings lie below.
    pub low: f64,
    /// 2.5 % lie above.
    pub high: f64,
}

impl Outcome {
    /// Adds another run.
    pub fn add(&mut self, other: &Self) {
        self.clusters.extend(&other.clusters);
        self.areas.extend(&other.areas);
    }

    /// How many cases it was asked about.
    #[must_use]
    pub fn cases(&self) -> usize {
        self.clusters.iter().map(|c| c.yes + c.no).sum::<f64>() as usize
    }

    /// The area under the curve; 0.5 is a coin.
    #[must_use]
    pub fn area(&self) -> f64 {
        let weight: f64 = self.areas.iter().map(|(_, w)| w).sum();
        if weight == 0.0 {
            return 0.5;
        }
        self.areas.iter().map(|(area, w)| area * w).sum::<f64>() / weight
    }

    /// The standard error of [`Self::area`] for somebody who guesses.
    #[must_use]
    pub fn area_error(&self) -> f64 {
        let half = (self.cases() as f64 / 2.0).max(1.0);
        (2.0 / half / 12.0).sqrt()
    }

    /// The advantage, with an interval from resampled clients.
    #[must_use]
    pub fn advantage(&self) -> Advantage {
        let of = |sum: Cluster| sum.hits / sum.yes.max(1.0) - sum.alarms / sum.no.max(1.0);
        let add = |mut sum: Cluster, one: &Cluster| {
            sum.hits += one.hits;
            sum.yes += one.yes;
            sum.alarms += one.alarms;
            sum.no += one.no;
            sum
        };
        let value = of(self.clusters.iter().fold(Cluster::default(), add));
        let mut dice = Dice::new(7);
        let n = self.clusters.len();
        let mut drawn: Vec<f64> = (0..RESAMPLED)
            .map(|_| {
                let mut sum = Cluster::default();
                for _ in 0..n {
                    sum = add(sum, &self.clusters[dice.below(n)]);
                }
                of(sum)
            })
            .collect();
        drawn.sort_by(f64::total_cmp);
        Advantage { value, low: drawn[RESAMPLED / 40], high: drawn[RESAMPLED - 1 - RESAMPLED / 40] }
    }
}

/// Lets an attacker learn and asks it.
#[must_use]
pub fn ask(attacker: Attacker, cases: &[Case]) -> Outcome {
    let mut outcome = Outcome::default();
    let mut clusters: BTreeMap<usize, Cluster> = BTreeMap::new();
    for half in [false, true] {
        let (learnt, asked): (Vec<&Case>, Vec<&Case>) = cases.iter().partition(|c| c.half == half);
        if learnt.len() < 20 || asked.is_empty() {
            continue;
        }
        let learnt = &learnt[..learnt.len().min(LEARNT)];
        let (known, scores) = scores(attacker, learnt, &asked);
        let limit = threshold(learnt, &known);
        for (case, score) in asked.iter().zip(&scores) {
            let cluster = clusters.entry(case.anchor).or_default();
            let says = f64::from(u8::from(*score > limit));
            if case.yes {
                cluster.yes += 1.0;
                cluster.hits += says;
            } else {
                cluster.no += 1.0;
                cluster.alarms += says;
            }
        }
        outcome.areas.push((area(&asked, &scores), asked.len() as f64));
    }
    outcome.clusters = clusters.into_values().collect();
    outcome
}

/// Scores of what was learnt from, and of what is asked.
fn scores(attacker: Attacker, learnt: &[&Case], asked: &[&Case]) -> (Vec<f64>, Vec<f64>) {
    let rows = |cases: &[&Case]| -> Vec<Vec<f64>> {
        cases.iter().map(|case| case.features.clone()).collect()
    };
    let answers: Vec<f64> = learnt.iter().map(|case| f64::from(u8::from(case.yes))).collect();
    let (rows, others) = (rows(learnt), rows(asked));
    match attacker {
        Attacker::UnionFind => {
            let of =
                |cases: &[&Case]| cases.iter().map(|c| f64::from(u8::from(c.linked))).collect();
            (of(learnt), of(asked))
        }
        Attacker::Logistic => {
            let model = logistic::learn(&rows, &answers);
            let of = |rows: &[Vec<f64>]| rows.iter().map(|row| model.score(row)).collect();
            (of(&rows), of(&others))
        }
        Attacker::Stumps => {
            let model = stumps::learn(&rows, &answers);
            let of = |rows: &[Vec<f64>]| rows.iter().map(|row| model.score(row)).collect();
            (of(&rows), of(&others))
        }
        Attacker::Trees => trees::scores(&rows, &answers, &others),
    }
}

/// The threshold that is best for what was learnt from.
fn threshold(cases: &[&Case], scores: &[f64]) -> f64 {
    let mut order: Vec<(f64, bool)> =
        scores.iter().zip(cases).map(|(score, case)| (*score, case.yes)).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut best, mut limit, mut gain) = (0.0, f64::INFINITY, 0.0);
    for (at, (score, yes)) in order.iter().enumerate() {
        gain += if *yes { 1.0 } else { -1.0 };
        let next = order.get(at + 1).map_or(f64::NEG_INFINITY, |(next, _)| *next);
        if next < *score && gain > best {
            (best, limit) =
                (gain, if next.is_finite() { f64::midpoint(next, *score) } else { *score - 1.0 });
        }
    }
    limit
}

/// The share of pairs of a yes and a no that are in the right order; ties count half.
fn area(cases: &[&Case], scores: &[f64]) -> f64 {
    let mut order: Vec<(f64, bool)> =
        scores.iter().zip(cases).map(|(score, case)| (*score, case.yes)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won, mut yes_all, mut at) = (0.0, 0.0, 0.0, 0);
    while at < order.len() {
        let tied = order[at..].iter().take_while(|(score, _)| *score == order[at].0).count();
        let yes = order[at..at + tied].iter().filter(|(_, yes)| *yes).count() as f64;
        let no = tied as f64 - yes;
        won += yes * (below + no / 2.0);
        below += no;
        yes_all += yes;
        at += tied;
    }
    if yes_all * below == 0.0 { 0.5 } else { won / (yes_all * below) }
}
