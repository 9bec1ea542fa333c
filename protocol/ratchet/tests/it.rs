//! The ratchet, by its rules.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "it/deniable.rs"]
mod deniable;
#[path = "it/limits.rs"]
mod limits;
#[path = "it/pair.rs"]
mod pair;
#[path = "it/session.rs"]
mod session;
#[path = "it/state.rs"]
mod state;
#[path = "it/thief.rs"]
mod thief;
