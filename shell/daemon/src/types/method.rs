//! Methods: their parameters and results. `Call` is the one list of what a face can ask.

use super::view;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Every method with its parameters, as `{"method": .., "params": ..}`.
///
/// Its `Debug` shows nothing: passphrases, texts and invites pass through here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", content = "params")]
pub enum Call {
    /// First call of a connection. `interactive` faces may verify contacts (PRD-18).
    ///
    /// Answer: [`Welcome`].
    #[serde(rename = "hello")]
    Hello {
        /// Name of the face, such as `cli`.
        client: String,
        /// Whether a person sits at it.
        interactive: bool,
    },
    /// Makes the profile: identity and database. Needs no network (ID-1).
    ///
    /// Answer: [`Done`]; the profile is open.
    #[serde(rename = "create")]
    Create {
        /// The passphrase; nobody can recover it.
        passphrase: String,
        /// The name that contacts are shown at pairing, at most 64 bytes; may be empty.
        name: String,
        /// The schedule.
        mode: view::Mode,
        /// Local time minus UTC in minutes, as the face sees it: where the day hours of the
        /// schedule lie (BRD-38). The core reads no time zone.
        #[serde(default)]
        utc_offset_min: i16,
    },
    /// Opens the profile.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "unlock")]
    Unlock {
        /// The passphrase.
        passphrase: String,
    },
    /// Closes the profile: keys leave the memory, the core process ends and is started anew, locked.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "lock")]
    Lock {},
    /// The status line and everything behind it.
    ///
    /// Answer: [`view::Status`].
    #[serde(rename = "status")]
    Status {},
    /// Ends core and gate.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "shutdown")]
    Shutdown {},
    /// Begins to make the profile of a backup. How far it is says `transfer`; at its end the profile
    /// is open.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "restore")]
    Restore {
        /// The backup, an absolute path.
        file: String,
        /// The backup's own passphrase.
        file_passphrase: String,
        /// The passphrase of the profile that is made; nobody can recover it.
        passphrase: String,
    },
    /// Begins a backup of the open profile, under a passphrase of its own. How far it is says
    /// `transfer`. A file that is there is not touched.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "backup")]
    Backup {
        /// The new file, an absolute path.
        file: String,
        /// The backup's own passphrase; nobody can recover it.
        passphrase: String,
    },
    /// How far a backup or restore is; at its end what came of it, once. Whoever does not ask for
    /// ten seconds has given it up: then there is no file, and no profile.
    ///
    /// Answer: [`view::Transfer`].
    #[serde(rename = "transfer")]
    Transfer {},
    /// Changes the schedule.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "mode.set")]
    ModeSet {
        /// The schedule.
        mode: view::Mode,
    },
    /// Chooses how often mailboxes are visited. It holds from a random moment within a day, and can
    /// be chosen once a week (BRD-39).
    ///
    /// Answer: [`Done`].
    #[serde(rename = "pace.set")]
    PaceSet {
        /// The pace.
        pace: view::Pace,
    },
    /// Sets how many days messages stay on this device.
    ///
    /// Answer: [`Done`]; what is due by then is gone within a minute.
    #[serde(rename = "retention.set")]
    Retention {
        /// 1 to 365, or 0 for ever.
        days: u16,
    },
    /// Makes an invite. Answers at once; the URI shows when the invite is stored at the mailbox.
    ///
    /// Answer: [`view::Invite`].
    #[serde(rename = "invite.new")]
    InviteNew {
        /// What this device calls the contact that will come of it; empty = the peer's own name.
        name: String,
        /// Hours until it expires, 1 to 720.
        hours: u32,
    },
    /// One invite, or all.
    ///
    /// Answer: a list of [`view::Invite`].
    #[serde(rename = "invite.show")]
    InviteShow {
        /// Identifier or its beginning; empty = all.
        id: String,
    },
    /// Withdraws an invite.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "invite.revoke")]
    InviteRevoke {
        /// Identifier or its beginning.
        id: String,
    },
    /// Takes an invite. Answers at once; the handshake goes on by itself.
    ///
    /// Answer: [`view::Invite`].
    #[serde(rename = "accept")]
    Accept {
        /// The invite's URI.
        uri: String,
        /// What this device calls the contact; empty = the peer's own name.
        name: String,
    },
    /// All contacts.
    ///
    /// Answer: a list of [`view::Contact`].
    #[serde(rename = "contacts")]
    Contacts {},
    /// Changes the local name.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "contacts.rename")]
    Rename {
        /// Name or identifier.
        contact: String,
        /// The name from here on.
        name: String,
    },
    /// Removes a contact and its conversation from this device.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "contacts.remove")]
    Remove {
        /// Name or identifier.
        contact: String,
    },
    /// Blocks a contact, or with `undo` ends that: nothing in, nothing out, no sign to the peer.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "contacts.block")]
    Block {
        /// Name or identifier.
        contact: String,
        /// Ends the blocking.
        #[serde(default)]
        undo: bool,
    },
    /// Sets how long messages of a conversation stay, on both sides: those written from then on go
    /// so long after they left, and at the other side after they were read.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "contacts.timer")]
    Timer {
        /// Name or identifier.
        contact: String,
        /// Seconds, 300 to 2,592,000 (5 minutes to 30 days), or 0 for off.
        seconds: u32,
    },
    /// What to read aloud and what to listen for. Interactive faces only.
    ///
    /// Answer: [`Comparison`].
    #[serde(rename = "verify.begin")]
    VerifyBegin {
        /// Name or identifier.
        contact: String,
    },
    /// The words that the peer read aloud, in order. Interactive faces only.
    ///
    /// Answer: the [`view::Contact`], verified.
    #[serde(rename = "verify.words")]
    VerifyWords {
        /// Name or identifier.
        contact: String,
        /// The three typed words.
        words: Vec<String>,
    },
    /// Queues a message; answers when it is saved.
    ///
    /// Answer: [`Sent`].
    #[serde(rename = "send")]
    Send {
        /// Name or identifier.
        contact: String,
        /// What to say, at most 256 KiB of UTF-8.
        text: String,
        /// Done once per key, for 14 days; empty = no key.
        #[serde(default)]
        key: String,
    },
    /// Queues a file: all of it is kept when this answers, its source may vanish.
    ///
    /// Answer: the [`view::File`].
    #[serde(rename = "files.send")]
    FileSend {
        /// Name or identifier.
        contact: String,
        /// Absolute path of a regular file, 1 byte to 8 MiB.
        path: String,
    },
    /// Files under way, and those that ended in the last 30 days.
    ///
    /// Answer: a list of [`view::File`], oldest first.
    #[serde(rename = "files")]
    Files {
        /// Name or identifier of a contact; empty = of all.
        #[serde(default)]
        contact: String,
    },
    /// Ends a file that is under way, in either direction; the contact is told.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "files.cancel")]
    FileCancel {
        /// File identifier or its beginning.
        file: String,
    },
    /// Chooses or shows the folder for files that come.
    ///
    /// Answer: [`Folder`].
    #[serde(rename = "files.folder")]
    FileFolder {
        /// Absolute path of a folder that is there; empty = it is only shown.
        #[serde(default)]
        path: String,
    },
    /// Takes a queued message back, if nothing of it has left.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "send.recall")]
    Recall {
        /// Message identifier or its beginning.
        message: String,
    },
    /// Queues a failed message again.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "send.retry")]
    Retry {
        /// Message identifier or its beginning.
        message: String,
    },
    /// One message with its state.
    ///
    /// Answer: [`view::Message`].
    #[serde(rename = "message")]
    Message {
        /// Message identifier or its beginning.
        message: String,
    },
    /// Marks one message that came in as read. Its timer begins, if it has one.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "message.read")]
    Read {
        /// Message identifier or its beginning.
        message: String,
    },
    /// What came in and was not marked read.
    ///
    /// Answer: a list of [`view::Message`], oldest first.
    #[serde(rename = "inbox")]
    Inbox {
        /// Marks what is returned as read.
        #[serde(default)]
        ack: bool,
    },
    /// A conversation, newest last.
    ///
    /// Answer: a list of [`view::Message`].
    #[serde(rename = "history")]
    History {
        /// Name or identifier.
        contact: String,
        /// Only what was saved before this row; absent = from the end.
        #[serde(default)]
        before: Option<i64>,
        /// How many, 1 to 200.
        limit: u32,
    },
    /// Adds an own mailbox.
    ///
    /// Answer: [`view::Mailbox`].
    #[serde(rename = "mailbox.add")]
    MailboxAdd {
        /// `<56 letters>.onion`, with or without `pvtcoms-mailbox:` before it.
        address: String,
    },
    /// Own mailboxes with their last answers.
    ///
    /// Answer: a list of [`view::Mailbox`].
    #[serde(rename = "mailbox.list")]
    MailboxList {},
    /// Removes an own mailbox.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "mailbox.remove")]
    MailboxRemove {
        /// Address or its beginning.
        address: String,
    },
    /// Starts events on this connection: as notifications `{"method":"event","params":Event}`.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "subscribe")]
    Subscribe {
        /// Name under which positions are kept until `ack` (PRD-17); empty = nothing is kept.
        #[serde(default)]
        name: String,
        /// Only events after this one (`e_17`); absent = after the last acknowledged one, and
        /// without a name or an acknowledgement only what happens from here on.
        #[serde(default)]
        after: Option<String>,
    },
    /// Acknowledges events of a named subscriber.
    ///
    /// Answer: [`Done`].
    #[serde(rename = "ack")]
    Ack {
        /// The subscriber's name.
        name: String,
        /// The last event that was dealt with (`e_17`).
        through: String,
    },
}

impl Call {
    /// The names of all methods: any other is answered with −32601.
    pub const METHODS: [&'static str; 39] = [
        "hello",
        "create",
        "unlock",
        "lock",
        "status",
        "shutdown",
        "restore",
        "backup",
        "transfer",
        "mode.set",
        "pace.set",
        "retention.set",
        "invite.new",
        "invite.show",
        "invite.revoke",
        "accept",
        "contacts",
        "contacts.rename",
        "contacts.remove",
        "contacts.block",
        "contacts.timer",
        "verify.begin",
        "verify.words",
        "send",
        "files.send",
        "files",
        "files.cancel",
        "files.folder",
        "send.recall",
        "send.retry",
        "message",
        "message.read",
        "inbox",
        "history",
        "mailbox.add",
        "mailbox.list",
        "mailbox.remove",
        "subscribe",
        "ack",
    ];
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call(..)")
    }
}

/// Answer to `hello`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// [`super::RPC_VERSION`].
    pub v: u32,
    /// The core's version.
    pub build: String,
    /// Whether the profile is there and open.
    pub profile: view::ProfileState,
}

/// Answer to `send`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Identifier of the message (`m_` and 32 hex digits).
    pub message: String,
    /// `queued`: it is saved. A key that was used before brings the state of the message that
    /// was queued under it then.
    pub state: view::MessageState,
    /// The usual delay in this mode, in words (PRD-11).
    pub usual_delay: String,
}

/// Answer to `verify.begin`: own half of the words, and how many the peer must read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// Local name of the contact.
    pub contact: String,
    /// The three words to read aloud, with their positions (1 to 6).
    pub read_aloud: Vec<(u8, String)>,
    /// Positions of the three words that the peer reads and the user types.
    pub listen_for: Vec<u8>,
    /// Wrong tries that are left before the contact is locked.
    pub tries_left: u8,
}

/// Answer to `files.folder`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Where files that come are saved.
    pub path: String,
}

/// Answer of methods that have nothing to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prd_15_every_method_is_listed_once() {
        let error = serde_json::from_str::<Call>(r#"{"method":"?","params":{}}"#).unwrap_err();
        let listed = Call::METHODS.map(|name| format!("`{name}`")).join(", ");
        assert!(error.to_string().contains(&format!("expected one of {listed}")), "{error}");
    }

    #[test]
    fn se_2_nothing_of_a_call_is_printed() {
        let call = Call::Unlock { passphrase: "correct horse".to_owned() };
        assert_eq!(format!("{call:?}"), "Call(..)");
    }
}
