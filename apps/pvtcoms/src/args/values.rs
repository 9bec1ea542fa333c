//! Values of arguments.

use clap::ValueEnum;
use daemon::types::view::{MessageState, Mode};

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
