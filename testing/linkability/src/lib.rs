//! What mailboxes that write everything down can link (TH-2, TH-8): real engines in the simulator,
//! the log of every mailbox, games, attackers, and negative controls. `docs/linkability.md` is the
//! page to read first.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a simulator ends a test by panicking; its sizes are its own, and its statistics are floating"
)]

pub mod attackers;
pub mod controls;
pub mod exact;
mod features;
pub mod games;
mod index;
mod people;
pub mod report;
mod server;
pub mod sides;
pub mod transcript;
pub mod world;
