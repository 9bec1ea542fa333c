//! What a deposit costs: the effort of the next header, and the least that still pays (BRD-23).
//!
//! Functions of what they are told; the same answer for everybody, since nobody is asked about.

use crate::clock::Seconds;
use std::collections::VecDeque;

/// How far back deposits are counted.
pub const LOAD_S: Seconds = 300;
/// How long less must have been wanted before the effort falls.
pub const CALM_S: Seconds = 900;
/// How long a header's effort still pays after the next header replaced it: a client that only
/// writes reads one every 50 minutes at most (BRD-35), and may be late.
pub const HONOURED_S: Seconds = 3_600;

/// Deposits in [`LOAD_S`] that one person may make before they count as load: two a minute, twice
/// what `steady` does in day hours (BRD-38).
const DEPOSITS_EACH: u64 = 10;
/// Steps from the soft limit of the disk to its reserve; each doubles the effort.
const DISK_STEPS: u64 = 8;

/// What the operator chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The effort of a quiet board, at least 1.
    pub base: u32,
    /// The highest effort; `base` if that is more.
    pub max: u32,
    /// How many people the board is for, at least 1.
    pub people: u32,
    /// Free bytes of disk from which on the effort rises.
    pub soft: u64,
    /// Free bytes of disk at which deposits are told to retry (BRD-16).
    pub reserve: u64,
}

/// What is known when a page closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// When it closes.
    pub at: Seconds,
    /// Deposits in it, without filling.
    pub deposits: usize,
    /// Free bytes of disk.
    pub free: u64,
}

impl Policy {
    /// The effort that `deposits` in the last [`LOAD_S`] and `free` bytes of disk ask for.
    #[must_use]
    pub fn wanted(&self, deposits: u64, free: u64) -> u32 {
        let fair = u64::from(self.people).saturating_mul(DEPOSITS_EACH).max(1);
        let times = deposits.div_ceil(fair).max(self.level(free));
        self.within(u64::from(self.base).saturating_mul(times))
    }

    fn level(&self, free: u64) -> u64 {
        let way = self.soft.saturating_sub(self.reserve);
        let gone = self.soft.saturating_sub(free).min(way);
        let full = if free <= self.reserve { DISK_STEPS } else { 0 };
        let steps = gone.saturating_mul(DISK_STEPS).checked_div(way).unwrap_or(full);
        u32::try_from(steps).ok().and_then(|steps| 1_u64.checked_shl(steps)).unwrap_or(1)
    }

    fn within(&self, effort: u64) -> u32 {
        let base = self.base.max(1);
        u32::try_from(effort).unwrap_or(u32::MAX).min(self.max.max(base)).max(base)
    }
}

/// The effort of the newest header, and what moves it.
#[derive(Debug, Clone)]
pub struct Effort {
    policy: Policy,
    value: u32,
    /// Since when every close wanted less.
    calm_since: Seconds,
    /// Closes of the last [`LOAD_S`] and the deposits in each.
    load: VecDeque<(Seconds, usize)>,
}

impl Effort {
    /// Goes on from the effort of the last header, which closed at the given time; from the
    /// operator's if there is none.
    #[must_use]
    pub fn resume(policy: Policy, last: Option<(Seconds, u32)>) -> Self {
        let (calm_since, before) = last.unwrap_or((0, policy.base));
        let value = policy.within(before.into());
        Self { policy, value, calm_since, load: VecDeque::new() }
    }

    /// The effort that stands in the newest header.
    #[must_use]
    pub const fn value(&self) -> u32 {
        self.value
    }

    /// The same after one more page: up at most to twice, down at most by half, and down only
    /// after [`CALM_S`] of calm.
    #[must_use]
    pub fn after(&self, close: Close) -> Self {
        let mut load = self.load.clone();
        load.push_back((close.at, close.deposits));
        load.retain(|(at, _)| at.saturating_add(LOAD_S) > close.at);
        let count = |sum: u64, (_, n): &(Seconds, usize)| {
            sum.saturating_add(u64::try_from(*n).unwrap_or(u64::MAX))
        };
        let wanted = self.policy.wanted(load.iter().fold(0, count), close.free);
        let calm = close.at.saturating_sub(self.calm_since) >= CALM_S;
        let (value, calm_since) = if wanted >= self.value {
            (wanted.min(self.value.saturating_mul(2)), close.at)
        } else if calm {
            (wanted.max(self.value.div_ceil(2)), close.at)
        } else {
            (self.value, self.calm_since)
        };
        Self { policy: self.policy, value, calm_since, load }
    }
}

/// The efforts that clients may have read in the last hour.
#[derive(Debug, Default, Clone)]
pub struct Honoured {
    /// From when on each stood in the newest header, oldest first; only changes.
    shown: VecDeque<(Seconds, u32)>,
}

impl Honoured {
    /// A header with this effort closed.
    pub fn push(&mut self, at: Seconds, effort: u32) {
        if self.shown.back().is_none_or(|(_, last)| *last != effort) {
            self.shown.push_back((at, effort));
        }
        // The first may go when the second has been the newest for the whole hour.
        while self.shown.get(1).is_some_and(|(next, _)| replaced_too_long(*next, at)) {
            self.shown.pop_front();
        }
    }

    /// The least effort that pays at `now`: the lowest of all headers that were the newest at any
    /// moment of the last [`HONOURED_S`]. `None` before the first header.
    #[must_use]
    pub fn lowest(&self, now: Seconds) -> Option<u32> {
        let replaced = self.shown.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        let shown = self.shown.iter().zip(replaced);
        let honoured =
            shown.filter(|(_, next)| next.is_none_or(|next| !replaced_too_long(next, now)));
        honoured.map(|((_, effort), _)| *effort).min()
    }
}

fn replaced_too_long(next: Seconds, now: Seconds) -> bool {
    next.saturating_add(HONOURED_S) < now
}

#[cfg(test)]
mod tests;
