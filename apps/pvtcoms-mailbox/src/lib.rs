//! The oblivious mailbox server: frames in, pages out (`docs/spec/board.md`).
//!
//! A library, so that tests and benches drive the parts without a process; the program is
//! `main.rs`.

pub mod cli;
pub mod clock;
pub mod committer;
pub mod counters;
pub mod desk;
pub mod doctor;
pub mod effort;
pub mod observe;
pub mod pages;
pub mod seal;
pub mod server;
pub mod socket;
pub mod store;
pub mod view;
