//! What people ask for, and what came of it.

use crate::MessageId;
use crate::contact::ContactId;
use crate::file::FileId;
use crate::pace::Pace;
use crate::pairing::InviteId;
use crate::schedule::Mode;
use board::tag::OnionKey;
use crypto::Zeroizing;

/// A wish.
pub enum Command {
    /// Changes the schedule.
    SetMode(Mode),
    /// Chooses how often slots fire. It holds from a random moment within a day (BRD-39).
    SetPace(Pace),
    /// Sets how many days messages stay on this device, 1 to 365, or 0 for ever (STO-31).
    SetRetention(u16),
    /// Adds an own mailbox.
    AddMailbox(OnionKey),
    /// Removes an own mailbox.
    RemoveMailbox(OnionKey),
    /// Makes an invite.
    NewInvite {
        /// Local name of the contact to be; the name of a contact assigns the invite to it.
        name: String,
        /// Hours until it expires.
        hours: u32,
    },
    /// Withdraws an invite.
    RevokeInvite(InviteId),
    /// Takes an invite.
    Accept {
        /// Its URI.
        uri: Zeroizing<String>,
        /// Local name of the contact to be; the name of a contact assigns the invite to it.
        name: String,
    },
    /// Changes a local name.
    Rename {
        /// Whose.
        contact: ContactId,
        /// The name from here on.
        name: String,
    },
    /// Removes a contact and its conversation.
    RemoveContact(ContactId),
    /// Blocks a contact, or ends that: nothing in, nothing out, no sign of it to the peer (ENG-4).
    Block {
        /// Whom.
        contact: ContactId,
        /// Whether it is blocked from here on.
        blocked: bool,
    },
    /// Sets how long messages of a conversation stay, on both sides (ENG-7).
    SetTimer {
        /// Whose conversation.
        contact: ContactId,
        /// Seconds, 300 to 2,592,000, or 0 for off.
        seconds: u32,
    },
    /// Asks what to read aloud and what to listen for.
    BeginVerify(ContactId),
    /// The three words that the peer read aloud.
    Verify {
        /// Whose.
        contact: ContactId,
        /// In order of their positions.
        words: [String; 3],
    },
    /// Queues a message.
    Send {
        /// To whom.
        contact: ContactId,
        /// What.
        text: Zeroizing<String>,
    },
    /// Queues a file: all of it is kept here when this is saved (FIL-5).
    SendFile {
        /// To whom.
        contact: ContactId,
        /// What it is called, 1 to 255 bytes: the last component of its path.
        name: String,
        /// The whole, 1 byte to 8 MiB.
        bytes: Zeroizing<Vec<u8>>,
    },
    /// Ends a file that is under way, in either direction (FIL-13).
    CancelFile {
        /// To or from whom.
        contact: ContactId,
        /// Which.
        file: FileId,
    },
    /// A file of a contact that was whole lies in the folder (FIL-12).
    FileSaved {
        /// From whom.
        contact: ContactId,
        /// Which.
        file: FileId,
        /// Its name in the folder.
        name: String,
    },
    /// Takes a message back if nothing of it was ever sealed.
    Recall {
        /// Whose conversation.
        contact: ContactId,
        /// Which message.
        message: MessageId,
    },
    /// Queues a failed message again, as the same one: it is shown once (BRD-50).
    Retry {
        /// Whose conversation.
        contact: ContactId,
        /// Which message.
        message: MessageId,
        /// Its text, from the store.
        text: Zeroizing<String>,
        /// When it was first sent, Unix seconds.
        sent: u64,
        /// Whether something of it may have left before: not if it was taken back.
        left: bool,
        /// The timer that it was written under, in seconds.
        timer: u32,
    },
}

/// What came of a wish.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// Done.
    Done,
    /// The invite was made or taken.
    Invite(InviteId),
    /// Own words, and where the peer's belong.
    Comparison {
        /// Positions (1 to 6) and words to read aloud.
        read_aloud: [(u8, &'static str); 3],
        /// Positions of the peer's words.
        listen_for: [u8; 3],
        /// Tries left.
        tries_left: u8,
    },
    /// The contact is verified.
    Verified,
    /// The message is queued.
    Message(MessageId),
    /// The file is queued.
    File(FileId),
    /// The words are wrong; this many tries are left. Saved like every other outcome.
    WrongWords {
        /// Tries left; with none the contact is locked.
        tries_left: u8,
    },
}

/// Why nothing was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such contact, invite or mailbox.
    #[error("there is no such contact, invite or mailbox")]
    Unknown,
    /// A name is empty, too long or taken.
    #[error("the name is empty, longer than 64 bytes, or taken")]
    BadName,
    /// The message is empty.
    #[error("the message is empty")]
    Empty,
    /// The message is too long.
    #[error("the message is longer than 256 KiB")]
    TooLong,
    /// There is no own mailbox.
    #[error("the profile has no mailbox")]
    NoMailbox,
    /// There are two own mailboxes already, or this one is there.
    #[error("the profile has this mailbox, or two others")]
    MailboxLimit,
    /// An invite lives 1 to 720 hours.
    #[error("an invite lives 1 to 720 hours")]
    BadHours,
    /// Not an invite, or of another version.
    #[error("not an invite")]
    NotAnInvite,
    /// The invite is mistyped.
    #[error("the invite is mistyped")]
    Mistyped,
    /// The invite has expired.
    #[error("the invite has expired")]
    Expired,
    /// The invite was made here, or was taken already.
    #[error("the invite was made here, or was taken already")]
    OwnInvite,
    /// The contact's words were not compared (SAS-4).
    #[error("the contact is not verified")]
    Unverified,
    /// The contact's key changed (ID-3).
    #[error("the contact's key changed")]
    KeyChanged,
    /// Three wrong words.
    #[error("the contact is locked")]
    Locked,
    /// The contact is blocked here (ENG-4).
    #[error("the contact is blocked")]
    Blocked,
    /// The contact is verified already.
    #[error("the contact is verified already")]
    AlreadyVerified,
    /// The file is empty (FIL-3).
    #[error("the file is empty")]
    FileEmpty,
    /// The file is too long (FIL-3).
    #[error("the file is longer than 8 MiB")]
    FileTooLong,
    /// The file's name is empty or too long (FIL-1).
    #[error("the file's name is empty or longer than 255 bytes")]
    FileName,
    /// Too much of ours is under way (FIL-3).
    #[error("files of more than 32 MiB are under way")]
    FilesUnderWay,
    /// The file has ended, or is not whole yet.
    #[error("the file has ended, or is not there yet")]
    FileOver,
    /// Some of the message has left already.
    #[error("the message has left already")]
    TooLate,
    /// The message is too old to be sent again as the same one (BRD-50).
    #[error("the message is older than 30 days")]
    TooOld,
    /// No such timer (CNT-8).
    #[error("a timer is off or from 5 minutes to 30 days")]
    BadTimer,
    /// Another pace was chosen less than a week ago (BRD-39).
    #[error("another pace was chosen less than a week ago")]
    PaceTooSoon {
        /// Seconds until one may be chosen again.
        wait_s: u64,
    },
    /// No such retention.
    #[error("messages stay 1 to 365 days, or for ever")]
    BadRetention,
    /// Our bug.
    #[error("a key could not be made")]
    Internal,
}
