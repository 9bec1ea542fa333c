//! The core as its faces, its supervisor and its mailbox see it: real store, real engine, real
//! sockets; the gate and the mailbox are doubles in this process.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod it {
    mod backup;
    mod contacts;
    mod face;
    mod files;
    mod lock;
    mod locked;
    mod mailbox;
    mod pairing;
    mod storage;
    mod world;
}
