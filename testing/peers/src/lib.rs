//! What is measured of our protocol: set-up, turns, bursts and skips, each from a fixed seed.
//!
//! The bench `peers` runs the same scenarios beside vodozemac; the program `pvtcoms-count` runs one
//! of them under callgrind. `cargo xtask bench --peers` and `cargo xtask bench --check`.

mod pairing;
mod scenario;
mod sizes;

pub use pairing::{People, Session};
pub use scenario::{SCENARIOS, Scenario, measured};
pub use sizes::{Sizes, sizes};

/// What every message says: 1 KiB.
pub const TEXT: [u8; 1024] = [7; 1024];
/// A day of no importance (skipped keys are kept for some days).
pub const TODAY: u32 = 20_000;
