//! Seconds and days since 1970 (UTC).

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub type Seconds = u64;
/// Days since 1970.
pub type Day = u32;

/// Seconds in a day.
pub const DAY_S: Seconds = 86_400;

/// The present. A clock before 1970 reads as 1970.
#[must_use]
pub fn now() -> Seconds {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The UTC day that `at` falls on.
#[must_use]
pub fn day_of(at: Seconds) -> Day {
    Day::try_from(at.div_euclid(DAY_S)).unwrap_or(Day::MAX)
}
