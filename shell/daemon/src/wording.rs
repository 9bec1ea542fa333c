//! Every sentence that the core says, so that a rule of wording is one test (product.md).
//!
//! An error says what happened, what was not done, and what to do next (PRD-14). Nothing here
//! repeats what a peer, a mailbox or a file has said, and nothing names a place.

mod failure;

use crate::types::view::{Mode, Pace};
use engine::FailReason;
use engine::changes::EventKind;
pub(crate) use failure::{
    ending, failure, internal, locked, no_folder, refused, refused_send, storage, transfer,
    unreadable, wrong_words,
};
use gate::{Blockage, Stage};
use store::FolderError;

pub(crate) const HELLO_FIRST: &str = "The first call of a connection is hello. Nothing was done.";
pub(crate) const NOT_INTERACTIVE: &str =
    "Words are compared by a person. This face said that none sits at it; nothing was verified.";
pub(crate) const INTERNAL: &str = "A fault of the program. What was asked was not done.";
pub(crate) const ENDING: &str = "The core is ending. What was asked was not done.";
pub(crate) const DAMAGED: &str =
    "The database opened, but what is in it does not fit together. Nothing was changed or deleted.";
pub(crate) const PROFILE_EXISTS: &str = "There is a profile already. Nothing was made.";
pub(crate) const NO_PROFILE: &str = "There is no profile yet.";
pub(crate) const OPEN_ALREADY: &str = "The profile is open already.";
pub(crate) const NAME_TOO_LONG: &str = "A name is at most 64 bytes long. Nothing was changed.";
pub(crate) const NO_CONTACT: &str = "There is no contact of this name. Nothing was done.";
pub(crate) const SEVERAL: &str = "Several begin like this. Nothing was done.";
pub(crate) const NAME_TAKEN: &str = "Another contact has this name. Nothing was changed.";
pub(crate) const NAME_EMPTY: &str = "A name cannot be empty. Nothing was changed.";
pub(crate) const NO_MESSAGE: &str = "There is no message of this identifier. Nothing was done.";
pub(crate) const NOT_FAILED: &str = "Only a failed message is sent again. Nothing was queued.";
pub(crate) const NO_INVITE: &str = "There is no invite of this identifier. Nothing was done.";
pub(crate) const NO_MAILBOX: &str = "This is not one of the own mailboxes. Nothing was done.";
pub(crate) const NO_EVENT: &str = "An event's identifier looks like e_17. Nothing was done.";
pub(crate) const NO_ADDRESS: &str =
    "This is no v3 onion address: 56 letters and .onion. No mailbox was added.";
pub(crate) const MISTYPED_ADDRESS: &str =
    "The address is mistyped: its checksum does not fit. No mailbox was added.";
pub(crate) const SUBSCRIBER: &str =
    "A subscriber's name is 1 to 64 characters long. Nothing was kept.";
pub(crate) const KEY_TOO_LONG: &str = "A key is at most 128 bytes long. Nothing was queued.";
pub(crate) const LIMIT: &str = "A page holds 1 to 200 messages.";
pub(crate) const THREE_WORDS: &str = "Three words are compared. Nothing was verified.";

pub(crate) const TRANSFER_UNDER_WAY: &str =
    "A backup or restore is under way already. Nothing else was begun.";
pub(crate) const NO_TRANSFER: &str = "No backup and no restore is under way.";
pub(crate) const NO_FILE: &str = "There is no file of this identifier. Nothing was done.";
pub(crate) const FILE_EMPTY: &str = "The file is empty. Nothing was queued.";
pub(crate) const FILE_TOO_LONG: &str = "The file is longer than 8 MiB. Nothing of it was queued.";
const FILE_TOO_LONG_HINT: &str = "Send less, or in several files.";
pub(crate) const FILE_PATH: &str = "The path must be absolute. Nothing was done.";

/// Permanent: what weakens a promise in this version (PRD-12).
pub(crate) const NO_SANDBOX: &str = "process isolation is not active in this version";
/// PRD-19.
pub(crate) const NO_KEYSTORE: &str = "no OS keystore: the passphrase is the only lock";
/// PRD-21: a locked core runs no operation.
pub(crate) const LOCK_IS_VISIBLE: &str =
    "while the profile is locked no cover traffic runs: that it is locked can be seen from outside";
/// TOR-20.
pub(crate) const VANGUARDS_LITE: &str = "your Tor uses vanguards lite, not full";
/// TOR-19.
pub(crate) const NOT_ISOLATED: &str =
    "your Tor does not confirm that streams are kept apart from each other";
/// TOR-31.
pub(crate) const PRIVATE_NETWORK: &str = "PRIVATE TEST NETWORK: not anonymous";
pub(crate) const LOCKED_LINE: &str = "LOCKED: messages wait at the mailbox (14 days)";
pub(crate) const NO_PROFILE_LINE: &str = "no profile yet";
pub(crate) const NO_MAILBOX_LINE: &str = "no mailbox yet";
/// The name of a contact who gave none, before the beginning of its identifier.
pub(crate) const NAMELESS: &str = "Contact";

/// Why a file that came is not in the folder yet (FIL-12); it is tried again every minute.
pub(crate) const fn unsaved(error: FolderError) -> &'static str {
    match error {
        FolderError::DiskFull => "a file that came waits: the folder's disk is full",
        FolderError::Permission => "a file that came waits: the folder may not be written",
        FolderError::Missing | FolderError::Kind => {
            "a file that came waits: its folder is not there"
        }
        FolderError::Names => "a file that came waits: its folder has a thousand of its name",
        FolderError::TooLong | FolderError::Io(_) => {
            "a file that came waits: the folder's disk failed"
        }
    }
}

/// PRD-11: the usual delay, by the figures of BRD-38.
pub(crate) const fn usual_delay(mode: Mode, pace: Pace) -> &'static str {
    match (mode, pace) {
        (Mode::Fast, _) => "usual delay here: 10–30 s",
        (Mode::Steady, Pace::Every30) => "usual delay here: 1–5 min",
        (Mode::Steady, Pace::DayHours) => "usual delay here: 1–8 min, at night 10–60 min",
        (Mode::Steady, Pace::Every60) => "usual delay here: 2–10 min",
        (Mode::Steady, Pace::Every300) => "usual delay here: 10–60 min",
    }
}

/// What the schedule costs a day, by the figures of BRD-38 and the design's estimate.
pub(crate) fn usual_traffic(mode: Mode, pace: Pace) -> String {
    let (megabytes, circuits) = match pace {
        Pace::DayHours => (105, "2,750"),
        Pace::Every30 => (210, "5,800"),
        Pace::Every60 => (110, "2,900"),
        Pace::Every300 => (24, "590"),
    };
    match mode {
        Mode::Steady => {
            format!("with one mailbox about {megabytes} MB and {circuits} circuits a day")
        }
        Mode::Fast => {
            format!("{circuits} circuits a day with one mailbox, and more with each message")
        }
    }
}

/// What a face shows for an event, without the name of the contact. A state is a message's, or
/// else an invite's.
pub(crate) const fn event(kind: EventKind, of_message: bool) -> &'static str {
    match kind {
        EventKind::Message => "New message.",
        EventKind::State if of_message => "A message of yours has a new state.",
        EventKind::State => "An invite has a new state.",
        EventKind::ContactAdded => "Paired. Compare words before you write.",
        EventKind::ContactVerified => "Verified.",
        EventKind::VerificationFailed => {
            "Three wrong words: the pairing is void. Pair again with a new invite."
        }
        EventKind::ContactChanged => {
            "The key changed. Nothing was sent. Compare words over a channel you trust."
        }
        EventKind::InviteReused => {
            "An invite of yours was used a second time, which was refused. If that was not you or \
             your contact, treat it as intercepted."
        }
        EventKind::InviteRefused => {
            "This invite was already used. If that was not you or your contact, treat it as \
             intercepted."
        }
        EventKind::InviteDead => "An invite is of no use any more. Make a new one.",
        EventKind::ProfileElsewhere => {
            "Another copy of this profile is in use. Two copies take each other's messages: stop one, \
             and delete it. If you made no copy, somebody has your profile: pair anew from a new one."
        }
        EventKind::ContactBlocked => {
            "Blocked on this device: nothing comes in, nothing goes out, and the contact is not told."
        }
        EventKind::ContactUnblocked => {
            "Blocked no more: what still lies in the mailbox comes in, what waits here goes out."
        }
        EventKind::SessionRenewed => {
            "Session renewed: one of the two devices had lost it. The contact stays verified."
        }
        EventKind::FileOffered => "A file is on its way.",
        EventKind::FileReceived => {
            "A file came and lies in your folder. Who sent it is certain, what is in it is not."
        }
        EventKind::FileEnded => "A file has ended.",
        EventKind::ContactTimer => "How long messages stay was changed.",
        EventKind::MailboxAlarm => {
            "A mailbox showed what no honest mailbox shows. Use another one."
        }
    }
}

/// Why an operation failed.
pub(crate) const fn fail_reason(reason: FailReason) -> &'static str {
    match reason {
        FailReason::NoTor => "Tor is not running",
        FailReason::Blocked => "Tor is blocked",
        FailReason::Clock => "the clock is wrong",
        FailReason::Timeout => "no answer within a minute",
        FailReason::NotFound => "its onion service is not to be found",
        FailReason::Refused => "it refuses connections",
        FailReason::Unreachable => "it cannot be reached",
        FailReason::Closed => "it closed the connection",
        FailReason::Garbage => "it answered what is no answer",
        FailReason::Internal => "a fault of this program",
    }
}

/// How far Tor is.
pub(crate) const fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Gone => "not running",
        Stage::Starting => "starting",
        Stage::Connecting => "connecting",
        Stage::Directory => "loading directory",
        Stage::Ready => "ok",
        Stage::Waiting => "your own, not seen to work yet",
    }
}

/// What Tor takes for the obstacle; a guess (TOR-13).
pub(crate) const fn blockage(blockage: Blockage) -> Option<&'static str> {
    Some(match blockage {
        Blockage::None => return None,
        Blockage::Offline => "no connection to the internet",
        Blockage::Filtering => "connections are filtered",
        Blockage::CantReachTor => "the Tor network is not reached",
        Blockage::Clock => "the clock is wrong",
        Blockage::CantBootstrap => "the directory cannot be fetched",
        Blockage::NoProxy => "nothing listens where your Tor should be",
        Blockage::NotTor => "what listens there is not Tor, or does not isolate streams",
        Blockage::Fault => "a fault of the program or of its files",
    })
}

/// `5 s`, `4 min`, `3 h`, `2 d`: whole units, rounded down.
pub(crate) fn span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `0:40`: minutes and seconds until something.
pub(crate) fn countdown(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// PRD-1: messages that nobody confirmed.
pub(crate) fn unconfirmed(count: u64) -> String {
    format!("{count} of your messages not confirmed yet after 24 h")
}

/// ENG-9.
pub(crate) fn elsewhere(ago: u64) -> String {
    format!(
        "another copy of this profile was in use {} ago. Two copies take each other's messages: use \
         one, and delete the other. If you made no copy, somebody has your profile",
        span(ago)
    )
}

/// Tor says that the clock is wrong, and by how much if it knows.
pub(crate) fn clock_off(skew_s: Option<i32>) -> String {
    let by = skew_s
        .map_or_else(String::new, |skew| format!(" by {}", span(u64::from(skew.unsigned_abs()))));
    format!("Tor reports: the clock is off{by}. Nothing is sent until it is right.")
}

/// Tor met an obstacle. A wrong clock is often the cause, and Tor does not always see it (TOR-13).
pub(crate) fn blocked(blockage: &str) -> String {
    format!("Tor reports: {blockage}. Nothing is sent. Check the connection and the clock here.")
}

/// A mailbox's pages tell another time than ours (BRD-37).
pub(crate) fn clocks_apart(skew_s: i64) -> String {
    let (by, way) = (span(skew_s.unsigned_abs()), if skew_s > 0 { "ahead" } else { "behind" });
    format!(
        "disagrees about the time: the clock here is {by} {way}. Set it; messages may wait until then"
    )
}
