//! Values of arguments.

use clap::ValueEnum;
use daemon::types::view::{MessageState, Mode, Pace};

/// The schedule, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    /// Messages take minutes; unlinkable.
    Steady,
    /// Messages take seconds; some can be linked.
    Fast,
}

impl From<ModeName> for Mode {
    fn from(name: ModeName) -> Self {
        match name {
            ModeName::Steady => Self::Steady,
            ModeName::Fast => Self::Fast,
        }
    }
}

/// How often mailboxes are visited, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PaceName {
    /// Every 45 s in sixteen hours of the day, every five minutes otherwise.
    Day,
    /// Every 30 seconds, day and night.
    #[value(name = "30s")]
    Every30,
    /// Every minute, day and night.
    #[value(name = "1m")]
    Every60,
    /// Every five minutes, day and night.
    #[value(name = "5m")]
    Every300,
}

impl From<PaceName> for Pace {
    fn from(name: PaceName) -> Self {
        match name {
            PaceName::Day => Self::DayHours,
            PaceName::Every30 => Self::Every30,
            PaceName::Every60 => Self::Every60,
            PaceName::Every300 => Self::Every300,
        }
    }
}

/// What `send` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaitFor {
    /// A mailbox answered that it is on disk.
    Stored,
    /// The contact's device saved it and its receipt came back.
    Delivered,
}

impl WaitFor {
    /// Whether `state` is what was waited for, or more (PRD-10: states only move forward).
    pub(crate) fn reached(self, state: MessageState) -> bool {
        match state {
            MessageState::Delivered => true,
            MessageState::Stored => self == Self::Stored,
            MessageState::Queued | MessageState::Failed | MessageState::Received => false,
        }
    }

    /// The word for people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Delivered => "delivered",
        }
    }
}

/// `5m`, `1h`, `7d` or `off`, in seconds: 5 minutes to 30 days.
pub(crate) fn timer(text: &str) -> Result<u32, String> {
    span(text, &[('m', 60), ('h', 3600), ('d', 86_400)])
        .filter(|seconds| *seconds == 0 || (300..=2_592_000).contains(seconds))
        .ok_or_else(|| "off, or from 5m to 30d".to_owned())
}

/// `7d`, `2w`, `1y` or `off`, in days: a day to a year.
pub(crate) fn retention(text: &str) -> Result<u16, String> {
    span(text, &[('d', 1), ('w', 7), ('y', 365)])
        .and_then(|days| u16::try_from(days).ok())
        .filter(|days| *days <= 365)
        .ok_or_else(|| "off, or from 1d to 1y".to_owned())
}

/// A number and a unit; 0 for `off` and for nothing else.
fn span(text: &str, units: &[(char, u32)]) -> Option<u32> {
    if text == "off" {
        return Some(0);
    }
    let (number, each) =
        units.iter().find_map(|(unit, each)| Some((text.strip_suffix(*unit)?, each)))?;
    number.parse::<u32>().ok()?.checked_mul(*each).filter(|length| *length > 0)
}

/// `48h` or `7d`, in hours: 1 hour to 30 days.
pub(crate) fn hours(text: &str) -> Result<u32, String> {
    let (number, hours_each) = match (text.strip_suffix('h'), text.strip_suffix('d')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 24),
        (None, None) => return Err("write hours as 48h or days as 7d".to_owned()),
    };
    number
        .parse::<u32>()
        .ok()
        .and_then(|count| count.checked_mul(hours_each))
        .filter(|hours| (1..=720).contains(hours))
        .ok_or_else(|| "from 1h to 30d".to_owned())
}
