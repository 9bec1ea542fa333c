//! When a child that died is started again.

use daemon::types::EXIT_LOCKED;
use std::time::Duration;

/// Longest pause before a restart.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// A child that lived this long had started well.
const WELL: Duration = Duration::from_secs(60);
/// So many equal ends in a row are not going to change.
const SAME_MAX: u32 = 3;
/// Ends that the child's own surroundings cause: wrong arguments, storage, sandbox.
const LASTING: [i32; 3] = [1, 7, 8];

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ended {
    /// Its exit code; nothing when a signal ended it or it never began.
    pub(super) code: Option<i32>,
    /// Its last words, or what the system says.
    pub(super) reason: String,
    /// How long it lived.
    pub(super) lived: Duration,
}

/// Why a child is not started again.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GaveUp {
    pub(super) code: i32,
    pub(super) reason: String,
}

/// The ends of one child so far.
#[derive(Default)]
pub(super) struct Restarts {
    pause: Duration,
    last: Option<(i32, String)>,
    same: u32,
}

impl Restarts {
    /// The pause before the next start: 0 after a lock, else 1, 2, 4 … 60 s (TOR-3).
    ///
    /// # Errors
    /// [`GaveUp`] after three ends with the same lasting cause.
    pub(super) fn after(&mut self, ended: &Ended) -> Result<Duration, GaveUp> {
        if ended.code == Some(i32::from(EXIT_LOCKED)) {
            *self = Self::default();
            // One that ends at once each time must not keep the machine busy.
            return Ok(if ended.lived < Duration::from_millis(200) {
                Duration::from_millis(200)
            } else {
                Duration::ZERO
            });
        }
        if ended.lived >= WELL {
            *self = Self::default();
        }
        match ended.code.filter(|code| LASTING.contains(code)) {
            Some(code) => {
                let end = Some((code, ended.reason.clone()));
                self.same = if self.last == end { self.same.saturating_add(1) } else { 1 };
                self.last = end;
                if self.same >= SAME_MAX {
                    return Err(GaveUp { code, reason: ended.reason.clone() });
                }
            }
            None => *self = Self { pause: self.pause, ..Self::default() },
        }
        self.pause = self.pause.saturating_mul(2).clamp(Duration::from_secs(1), PAUSE_MAX);
        Ok(self.pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: Option<i32>, reason: &str, lived: u64) -> Ended {
        Ended { code, reason: reason.into(), lived: Duration::from_secs(lived) }
    }

    #[test]
    fn tor_3_pauses_double_up_to_a_minute_and_begin_anew_after_a_good_start() {
        let mut restarts = Restarts::default();
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let pause = restarts.after(&ended(None, "signal 9", 1)).expect("again");
            assert_eq!(pause.as_secs(), seconds);
        }
        assert_eq!(restarts.after(&ended(Some(2), "x", 61)).expect("again").as_secs(), 1);
    }

    #[test]
    fn sto_17_a_locked_core_is_back_at_once() {
        let mut restarts = Restarts::default();
        assert_eq!(restarts.after(&ended(Some(0), "", 5)), Ok(Duration::ZERO));
        assert!(restarts.after(&ended(Some(0), "", 0)).expect("again") < Duration::from_secs(1));
    }

    #[test]
    fn the_same_lasting_cause_three_times_is_enough() {
        for code in LASTING {
            let mut restarts = Restarts::default();
            assert!(restarts.after(&ended(Some(code), "no sandbox", 0)).is_ok());
            assert!(restarts.after(&ended(Some(code), "no sandbox", 0)).is_ok());
            let why = restarts.after(&ended(Some(code), "no sandbox", 0)).expect_err("enough");
            assert_eq!(why, GaveUp { code, reason: "no sandbox".into() });
        }
    }

    #[test]
    fn other_causes_are_never_enough() {
        let mut restarts = Restarts::default();
        for turn in 0..20 {
            let reason = format!("reason {turn}");
            assert!(restarts.after(&ended(Some(7), &reason, 0)).is_ok());
        }
        for _ in 0..20 {
            assert!(restarts.after(&ended(Some(2), "same", 0)).is_ok());
        }
        assert!(restarts.after(&ended(Some(7), "a", 0)).is_ok());
        assert!(restarts.after(&ended(Some(7), "a", 0)).is_ok());
        assert!(restarts.after(&ended(Some(2), "a", 0)).is_ok(), "another end between");
        assert!(restarts.after(&ended(Some(7), "a", 0)).is_ok());
    }
}
