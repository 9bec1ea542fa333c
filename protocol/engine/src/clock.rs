/// The time as the shell tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never jumps and runs on during suspend; any origin.
    pub mono_ms: u64,
    /// Milliseconds since 1970, UTC, as far as this device knows.
    pub unix_ms: u64,
}

impl Now {
    /// Seconds since 1970.
    #[must_use]
    pub const fn unix_s(self) -> u64 {
        self.unix_ms / 1000
    }

    /// Hours since 1970, as certificates and invites count them.
    #[must_use]
    pub fn hours(self) -> u32 {
        u32::try_from(self.unix_s() / 3600).unwrap_or(u32::MAX)
    }

    /// Days since 1970.
    #[must_use]
    pub fn days(self) -> u32 {
        self.hours() / 24
    }
}

/// Milliseconds in a second, for deadlines.
pub(crate) const SECOND: u64 = 1000;
/// Milliseconds in a minute.
pub(crate) const MINUTE: u64 = 60 * SECOND;
/// Milliseconds in an hour.
pub(crate) const HOUR: u64 = 60 * MINUTE;
