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
mod mailbox;
mod people;
mod transcript;
mod world;

pub use client::{Client, Crash};
pub use disk::{Disk, SavedMessage};
pub use faults::Faults;
pub use mailbox::{SimMailbox, Stored};
pub use transcript::{Kind, Record};
pub use world::{DAY, HOUR, MINUTE, SECOND, START_UNIX_S, World};
