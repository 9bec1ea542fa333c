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
    let left = mono_ms.map_or(PIECE, |at| Duration::from_millis(at.saturating_sub(now().mono_ms)));
    tokio::time::sleep(left.min(PIECE)).await;
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

    #[tokio::test(start_paused = true)]
    async fn brd_32_no_sleep_outlasts_a_piece() {
        let before = tokio::time::Instant::now();
        sleep_towards(Some(u64::MAX)).await;
        sleep_towards(None).await;
        assert!(before.elapsed() <= PIECE * 2 + Duration::from_millis(10));
    }
}
