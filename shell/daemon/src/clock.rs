//! The two clocks of the engine.

use engine::Now;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longest sleep. Timers of the runtime stand still during suspend, `CLOCK_BOOTTIME` does not: a
/// sleep is cut into pieces, so that a slot that was due meanwhile is late by this at most.
const PIECE: Duration = Duration::from_secs(5);

/// The time: monotonic with suspend counted, and UTC.
pub(crate) fn now() -> Now {
    let mono = clock_gettime(ClockId::Boottime);
    let mono_ms = u64::try_from(mono.tv_sec)
        .unwrap_or_default()
        .saturating_mul(1000)
        .saturating_add(u64::try_from(mono.tv_nsec).unwrap_or_default() / 1_000_000);
    // A clock before 1970 is a clock that was never set; certificates then say so.
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now { mono_ms, unix_ms: u64::try_from(unix.as_millis()).unwrap_or(u64::MAX) }
}

/// Sleeps until `mono_ms`, or a shorter while: the caller looks at the clock again.
pub(crate) async fn sleep_towards(mono_ms: Option<u64>) {
    tokio::time::sleep(piece(mono_ms, now().mono_ms)).await;
}

fn piece(until: Option<u64>, now: u64) -> Duration {
    until.map_or(PIECE, |at| Duration::from_millis(at.saturating_sub(now))).min(PIECE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prd_1_monotonic_clock_is_the_one_that_counts_suspend() {
        let boot = std::fs::read_to_string("/proc/uptime").unwrap(); // seconds with suspend
        let seconds: f64 = boot.split(' ').next().unwrap().parse().unwrap();
        let own = f64::from(u32::try_from(now().mono_ms / 1000).unwrap());
        assert!((own - seconds).abs() < 60.0, "{own} {seconds}");
    }

    #[test]
    fn brd_32_no_sleep_outlasts_a_piece_or_its_end() {
        assert_eq!(piece(Some(1500), 1000), Duration::from_millis(500));
        assert_eq!(piece(Some(1000), 1500), Duration::ZERO);
        assert_eq!(piece(Some(u64::MAX), 0), PIECE);
        assert_eq!(piece(None, 0), PIECE);
    }
}
