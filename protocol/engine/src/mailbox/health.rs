//! Whether a mailbox answers, and whether its clock and ours agree.

use crate::clock::Now;
use crate::step::FailReason;
use board::frame::Window;

/// A page that closed later than this after our own clock is left out (BRD-37), in seconds.
const AHEAD_S: u64 = 10 * 60;
/// The newest page of a stream is at most 15 minutes old (BRD-20: ten minutes of pages, the last
/// of them closed within five); as much again for Tor and a network that stood still.
const BEHIND_S: u64 = 30 * 60;

/// What is known of a mailbox's answers.
#[derive(Default)]
pub(crate) struct Health {
    /// Operations in a row that failed.
    pub(crate) failures: u32,
    /// When it last answered, on the monotonic clock.
    pub(crate) answered: Option<u64>,
    /// Why the last operation failed.
    pub(crate) reason: Option<FailReason>,
    /// Our clock minus the mailbox's, in seconds, while they are too far apart.
    pub(crate) skew_s: Option<i64>,
}

impl Health {
    /// An operation succeeded.
    pub(crate) fn worked(&mut self, now: Now) {
        self.answered = Some(now.mono_ms);
        self.failures = 0;
        self.reason = None;
    }

    /// An operation failed.
    pub(crate) fn failed(&mut self, reason: FailReason) {
        self.failures = self.failures.saturating_add(1);
        self.reason = Some(reason);
    }

    /// Whether it has answered, and what was asked of it last as well.
    pub(crate) const fn answers(&self) -> bool {
        self.answered.is_some() && self.failures == 0
    }

    /// Compares the clocks by the newest page that was read, which closed at `closed_at`; says
    /// whether the page may be taken. One of a window of days may well be old.
    pub(crate) fn clock(&mut self, now: Now, window: Window, closed_at: u64) -> bool {
        let ahead = closed_at > now.unix_s().saturating_add(AHEAD_S);
        let behind = closed_at.saturating_add(BEHIND_S) < now.unix_s();
        if ahead || matches!(window, Window::Stream | Window::LastTenMinutes) {
            let skew = now.unix_s().checked_signed_diff(closed_at);
            let beyond = if ahead { i64::MIN } else { i64::MAX };
            self.skew_s = (ahead || behind).then(|| skew.unwrap_or(beyond));
        }
        !ahead
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Now = Now { mono_ms: 5, unix_ms: 1_000_000_000 };

    #[test]
    fn brd_37_clocks_are_compared_both_ways_until_they_agree() {
        let mut health = Health::default();
        for (window, closed_at, taken, skew) in [
            (Window::Stream, 1_000_000, true, None),
            (Window::Stream, 1_000_600, true, None),
            (Window::Stream, 1_000_601, false, Some(-601)),
            // Other answers do not make up for it, older days say nothing.
            (Window::Day { back: 2 }, 800_000, true, Some(-601)),
            (Window::LastHour, 998_000, true, Some(-601)),
            (Window::LastTenMinutes, 998_200, true, None),
            (Window::LastTenMinutes, 998_199, true, Some(1801)),
            (Window::Stream, u64::MAX, false, Some(i64::MIN)),
        ] {
            assert_eq!(health.clock(NOW, window, closed_at), taken, "{window:?} {closed_at}");
            assert_eq!(health.skew_s, skew, "{window:?} {closed_at}");
            health.worked(NOW);
        }
    }
}
