//! A clock for ages: how long something has lain on this device (ENG-8).

use crate::clock::{HOUR, MINUTE, Now, SECOND};
use crate::rows::{done, open_row, row};
use crypto::Zeroizing;
use wire::Malformed;

/// Key of the row of [`crate::changes::Table::Profile`] that the clock goes on from.
pub(crate) const CLOCK_KEY: &[u8] = b"clock";

/// The clock goes on from a moment at most this old, in seconds.
const ANCHOR_S: u64 = HOUR / SECOND;
/// A jump of the device's clock by more than this is noted at once, in seconds.
const JUMP_S: u64 = MINUTE / SECOND;

/// A moment on both clocks, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Anchor {
    steady: u64,
    unix: u64,
}

/// Seconds that never go back and never jump while the profile is open, whatever is done to the
/// device's clock. Only while the profile is closed does that clock say how long it was, and it
/// can be set forwards then, but not backwards.
pub(crate) struct Steady {
    /// The moment from which this run counts, and what the monotonic clock said then.
    start: u64,
    start_mono_ms: u64,
    /// What is saved.
    anchor: Option<Anchor>,
}

impl Steady {
    /// A clock that begins with what the device says.
    pub(crate) const fn begin(now: Now) -> Self {
        Self { start: now.unix_s(), start_mono_ms: now.mono_ms, anchor: None }
    }

    /// The clock as it goes on after a break.
    pub(crate) fn resume(now: Now, saved: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(saved)?;
        let anchor = Anchor { steady: r.u64()?, unix: r.u64()? };
        r.finish()?;
        let away = now.unix_s().saturating_sub(anchor.unix);
        let start = anchor.steady.saturating_add(away);
        Ok(Self { start, start_mono_ms: now.mono_ms, anchor: Some(anchor) })
    }

    /// What it says.
    pub(crate) const fn at(&self, now: Now) -> u64 {
        let run = now.mono_ms.saturating_sub(self.start_mono_ms) / SECOND;
        self.start.saturating_add(run)
    }

    /// The row to go on from, if the one that is saved is too old or the device's clock has jumped.
    pub(crate) fn note(&mut self, now: Now) -> Option<Zeroizing<Vec<u8>>> {
        let new = Anchor { steady: self.at(now), unix: now.unix_s() };
        let good = self.anchor.is_some_and(|old| {
            let ran = new.steady.saturating_sub(old.steady);
            let told = old.unix.saturating_add(ran);
            ran < ANCHOR_S && told.abs_diff(new.unix) <= JUMP_S
        });
        if good {
            return None;
        }
        self.anchor = Some(new);
        let mut w = row(17);
        w.u64(new.steady).u64(new.unix);
        Some(done(w))
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: u64 = 24 * 3600;

    fn now(mono_s: u64, unix_s: u64) -> Now {
        Now { mono_ms: mono_s * SECOND, unix_ms: unix_s * SECOND }
    }

    #[test]
    fn eng_8_a_clock_that_is_set_while_the_profile_is_open_changes_no_age() {
        let mut steady = Steady::begin(now(50, 20_000 * DAY));
        let first = steady.at(now(50, 20_000 * DAY));
        for unix in [0, 20_000 * DAY, 30_000 * DAY, u64::MAX / SECOND] {
            assert_eq!(steady.at(now(110, unix)), first + 60);
        }
        // Set a year ahead, noted, and the profile is closed for an hour.
        let row = steady.note(now(120, 20_365 * DAY)).unwrap();
        let steady = Steady::resume(now(7, 20_365 * DAY + 3600), &row).unwrap();
        assert_eq!(steady.at(now(7, 0)), first + 70 + 3600);
    }

    #[test]
    fn eng_8_a_clock_that_is_set_back_while_the_profile_is_closed_makes_nothing_younger() {
        let mut steady = Steady::begin(now(0, 20_000 * DAY));
        let row = steady.note(now(10, 20_000 * DAY + 10)).unwrap();
        let back = Steady::resume(now(0, 19_000 * DAY), &row).unwrap();
        assert_eq!(back.at(now(0, 19_000 * DAY)), 20_000 * DAY + 10);
        let on = Steady::resume(now(0, 20_001 * DAY + 10), &row).unwrap();
        assert_eq!(on.at(now(0, 0)), 20_001 * DAY + 10, "what it says is believed");
    }

    #[test]
    fn eng_8_a_clock_that_goes_as_it_should_is_noted_once_an_hour() {
        let mut steady = Steady::begin(now(0, 20_000 * DAY));
        let noted = (0..600).filter(|m| steady.note(now(m * 60, 20_000 * DAY + m * 60)).is_some());
        assert_eq!(noted.count(), 10);
        assert!(Steady::resume(now(0, 0), &[1, 2]).is_err());
    }

    proptest! {
        #[test]
        fn eng_8_no_age_goes_back_whatever_the_clock_is_set_to(
            steps in prop::collection::vec((any::<bool>(), 0_u64..5000, 0_u64..(1 << 40)), 1..40)
        ) {
            let mut steady = Steady::begin(now(0, 1 << 30));
            let (mut mono, mut row, mut last) = (0, steady.note(now(0, 1 << 30)).unwrap(), 1 << 30);
            for (closed, ran, unix) in steps {
                if closed {
                    steady = Steady::resume(now(mono, unix), &row).unwrap();
                    // What ran since the last note may be counted anew, an hour at most.
                    last = last.min(steady.at(now(mono, unix)) + ANCHOR_S);
                }
                mono += ran;
                let at = steady.at(now(mono, unix));
                prop_assert!(at + ANCHOR_S >= last, "{at} {last}");
                last = last.max(at);
                if let Some(new) = steady.note(now(mono, unix)) {
                    row = new;
                }
            }
        }
    }
}
