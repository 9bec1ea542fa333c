//! The program as a person or a script runs it: against a double of the core at a real socket, and
//! as a supervisor of stand-ins for its children.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "it/desk.rs"]
mod desk;
#[path = "it/errors.rs"]
mod errors;
#[path = "it/fake.rs"]
mod fake;
#[path = "it/following.rs"]
mod following;
#[path = "it/pairing.rs"]
mod pairing;
#[path = "it/profile.rs"]
mod profile;
#[path = "it/supervisor.rs"]
mod supervisor;
#[path = "it/verbs.rs"]
mod verbs;
