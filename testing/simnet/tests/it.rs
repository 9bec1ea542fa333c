//! The engine on simulated mailboxes.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

#[path = "it/pairing.rs"]
mod pairing;
