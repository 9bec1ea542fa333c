//! Clients, mailboxes, virtual time, observers and faults for tests.
//!
//! Real engines on simulated mailboxes: one thread, one clock that jumps from event to event, one
//! seed. What a mailbox could write down is in [`World::transcript`].
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a simulator ends a test by panicking; its sizes are its own"
)]

mod client;
mod disk;
mod faults;
mod gate;
mod life;
mod mailbox;
mod model;
mod observe;
mod people;
mod plan;
mod run;
mod sabotage;
mod served;
mod traffic;
mod transcript;
mod weather;
mod world;

pub use client::{Client, Crash, Folder, SaveFault, Watcher, thread_cpu};
pub use disk::{Disk, MessageKey, SavedMessage};
pub use faults::Faults;
pub use gate::Gate;
pub use life::live;
pub use mailbox::{MailboxCrash, SimMailbox, Stored};
pub use model::{Finding, Model, Place};
pub use observe::{Dial, Errand, Observer, Ruling, Seen, Shaper, Sighting};
pub use plan::{Act, Fault, Plan};
pub use run::{A_LIFE, Outcome, plan, soak};
pub use sabotage::Sabotage;
pub use served::{Board, FreeWork};
pub use soak::Tally;
pub use transcript::{Kind, Record};
pub use weather::Weather;
pub use world::{DAY, HOUR, MINUTE, SECOND, START_UNIX_S, World};
