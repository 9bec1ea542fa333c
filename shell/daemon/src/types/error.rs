//! Errors as faces see them: a kind for programs, a text and a next step for people.

use serde::{Deserialize, Serialize};

/// What went wrong, by kind. The JSON-RPC code is −32000 minus the exit code (PRD-13, PRD-18).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The request makes no sense: unknown contact, bad address, empty text.
    WrongUse,
    /// The text is longer than a message may be.
    TooLong,
    /// A fault of the program.
    Internal,
    /// Tor or a mailbox did not answer in time.
    Unreachable,
    /// The contact's words have not been compared yet.
    Unverified,
    /// The contact's key changed: nothing is sent (ID-3).
    KeyChanged,
    /// The contact is blocked here, or locked after three wrong words.
    Blocked,
    /// The typed words are not the peer's.
    WrongWords,
    /// The invite was used before (ID-2).
    InviteUsed,
    /// The invite is no invite, mistyped, expired or revoked.
    BadInvite,
    /// Too fast, or the mailbox asks for more work than this profile does.
    Rate,
    /// The profile is locked.
    Locked,
    /// The passphrase is wrong.
    WrongPassphrase,
    /// There is no profile yet, or there is one already.
    Profile,
    /// The disk is full, unreadable, or not ours.
    Storage,
    /// The database is damaged; nothing was deleted.
    Damaged,
    /// The process sandbox is not available.
    Sandbox,
}

impl ErrorKind {
    /// The program's exit code (PRD-13).
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::WrongUse | Self::TooLong | Self::BadInvite | Self::InviteUsed | Self::Profile => {
                1
            }
            Self::Internal => 2,
            Self::Unreachable => 3,
            Self::Unverified | Self::KeyChanged | Self::Blocked | Self::WrongWords => 4,
            Self::Rate => 5,
            Self::Locked | Self::WrongPassphrase => 6,
            Self::Storage | Self::Damaged => 7,
            Self::Sandbox => 8,
        }
    }

    /// The JSON-RPC error code.
    #[must_use]
    pub fn rpc_code(self) -> i32 {
        (-32000_i32).saturating_sub(i32::from(self.exit_code()))
    }
}

/// An error as it crosses the RPC: `message` says what happened and what was not done; `hint`
/// says what to do next. No peer text, no stack (PRD-14). On the wire it is
/// `"error":{"code":rpc_code,"message":message,"data":{"kind":kind,"message":message,"hint":hint}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// For programs.
    pub kind: ErrorKind,
    /// What happened, and what was not done.
    pub message: String,
    /// What to do next.
    pub hint: String,
}
