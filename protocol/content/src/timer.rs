//! How long messages stay: agreed in the conversation (CNT-8).

use wire::{Malformed, Reader, Writer};

/// Shortest timer in seconds: 5 minutes.
const SHORTEST: u32 = 5 * 60;
/// Longest timer in seconds: 30 days.
const LONGEST: u32 = 30 * 24 * 3600;

/// How long a message stays after it left or was read: off, or 5 minutes to 30 days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timer(u32);

impl Timer {
    /// Messages stay.
    pub const OFF: Self = Self(0);

    /// A timer of so many seconds, 0 being [`Self::OFF`]; nothing for a length that is not
    /// allowed (CNT-8).
    #[must_use]
    pub const fn new(seconds: u32) -> Option<Self> {
        if seconds == 0 || (SHORTEST <= seconds && seconds <= LONGEST) {
            Some(Self(seconds))
        } else {
            None
        }
    }

    /// Its length in seconds; 0 is off.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.0
    }

    /// Whether it takes a message away earlier than `other`.
    const fn is_shorter(self, other: Self) -> bool {
        self.0 != 0 && (other.0 == 0 || self.0 < other.0)
    }

    pub(crate) fn encode_into(self, w: &mut Writer) {
        w.u32(self.0);
    }

    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::new(r.u32()?).ok_or(Malformed::Field("timer"))
    }
}

/// What a conversation's timer is set to: `counter u32 ‖ seconds u32`.
///
/// Settings have an order that both sides see alike, so that the highest of all that were ever said
/// is what both have in the end, in whatever order they come (CNT-9).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimerSetting {
    /// One more than that of the setting which this one replaced; 0 for what nobody has set.
    pub counter: u32,
    /// What it is set to.
    pub timer: Timer,
}

impl TimerSetting {
    /// Whether this setting replaces `other`: the higher counter, and of two that were made at the
    /// same time the shorter timer (CNT-9).
    #[must_use]
    pub const fn outranks(self, other: Self) -> bool {
        self.counter > other.counter
            || (self.counter == other.counter && self.timer.is_shorter(other.timer))
    }
}
