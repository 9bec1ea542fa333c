//! One profile as a state machine: contacts, outbox, inbox, schedule.
//!
//! The engine is told the time, the dice and the news, and answers with a [`Step`]: what to save,
//! and what may leave once it is saved. It opens no file, no socket and no clock.

pub mod backup;
pub mod changes;

mod acks;
mod ahead;
mod beacon;
mod clock;
mod command;
mod contact;
mod cursor;
mod engine;
mod file;
mod loops;
mod mailbox;
mod outbox;
mod own;
mod pace;
mod pairing;
mod profile;
mod recovery;
mod renewal;
mod rows;
mod schedule;
mod seen;
mod session;
mod steady;
mod step;
mod terms;
mod watch;

pub use changes::Due;
pub use clock::Now;
pub use command::{Command, CommandError, Reply};
pub use contact::{ContactId, Trust, VERIFY_TRIES};
pub use engine::files::{FileState, FileView};
pub use engine::view::{ContactView, InviteState, InviteView, MailboxView};
pub use engine::{Engine, EngineError, Settings};
pub use file::{FileId, Outcome};
pub use pace::Pace;
pub use pairing::InviteId;
pub use schedule::Mode;
pub use step::{Answer, Effect, FailReason, OpId, Operation, OperationKind, Step};

/// Names a message of a conversation, 16 random bytes of its sender.
pub type MessageId = [u8; 16];
/// Port of a mailbox's onion service.
pub const MAILBOX_PORT: u16 = 7701;
