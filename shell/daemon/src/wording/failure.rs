//! What errors say, and what is to be done next (PRD-14).

use super::{
    ENDING, FILE_EMPTY, FILE_TOO_LONG, FILE_TOO_LONG_HINT, INTERNAL, NO_PROFILE, PROFILE_EXISTS,
};
use crate::types::error::{ErrorKind, Failure};
use engine::CommandError;
use store::{BackupError, FolderError, StoreError};

/// An error with the next step that its kind has.
pub(crate) fn failure(kind: ErrorKind, message: &str) -> Failure {
    Failure { kind, message: message.to_owned(), hint: hint(kind).to_owned() }
}

/// The profile is locked.
pub(crate) fn locked() -> Failure {
    failure(ErrorKind::Locked, "The profile is locked. Nothing was done.")
}

/// The loop has ended.
pub(crate) fn ending() -> Failure {
    failure(ErrorKind::Internal, ENDING)
}

/// A fault of ours.
pub(crate) fn internal() -> Failure {
    failure(ErrorKind::Internal, INTERNAL)
}

/// BRD-39.
fn pace_too_soon(wait_s: u64) -> Failure {
    let message = "Another pace was chosen less than a week ago, and one that follows what you do \
                   would show it. Nothing was changed.";
    let hint = format!("Choose again in {}.", super::span(wait_s));
    Failure { hint, ..failure(ErrorKind::WrongUse, message) }
}

/// Why the engine did not do what it was asked to.
pub(crate) fn refused(error: CommandError) -> Failure {
    use ErrorKind::{
        BadInvite, Blocked, Internal, KeyChanged, Rate, TooLong, Unverified, WrongUse,
    };
    let (kind, message) = match error {
        CommandError::Unknown => (WrongUse, "There is nothing of this name. Nothing was done."),
        CommandError::BadName => {
            (WrongUse, "The name is empty, longer than 64 bytes, or taken. Nothing was done.")
        }
        CommandError::Empty => (WrongUse, "The message is empty. Nothing was queued."),
        CommandError::TooLong => {
            (TooLong, "The message is longer than 256 KiB. Nothing was queued.")
        }
        CommandError::NoMailbox => {
            (WrongUse, "The profile needs a mailbox of its own for this. Nothing was done.")
        }
        CommandError::MailboxLimit => {
            (WrongUse, "The profile has this mailbox, or two others. No mailbox was added.")
        }
        CommandError::BadHours => (WrongUse, "An invite lives 1 to 720 hours. No invite was made."),
        CommandError::NotAnInvite => (BadInvite, "This is no invite. Nothing was done."),
        CommandError::Mistyped => (BadInvite, "The invite is mistyped. Nothing was done."),
        CommandError::Expired => (BadInvite, "The invite has expired. Nothing was done."),
        CommandError::OwnInvite => {
            (BadInvite, "The invite was made here, or was taken already. Nothing was done.")
        }
        CommandError::Unverified => {
            (Unverified, "Words were not compared with this contact yet. Nothing was sent.")
        }
        CommandError::KeyChanged => (KeyChanged, "The contact's key changed. Nothing was sent."),
        CommandError::Locked => {
            (Blocked, "Three wrong words were typed for this contact. Nothing was sent.")
        }
        CommandError::Blocked => (Blocked, "The contact is blocked here. Nothing was sent."),
        CommandError::AlreadyVerified => {
            (WrongUse, "The contact is verified already. Nothing was changed.")
        }
        CommandError::FileEmpty => (WrongUse, FILE_EMPTY),
        CommandError::FileTooLong => (TooLong, FILE_TOO_LONG),
        CommandError::FileName => {
            (WrongUse, "The file's name is longer than 255 bytes. Nothing was queued.")
        }
        CommandError::FilesUnderWay => (
            Rate,
            "Files of 32 MiB together are under way already. Nothing of this one was queued.",
        ),
        CommandError::FileOver => (WrongUse, "The file has ended already. Nothing was changed."),
        CommandError::PaceTooSoon { wait_s } => return pace_too_soon(wait_s),
        CommandError::BadRetention => {
            (WrongUse, "Messages stay 1 to 365 days, or for ever. Nothing was changed.")
        }
        CommandError::BadTimer => {
            (WrongUse, "A timer is off, or from 5 minutes to 30 days. Nothing was changed.")
        }
        CommandError::TooOld => (
            WrongUse,
            "The message is older than 30 days: the contact may have it already and could be shown \
             it twice. Nothing was queued.",
        ),
        CommandError::TooLate => (WrongUse, "The message has left already. Nothing was changed."),
        CommandError::Internal => (Internal, INTERNAL),
    };
    let mut failure = failure(kind, message);
    let better = match error {
        CommandError::Blocked => Some("End the blocking first."),
        CommandError::FileTooLong => Some(FILE_TOO_LONG_HINT),
        CommandError::FilesUnderWay => Some("Wait until one has arrived, or cancel one."),
        CommandError::TooOld => Some("Send its text as a new message."),
        _ => None,
    };
    if let Some(hint) = better {
        hint.clone_into(&mut failure.hint);
    }
    failure
}

/// As [`refused`], for a message to the contact called `name`; a changed key gets the blocking
/// words of PRD-9.
pub(crate) fn refused_send(error: CommandError, name: &str) -> Failure {
    let mut failure = refused(error);
    if error == CommandError::KeyChanged {
        failure.message = format!(
            "{name}'s key changed. Nothing was sent.\nUsual reason: a new device or a reinstall. \
             Possible reason: someone is intercepting."
        );
    }
    failure
}

/// The typed words are not the peer's.
pub(crate) fn wrong_words(tries_left: u8) -> Failure {
    if tries_left == 0 {
        return failure(ErrorKind::Blocked, "Wrong words for the third time: the pairing is void.");
    }
    let mut wrong = failure(ErrorKind::WrongWords, "");
    wrong.message = format!(
        "These are not the contact's words. Nothing was verified; tries left: {tries_left}."
    );
    wrong
}

const fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::WrongUse => "Look at the help of the command.",
        ErrorKind::TooLong => "Send it in several messages.",
        ErrorKind::Internal => "Try again; if it stays, restart the daemon and report it.",
        ErrorKind::Unreachable => "Look at the status: it says which part does not answer.",
        ErrorKind::Unverified => "Compare words with the contact over a channel you trust.",
        ErrorKind::KeyChanged => "Compare words with the contact over a channel you trust.",
        ErrorKind::Blocked => "Remove the contact and pair again with a new invite.",
        ErrorKind::WrongWords => "Ask the contact to read the words again, slowly.",
        ErrorKind::InviteUsed => "If that was not you or your contact, treat it as intercepted.",
        ErrorKind::BadInvite => "Ask for a new invite.",
        ErrorKind::Rate => "Wait a little and try again.",
        ErrorKind::Locked => "Unlock the profile.",
        ErrorKind::WrongPassphrase => "Type it again; nobody can recover it.",
        ErrorKind::Profile => "Look at the status.",
        ErrorKind::Storage => {
            "Make room on the disk, or look at its health; it is tried again by itself."
        }
        ErrorKind::Damaged => {
            "Nothing was deleted. Copy the profile's folder before anything else."
        }
        ErrorKind::Sandbox => "Look at the doctor's report.",
    }
}

/// What the store could not do.
pub(crate) fn storage(error: &StoreError) -> Failure {
    use ErrorKind::{Damaged, Internal, Profile, Storage, WrongPassphrase, WrongUse};
    let (kind, message) = match error {
        StoreError::WrongPassphrase => (WrongPassphrase, "The passphrase is wrong."),
        StoreError::Passphrase => (WrongUse, "A passphrase is 1 to 1024 bytes of UTF-8."),
        StoreError::SamePassphrase => (WrongUse, "This passphrase is in use already."),
        StoreError::Exists => (Profile, PROFILE_EXISTS),
        StoreError::NoProfile => (Profile, NO_PROFILE),
        StoreError::InUse => (Profile, "Another core has this profile. Nothing was changed."),
        StoreError::DiskFull => {
            (Storage, "The disk is full. Nothing was saved and nothing was sent.")
        }
        StoreError::NoMemory => (Storage, "There is not enough memory. Nothing was done."),
        StoreError::Busy => (Storage, "Another program holds the database. Nothing was saved."),
        StoreError::Permission(_) => (
            Storage,
            "The profile's files may not be written, or others may read them. Nothing was saved and nothing was sent.",
        ),
        StoreError::Io(_) | StoreError::Database(_) => {
            (Storage, "The disk failed. Nothing was sent.")
        }
        StoreError::Broken => (
            Storage,
            "The disk failed before. Nothing is sent until the profile was locked and unlocked again.",
        ),
        StoreError::Floor(_) | StoreError::Pragma(_) => {
            (Storage, "The database library is not the one this program needs. Nothing was opened.")
        }
        StoreError::NoKeystore => {
            (Storage, "This profile also needs the OS keystore, which is not there.")
        }
        StoreError::NewerVersion { .. } => {
            (Storage, "The database comes from a newer version. It was left untouched.")
        }
        StoreError::Damaged { salvage: Some(_) } => {
            (Damaged, "The database is damaged. It was copied aside; nothing was deleted.")
        }
        StoreError::Damaged { salvage: None } | StoreError::Plaintext => {
            (Damaged, "The database is damaged. Nothing was deleted.")
        }
        StoreError::SlotsMissing => (
            Damaged,
            "The file slots.bin, which holds the database's key, is missing. Nothing was deleted.",
        ),
        StoreError::Format | StoreError::Weak | StoreError::Excessive => {
            (Damaged, "The file slots.bin is damaged. Nothing was deleted.")
        }
        StoreError::Conflict => (Internal, INTERNAL),
    };
    failure(kind, message)
}

/// Why there is no backup, or no profile of one.
pub(crate) fn transfer(error: &BackupError) -> Failure {
    use ErrorKind::{Damaged, Internal, Storage, WrongPassphrase, WrongUse};
    let (kind, message) = match error {
        BackupError::Store(error) => return storage(error),
        BackupError::Path => (WrongUse, "The path is not absolute, or names no file."),
        BackupError::Exists => {
            (WrongUse, "There is a file of this name already. It was not touched.")
        }
        BackupError::Missing => (WrongUse, "There is no such file or folder. Nothing was made."),
        BackupError::DiskFull => (Storage, "The disk of the file is full. No backup was made."),
        BackupError::Permission => {
            (Storage, "The file or its folder may not be read or written. Nothing was made.")
        }
        BackupError::Io(_) => (Storage, "The disk of the file failed. Nothing was made."),
        BackupError::NotABackup => (WrongUse, "This file is no backup. Nothing was made."),
        BackupError::NewerVersion => {
            (WrongUse, "The backup was made by a newer version. Nothing was made.")
        }
        BackupError::WrongPassphrase => (
            WrongPassphrase,
            "The passphrase is not this backup's, or its first bytes are damaged. Nothing was made.",
        ),
        BackupError::Cost
        | BackupError::Damaged { .. }
        | BackupError::Truncated { .. }
        | BackupError::Appended { .. } => {
            (Damaged, "The backup is damaged. No profile was made, and nothing was deleted.")
        }
        BackupError::Content => {
            (Internal, "The backup says what no backup says. No profile was made.")
        }
        BackupError::OtherNetwork => (
            WrongUse,
            "The backup belongs to another network: a private test network, or the real one. Nothing was made.",
        ),
        BackupError::NotVerified => {
            (Storage, "What was read back is not what was written. No backup was made.")
        }
        BackupError::Cancelled => (WrongUse, "It was cancelled. Nothing was made."),
    };
    failure(kind, message)
}

/// Why a file of the user could not be sent (FIL-3).
pub(crate) fn unreadable(error: FolderError) -> Failure {
    let message = match error {
        FolderError::TooLong => return refused(CommandError::FileTooLong),
        FolderError::Missing => "There is no such file. Nothing was queued.",
        FolderError::Kind => "This is no regular file. Nothing was queued.",
        FolderError::Permission => "The file may not be read. Nothing was queued.",
        FolderError::DiskFull | FolderError::Names | FolderError::Io(_) => {
            "The file could not be read. Nothing was queued."
        }
    };
    failure(ErrorKind::WrongUse, message)
}

/// Why a folder was not taken.
pub(crate) fn no_folder(error: FolderError) -> Failure {
    failure(
        ErrorKind::WrongUse,
        match error {
            FolderError::Permission => "The folder may not be written. Nothing was changed.",
            _ => "There is no such folder. Nothing was changed.",
        },
    )
}
