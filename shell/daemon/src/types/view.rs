//! View models: what faces show, already cleaned (HOS-10).

use serde::{Deserialize, Serialize};

/// Whether the profile is there and open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileState {
    /// None was made yet.
    Absent,
    /// There is one; the passphrase opens it.
    Locked,
    /// Open.
    Unlocked,
}

/// The schedule (BRD-38).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Messages take minutes; a mailbox that records everything cannot tell who talks to whom.
    Steady,
    /// Messages take seconds; a mailbox that records everything can link some of them.
    Fast,
}

/// How often a mailbox is visited, on average: to put something there, and to fetch (BRD-38).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Every 45 s in sixteen day hours, every five minutes otherwise.
    DayHours,
    /// Every 30 seconds, day and night.
    #[serde(rename = "every_30")]
    Every30,
    /// Every minute, day and night.
    #[serde(rename = "every_60")]
    Every60,
    /// Every five minutes, day and night.
    #[serde(rename = "every_300")]
    Every300,
}

/// A pace that was chosen and does not hold yet (BRD-39).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextPace {
    /// The pace.
    pub pace: Pace,
    /// Seconds until it holds.
    pub in_s: u64,
}

/// What became of a message (PRD-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Saved here, not yet at a mailbox.
    Queued,
    /// A mailbox answered that it is on disk.
    Stored,
    /// The peer's device saved it and its receipt came back.
    Delivered,
    /// Given up; the text is kept.
    Failed,
    /// Came from the peer.
    Received,
}

/// Why a message failed (PRD-10). The text is kept in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedWhy {
    /// It was taken back before anything of it had left.
    Recalled,
    /// No mailbox had all of it within 14 days.
    NotStored,
    /// A mailbox had it, and no receipt came within 14 days; the mailbox keeps it no longer.
    NotConfirmed,
}

/// How far a contact is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Trust {
    /// Words were not compared; nothing but the handshake is sent.
    Unverified,
    /// Words were compared.
    Verified {
        /// When, Unix seconds.
        since: u64,
    },
    /// The key changed; nothing is sent until words are compared again.
    Changed,
    /// Three wrong words were typed; the pairing is void.
    Locked,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Identifier (`c_` and 32 hex digits).
    pub id: String,
    /// Local name, unique on this device.
    pub name: String,
    /// How far it is trusted.
    #[serde(flatten)]
    pub trust: Trust,
    /// Blocked on this device: nothing in, nothing out.
    #[serde(default)]
    pub blocked: bool,
    /// How long messages stay, in seconds; 0 is for ever, but for the retention of this device.
    #[serde(default)]
    pub timer: u32,
    /// Messages of ours that are not delivered yet.
    pub pending: u64,
    /// Messages that came in and were not marked read.
    pub unread: u64,
    /// The words of the long-term check, for verified contacts: 12 words over both fingerprints.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub long_check: Option<Vec<String>>,
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Identifier (`m_` and 32 hex digits).
    pub id: String,
    /// Row, for paging.
    pub row: i64,
    /// Local name of the contact.
    pub contact: String,
    /// `received` for the peer's messages.
    pub state: MessageState,
    /// The text, cleaned for display.
    pub text: String,
    /// The sender's clock, Unix seconds.
    pub sent: u64,
    /// This device's clock, Unix seconds.
    pub saved: u64,
    /// Not confirmed for 24 h (PRD-1).
    #[serde(default)]
    pub unconfirmed: bool,
    /// Why it failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<FailedWhy>,
    /// How long it stays after it left, or was read, in seconds; 0 is for ever.
    #[serde(default)]
    pub timer: u32,
    /// Seconds until it goes, once that has begun.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gone_in: Option<u64>,
}

/// Where a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// Ours: the contact does not know of it yet.
    Offered,
    /// Parts are on their way.
    Moving,
    /// All of it is here; it is being saved in the folder.
    Whole,
    /// It is in the receiver's folder.
    Done,
    /// Ended on this side.
    Cancelled,
    /// Ended by the contact.
    Refused,
    /// Too much was under way at the receiver.
    NoRoom,
    /// What came was not what was offered.
    Damaged,
    /// It did not move for 14 days.
    Failed,
}

/// A file, to or from a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Identifier (`f_` and 32 hex digits).
    pub id: String,
    /// Local name of the contact.
    pub contact: String,
    /// Whether it goes out from here.
    pub ours: bool,
    /// Its sender's name for it, cleaned for display.
    pub name: String,
    /// Its name in the folder, once it was saved there.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub saved: Option<String>,
    /// Bytes of the whole.
    pub size: u32,
    /// Bytes that have arrived; of an own one, those that the contact has reported.
    pub done: u32,
    /// Where it stands.
    pub state: FileState,
    /// When it was accepted or offered here, Unix seconds.
    pub begun: u64,
}

/// Where an invite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InviteState {
    /// Not at the mailbox yet; must not be handed out.
    Depositing,
    /// At the mailbox; can be handed out.
    Ready,
    /// Somebody answered; the handshake goes on.
    Answered,
    /// A contact came of it.
    Used,
    /// Used a second time: treat it as intercepted (ID-2).
    Reused,
    /// We took it, and it had been used before (ID-2).
    Refused,
    /// We took it; the handshake goes on.
    Accepting,
    /// Ran out, was withdrawn, or was burnt by garbage.
    Dead,
}

/// An invite, given or taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invite {
    /// Identifier (`i_` and 32 hex digits).
    pub id: String,
    /// Local name of the contact to be; may be empty.
    pub name: String,
    /// Whether it was made here.
    pub ours: bool,
    /// Where it stands.
    pub state: InviteState,
    /// When it expires, Unix seconds.
    pub expires: u64,
    /// The URI to hand out; only for ours, only while `ready`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uri: Option<String>,
    /// The contact that came of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<String>,
}

/// An own mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    /// `<56 letters>.onion`.
    pub address: String,
    /// Seconds since the last round trip that succeeded.
    pub answered_ago: Option<u64>,
    /// Operations in a row that failed.
    pub failures: u32,
    /// Why the last one failed.
    pub reason: Option<String>,
    /// It showed two histories, or bytes that no honest mailbox shows.
    pub alarm: bool,
    /// This device's clock minus the mailbox's, in seconds, while they are too far apart.
    pub skew_s: Option<i64>,
    /// Contacts are told to write elsewhere; until when it is still read, in Unix seconds.
    pub left_until: Option<u64>,
}

/// What the gate says of Tor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tor {
    /// The stage, in words.
    pub stage: String,
    /// Progress, 0 to 100.
    pub percent: u8,
    /// What Tor reports as the obstacle, in words.
    pub blockage: Option<String>,
    /// Ready for operations.
    pub ready: bool,
    /// `full`, or `lite (your Tor)`.
    pub vanguards: String,
    /// A private test network: not anonymous (TOR-31).
    pub private_network: bool,
}

/// Everything behind the status line (PRD-1, PRD-12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether the profile is there and open.
    pub profile: ProfileState,
    /// The status line, as every face shows it.
    pub line: String,
    /// The schedule.
    pub mode: Option<Mode>,
    /// How often mailboxes are visited.
    #[serde(default)]
    pub pace: Option<Pace>,
    /// What was chosen instead, and when that holds.
    #[serde(default)]
    pub next_pace: Option<NextPace>,
    /// The usual delay at this pace, and what the schedule costs a day, in words.
    pub usual_delay: Option<String>,
    /// What the gate says of Tor.
    pub tor: Tor,
    /// Own mailboxes.
    pub mailboxes: Vec<Mailbox>,
    /// Messages not yet at a mailbox.
    pub queued: u64,
    /// Messages at a mailbox, not confirmed by the peer.
    pub stored: u64,
    /// Messages that came in and were not marked read.
    pub unread: u64,
    /// Messages without a receipt after 24 h.
    pub unconfirmed: u64,
    /// Names of contacts whose key changed.
    pub blocked: Vec<String>,
    /// Names of contacts who are blocked on this device.
    #[serde(default)]
    pub silenced: Vec<String>,
    /// Days that messages stay on this device; 0 is for ever.
    #[serde(default)]
    pub retention: Option<u16>,
    /// Conditions that weaken a promise, one line each (PRD-12).
    pub warnings: Vec<String>,
}

/// How far a backup or restore is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// So much is done, of `total`; both are 0 while a passphrase is stretched.
    pub done: u64,
    /// Rows to be written and read back, or bytes to be read.
    pub total: u64,
    /// All of it is done: a whole backup that was read back, or an open profile.
    pub finished: bool,
    /// Messages in it; only when finished.
    pub messages: u64,
    /// Messages whose time here had run out, and that did not come back; only when finished.
    pub over: u64,
    /// Length of the file in bytes, of a backup; only when finished.
    pub bytes: u64,
    /// When the restored backup was made, Unix seconds; only when finished.
    pub made: Option<u64>,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Identifier (`e_17`).
    pub id: String,
    /// Kind: see `engine::changes::EventKind`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Local name of the contact.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub contact: Option<String>,
    /// The message, whole, for `message` and `state`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message: Option<Message>,
    /// The file, whole, for `file.offered`, `file.received` and `file.ended`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<File>,
    /// What to show a person.
    pub text: String,
    /// When, Unix seconds.
    pub at: u64,
}
