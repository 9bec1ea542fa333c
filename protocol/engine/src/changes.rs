//! What one step writes: rows, messages and events, saved in one transaction (STO-24).
//!
//! The engine knows no SQL and the store knows no protocol; these types are all they share.

use crypto::Zeroizing;

/// One table of engine state: opaque rows under opaque keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Identity, mode, day hours; the clock for ages; beacons: a row each.
    Profile,
    /// Own mailboxes, by onion key (32).
    Mailbox,
    /// Contacts, by contact id (16).
    Contact,
    /// Invites, given or taken, by invite id (16).
    Invite,
    /// Ratchets and tag chains, by contact id (16); and what is under way to renew them, by contact
    /// id and a byte (17).
    Ratchet,
    /// Items that wait for a mailbox or for the peer, by item id (16).
    Outbox,
    /// Parts of messages that are not complete yet, by contact (16) and message (16).
    Partial,
    /// Item ids that arrived, by contact (16) and item id (16).
    Seen,
    /// Progress of reading, by mailbox (32); and pages with something that is still to be fetched,
    /// by mailbox (32) and page (8).
    Cursor,
    /// What a lost session is renewed from, by contact id (16). A contact with such a row and
    /// without one of [`Table::Ratchet`] is a contact whose session must be renewed (REK-1).
    Recovery,
    /// Files under way, and how others ended, by contact (16) and file (16) (FIL-14).
    File,
    /// Their bytes, by contact (16), file (16) and part (4).
    FilePart,
}

impl Table {
    /// All tables, for schemas and loading.
    pub const ALL: [Self; 12] = [
        Self::Profile,
        Self::Mailbox,
        Self::Contact,
        Self::Invite,
        Self::Ratchet,
        Self::Outbox,
        Self::Partial,
        Self::Seen,
        Self::Cursor,
        Self::Recovery,
        Self::File,
        Self::FilePart,
    ];

    /// The table's name in the schema.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Profile => "profile",
            Self::Mailbox => "mailbox",
            Self::Contact => "contact",
            Self::Invite => "invite",
            Self::Ratchet => "ratchet",
            Self::Outbox => "outbox",
            Self::Partial => "partial",
            Self::Seen => "seen",
            Self::Cursor => "cursor",
            Self::Recovery => "recovery",
            Self::File => "file",
            Self::FilePart => "file_part",
        }
    }
}

/// What became of a message (PRD-10). States only move forward, except failed to queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageState {
    /// Saved here, not yet at a mailbox.
    Queued,
    /// A mailbox answered that it is on disk.
    Stored,
    /// The peer's device saved it and its receipt came back.
    Delivered,
    /// No receipt came within 14 days of a mailbox having it; the text is kept.
    Failed,
    /// Came from the peer.
    Received,
    /// Taken back before anything of it had left; the text is kept.
    Recalled,
    /// No mailbox had all of it within 14 days; the text is kept.
    NotStored,
}

impl MessageState {
    /// Whether people see it as failed: nothing more becomes of it unless it is sent again.
    #[must_use]
    pub const fn is_failed(self) -> bool {
        matches!(self, Self::Failed | Self::Recalled | Self::NotStored)
    }
}

/// A message of a conversation, as people see it.
pub struct Message {
    /// Identifier, 16 random bytes of the sender.
    pub id: [u8; 16],
    /// Whose conversation it belongs to.
    pub contact: [u8; 16],
    /// State; [`MessageState::Received`] for the peer's messages.
    pub state: MessageState,
    /// What was said. UTF-8, checked, not yet cleaned for display.
    pub text: Zeroizing<String>,
    /// The sender's clock, Unix seconds.
    pub sent: u64,
    /// This device's clock when it was saved, Unix seconds; conversations are ordered by saving.
    pub saved: u64,
    /// The clock for ages when it was saved, in seconds (ENG-8): what [`Due::since_before`] is
    /// compared with.
    pub since: u64,
    /// How long it stays after it left or was read, in seconds; 0 is for ever (ENG-7).
    pub timer: u32,
}

/// What is due for deletion, on the clock for ages (ENG-8), in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The time now: messages whose timer has run out by it go. Also when a timer begins that
    /// begins now.
    pub now: u64,
    /// Messages that were saved before this go.
    pub since_before: u64,
}

/// One write.
pub enum Change {
    /// Inserts or replaces a row.
    Put {
        /// Where.
        table: Table,
        /// Primary key.
        key: Vec<u8>,
        /// Content; holds secrets.
        value: Zeroizing<Vec<u8>>,
    },
    /// Removes a row, if it is there.
    Delete {
        /// Where.
        table: Table,
        /// Primary key.
        key: Vec<u8>,
    },
    /// Adds a message to a conversation. An id of ours is new: a second insert is a fault of the
    /// engine and fails the transaction. An id of the peer's that is taken already is ignored:
    /// the peer chooses it.
    Message(Message),
    /// Moves a message of ours to another state.
    MessageState {
        /// Whose conversation.
        contact: [u8; 16],
        /// Which message.
        id: [u8; 16],
        /// The state it is in from here on.
        state: MessageState,
    },
    /// Begins the timer of a message of ours, if it has one that has not begun: it ends `timer`
    /// seconds after `at`. A message that is queued again has one that has not begun.
    BeginTimer {
        /// Whose conversation.
        contact: [u8; 16],
        /// Which message.
        id: [u8; 16],
        /// The clock for ages, in seconds (ENG-8).
        at: u64,
    },
    /// Adds an event to the log that faces and bots read and acknowledge (PRD-17).
    Event(Event),
    /// Removes a contact's conversation: messages, events, keys of sends.
    ForgetConversation {
        /// Whose.
        contact: [u8; 16],
    },
}

/// Something that faces are told. Kept until every named subscriber has acknowledged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// Whom it concerns, if anyone.
    pub contact: Option<[u8; 16]>,
    /// Which message, or which file, it concerns, if any.
    pub message: Option<[u8; 16]>,
    /// When, Unix seconds of this device.
    pub at: u64,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A message came in.
    Message,
    /// A message of ours changed its state.
    State,
    /// A contact was added by a completed handshake; it is unverified.
    ContactAdded,
    /// A contact was verified.
    ContactVerified,
    /// Three wrong words: the contact is locked.
    VerificationFailed,
    /// A verified contact's key changed: sending is blocked (ID-3).
    ContactChanged,
    /// An invite of ours was used a second time (ID-2).
    InviteReused,
    /// An invite that we took had been used before (ID-2).
    InviteRefused,
    /// An invite ran out or was burnt by garbage.
    InviteDead,
    /// A mailbox showed two histories, or bytes that no honest mailbox shows (BRD-37).
    MailboxAlarm,
    /// Another copy of this profile is at work, or was after this one was saved (ENG-9).
    ProfileElsewhere,
    /// A contact was blocked here (ENG-4).
    ContactBlocked,
    /// A contact is blocked no more.
    ContactUnblocked,
    /// A lost session with a contact was made anew between the identities that are known (REK-1).
    SessionRenewed,
    /// A contact sends a file; `message` of the event names it.
    FileOffered,
    /// A file of a contact lies in the folder, with the right hash (FIL-12).
    FileReceived,
    /// A file of ours arrived, or one of either side ended otherwise (FIL-13).
    FileEnded,
    /// The timer of a conversation was set, here or by the contact (ENG-7).
    ContactTimer,
}

impl EventKind {
    /// Every kind with its stable number and name.
    pub const ALL: [(Self, u8, &'static str); 18] = [
        (Self::Message, 1, "message"),
        (Self::State, 2, "state"),
        (Self::ContactAdded, 3, "contact.added"),
        (Self::ContactVerified, 4, "contact.verified"),
        (Self::VerificationFailed, 5, "contact.verification_failed"),
        (Self::ContactChanged, 6, "contact.changed"),
        (Self::InviteReused, 7, "invite.reused"),
        (Self::InviteRefused, 8, "invite.refused"),
        (Self::InviteDead, 9, "invite.dead"),
        (Self::MailboxAlarm, 10, "mailbox.alarm"),
        (Self::ProfileElsewhere, 11, "profile.elsewhere"),
        (Self::ContactBlocked, 20, "contact.blocked"),
        (Self::ContactUnblocked, 21, "contact.unblocked"),
        (Self::SessionRenewed, 30, "contact.renewed"),
        (Self::FileOffered, 40, "file.offered"),
        (Self::FileReceived, 41, "file.received"),
        (Self::FileEnded, 42, "file.ended"),
        (Self::ContactTimer, 22, "contact.timer"),
    ];
}

/// The writes of one step, in order.
#[derive(Default)]
pub struct Changes(pub Vec<Change>);

/// All rows of the engine's tables, as they were saved.
#[derive(Default)]
pub struct Snapshot(pub Vec<(Table, Vec<u8>, Zeroizing<Vec<u8>>)>);
