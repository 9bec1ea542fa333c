//! What an attacker computes from a log for one question. Times are in seconds, and as logarithms
//! where their scale is what speaks.

use crate::index::Index;
use crate::transcript::Operation;

/// What stands for "never", in seconds.
const NEVER: f64 = 86_400.0;
/// A page this young is read because something in it is wanted, an attacker hopes: milliseconds.
const FRESH: u64 = 120_000;
/// Periods that timers might have, in seconds.
const PERIODS: [f64; 2] = [30.0, 60.0];

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1000.0
}

fn log(seconds: f64) -> f64 {
    (seconds + 0.01).ln()
}

fn yes(so: bool) -> f64 {
    f64::from(u8::from(so))
}

/// The gap from the last of `times` before `at`.
fn since(times: &[u64], at: u64) -> f64 {
    let before = times.partition_point(|t| *t <= at);
    before.checked_sub(1).map_or(NEVER, |last| seconds(at - times[last]))
}

/// The least gap between any of two lists of times.
fn nearest(a: &[u64], b: &[u64]) -> f64 {
    let near = a.iter().map(|x| {
        let at = b.partition_point(|y| y < x);
        let around = [at.checked_sub(1), Some(at)].into_iter().flatten();
        around.filter_map(|k| b.get(k)).map(|y| x.abs_diff(*y)).min().unwrap_or(u64::MAX)
    });
    near.min().filter(|gap| *gap < u64::MAX).map_or(NEVER, seconds)
}

/// How many of `a` have one of `b` within three seconds, as a share.
fn together(a: &[u64], b: &[u64]) -> f64 {
    let with = |x: &&u64| {
        let at = b.partition_point(|y| *y + 3000 < **x);
        b.get(at).is_some_and(|y| y.abs_diff(**x) <= 3000)
    };
    a.iter().filter(with).count() as f64 / (a.len().max(1)) as f64
}

/// How far a span is from a whole number of periods, as a share of the period.
fn phase(span: f64, period: f64) -> f64 {
    let rest = (span / period).fract();
    rest.min(1.0 - rest)
}

/// Whether something in two frames, or their circuits, says that they belong together: what
/// union-find links.
#[must_use]
pub(crate) fn linked(a: &Operation, b: &Operation) -> bool {
    let circuit = a.circuit == b.circuit;
    let mark = a.mark.is_some() && a.mark == b.mark;
    let end = a.close == b.close && a.close < u64::MAX && a.close > a.accept + 2000;
    circuit || mark || end
}

/// What two operations share, whatever they are.
fn both(index: &Index, a: &Operation, b: &Operation) -> Vec<f64> {
    let gap = seconds(a.accept.abs_diff(b.accept));
    let (of_a, of_b) = (index.marked(a.mark), index.marked(b.mark));
    let ends = if a.close == u64::MAX || b.close == u64::MAX {
        NEVER
    } else {
        seconds(a.close.abs_diff(b.close))
    };
    let mut features = vec![
        gap,
        log(gap),
        yes(a.mailbox == b.mailbox),
        yes(linked(a, b)),
        log(ends),
        log(nearest(of_a, of_b)),
        together(of_a, of_b),
    ];
    features.extend(PERIODS.map(|period| phase(gap, period)));
    features
}

/// Two deposits (G1, G2, G6): when they and their chunks were asked for.
pub(crate) fn deposits(index: &Index, a: &Operation, b: &Operation) -> Vec<f64> {
    let mut features = both(index, a, b);
    let chunks = [a, b].map(|put| index.chunk(put));
    let fetches = chunks.map(|chunk| index.fetches(chunk));
    features.push(yes(chunks[0] == chunks[1]));
    let mut firsts = Vec::new();
    for (chunk, fetched) in chunks.iter().zip(fetches) {
        let closed = index.closed(*chunk).unwrap_or(0);
        let first = fetched.first().copied();
        firsts.push(first);
        features.push(log(first.map_or(NEVER, |at| seconds(at.saturating_sub(closed)))));
        features.push(fetched.len() as f64);
    }
    let apart = firsts[0].zip(firsts[1]).map_or(NEVER, |(x, y)| seconds(x.abs_diff(y)));
    features.push(log(apart));
    features.extend(PERIODS.map(|period| phase(apart, period)));
    features.push(log(nearest(fetches[0], fetches[1])));
    // The later one may answer what came of the earlier one.
    let (early, late) = if a.accept <= b.accept { (0, b) } else { (1, a) };
    features.push(log(since(fetches[early], late.accept)));
    features
}

/// A deposit, and an envelope whose reader may have made it (G3).
pub(crate) fn answer(index: &Index, message: &Operation, put: &Operation) -> Vec<f64> {
    let mut features = both(index, message, put);
    let fetches = index.fetches(index.chunk(message));
    let before = fetches.partition_point(|at| *at <= put.accept);
    let last = since(fetches, put.accept);
    let first = fetches.first().map_or(NEVER, |at| seconds(put.accept.saturating_sub(*at)));
    features.extend([last, log(last), first, log(first), before as f64]);
    features.extend(PERIODS.map(|period| phase(last, period)));
    features.push(log(since(index.marked(put.mark), put.accept)));
    features
}

/// Two reads (G4).
pub(crate) fn reads(index: &Index, a: &Operation, b: &Operation) -> Vec<f64> {
    let mut features = both(index, a, b);
    let ages = [a, b].map(|read| index.age(read).map_or(NEVER, seconds));
    features.extend(ages.map(log));
    features.push(log((ages[0] - ages[1]).abs()));
    let chunks = [a, b].map(|read| index.chunk(read));
    features.push(yes(chunks[0] == chunks[1] && chunks[0].is_some()));
    // A read that follows the end of another.
    features.push(log(seconds(b.accept.abs_diff(a.close.min(b.accept)))));
    // An identifier may name a moment.
    let named = b.mark.map_or(NEVER, |mark| seconds(mark.abs_diff(a.close)));
    features.push(log(named));
    for (read, chunk) in [(a, chunks[0]), (b, chunks[1])] {
        features.push(log(since(index.fetches(chunk), read.accept.saturating_sub(1))));
    }
    features
}

/// A moment at the mailboxes of two people (G5): how much happens there, beside before and after.
pub(crate) fn moment(index: &Index, at: u64, span: u64) -> Vec<f64> {
    let window = |from: u64| {
        let puts = index.puts_between(from, from + span);
        let reads = index.reads_between(from, from + span);
        let fresh: Vec<u64> =
            reads.iter().filter(|(_, age)| *age < FRESH).map(|(at, _)| *at).collect();
        let reacted = |within: u64| {
            let soon = |read: &&u64| !index.puts_between(**read, **read + within).is_empty();
            fresh.iter().filter(soon).count() as f64
        };
        let counts = [puts.len(), reads.len(), fresh.len()].map(|n| n as f64);
        let share = fresh.len() as f64 / (reads.len().max(1)) as f64;
        (counts, share, reacted(5000))
    };
    let ((now, share, reacted), around) =
        (window(at), [window(at.saturating_sub(3 * span)), window(at + 3 * span)]);
    let mut features = vec![share, reacted];
    features.extend(now);
    for k in 0..3 {
        let usual = around.iter().map(|(counts, _, _)| counts[k]).sum::<f64>() / 2.0;
        features.push((now[k] + 1.0).ln() - (usual + 1.0).ln());
    }
    features.push(share - around.iter().map(|(_, share, _)| share).sum::<f64>() / 2.0);
    features
}
