//! What went wrong: for people what happened, what was not done and what to do next (PRD-14); for
//! programs a kind and an exit code (PRD-13).

use daemon::types::error::{ErrorKind, Failure};

/// Result of everything that a verb does.
pub(crate) type Outcome<T = ()> = Result<T, Fault>;

/// Why a verb did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The core or this program says what happened.
    #[error("{}", .0.message)]
    Told(Failure),
    /// The core ended the connection.
    #[error("The core ended the connection.")]
    Gone,
    /// Whoever read our output has left: there is nobody to tell.
    #[error("The reader of the output has left.")]
    NoReader,
}

impl Fault {
    /// A fault with its three parts.
    pub(crate) fn new(
        kind: ErrorKind,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self::Told(Failure { kind, message: message.into(), hint: hint.into() })
    }

    /// The command was used wrongly.
    pub(crate) fn wrong_use(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::WrongUse, message, hint)
    }

    /// A file or folder could not be used.
    pub(crate) fn storage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(ErrorKind::Storage, message, hint)
    }

    /// A fault of the program itself.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(
            ErrorKind::Internal,
            message,
            "Run `pvtcoms doctor`; if it finds nothing, report this with `pvtcoms doctor --report`.",
        )
    }

    /// Whether it is of `kind`.
    pub(crate) fn is(&self, kind: ErrorKind) -> bool {
        matches!(self, Self::Told(failure) if failure.kind == kind)
    }

    /// The same in full, as errors are shown.
    pub(crate) fn failure(&self) -> Failure {
        match self {
            Self::Told(failure) => failure.clone(),
            Self::Gone | Self::NoReader => Failure {
                kind: ErrorKind::Internal,
                message: format!("{self} Whether the request was done is not known."),
                hint: "Look with `pvtcoms status`, then try again.".to_owned(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prd_13_every_kind_has_its_exit_code() {
        let codes = [
            (ErrorKind::WrongUse, 1),
            (ErrorKind::TooLong, 1),
            (ErrorKind::BadInvite, 1),
            (ErrorKind::InviteUsed, 1),
            (ErrorKind::Profile, 1),
            (ErrorKind::Internal, 2),
            (ErrorKind::Unreachable, 3),
            (ErrorKind::Unverified, 4),
            (ErrorKind::KeyChanged, 4),
            (ErrorKind::Blocked, 4),
            (ErrorKind::WrongWords, 4),
            (ErrorKind::Rate, 5),
            (ErrorKind::Locked, 6),
            (ErrorKind::WrongPassphrase, 6),
            (ErrorKind::Storage, 7),
            (ErrorKind::Damaged, 7),
            (ErrorKind::Sandbox, 8),
        ];
        for (kind, code) in codes {
            assert_eq!(Fault::new(kind, "m", "h").failure().kind.exit_code(), code);
        }
    }

    #[test]
    fn prd_14_a_lost_connection_does_not_claim_that_nothing_happened() {
        let failure = Fault::Gone.failure();
        assert_eq!(failure.kind.exit_code(), 2);
        assert!(failure.message.contains("not known"));
        assert!(!failure.hint.is_empty());
    }
}
