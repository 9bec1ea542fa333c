//! What the machine finds wrong.

use std::fmt;

use crate::model::Power;

/// One difference between the ratchet and its specification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which promise was broken.
    pub kind: Kind,
    /// What happened, for people.
    pub what: String,
    /// Seed of the run.
    pub seed: u64,
    /// Number of the game in the run.
    pub game: u64,
    /// Steps of that game before.
    pub step: u64,
    /// The last things that happened.
    pub trace: Vec<String>,
}

/// A broken promise. Its name is what `cargo xtask mutants` waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message of the peer was refused though nothing excuses it.
    Lost,
    /// A message was accepted a second time.
    Twice,
    /// Something was accepted that the peer did not send in this session.
    Alien,
    /// A message was refused that was made by hand as the specification says.
    ByHand,
    /// Other words came out than went in.
    Garbled,
    /// A message was accepted beyond a limit of RAT-6.
    Limit,
    /// The state changed although a message was refused.
    Touched,
    /// The state is not what it was after saving and loading.
    Reload,
    /// Sending did not go as RAT-3 says.
    Send,
    /// A thief opened a message that its window closes.
    OpensMore(Power),
    /// A thief did not open a message that its window opens.
    OpensLess(Power),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost => f.write_str("lost"),
            Self::Twice => f.write_str("twice"),
            Self::Alien => f.write_str("alien"),
            Self::ByHand => f.write_str("by hand"),
            Self::Garbled => f.write_str("garbled"),
            Self::Limit => f.write_str("limit"),
            Self::Touched => f.write_str("touched"),
            Self::Reload => f.write_str("reload"),
            Self::Send => f.write_str("send"),
            Self::OpensMore(power) => write!(f, "{} opens more", name(*power)),
            Self::OpensLess(power) => write!(f, "{} opens less", name(*power)),
        }
    }
}

const fn name(power: Power) -> &'static str {
    match power {
        Power::Nothing => "classical thief",
        Power::X25519 => "quantum thief",
        Power::MlKem => "thief without ML-KEM",
        Power::Both => "thief without both",
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "  {line}")?;
        }
        let Self { kind, what, seed, game, step, trace: _ } = self;
        writeln!(f, "{what}")?;
        write!(f, "failure: {kind} (seed {seed}, game {game}, step {step})")
    }
}
