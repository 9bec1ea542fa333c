//! The server as a store, as a board in virtual time, and as a process.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "it/committing.rs"]
mod committing;
#[path = "it/common.rs"]
mod common;
#[path = "it/conformance.rs"]
mod conformance;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/disk.rs"]
mod disk;
#[path = "it/doctor.rs"]
mod doctor;
#[path = "it/flood.rs"]
mod flood;
#[path = "it/life.rs"]
mod life;
#[path = "it/process.rs"]
mod process;
