//! Speed and size of the mailbox server, beside peers in the same run (`docs/spec/board.md`).
//!
//! The real server process on its real store; a plain framed server that has the same answers in
//! memory; the storage engine alone, with the same records. `cargo xtask bench --mailbox` runs the
//! program `pvtcoms-boards`.
#![expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a measurement ends by panicking and tells people how far it is; its sizes are its own"
)]

mod bench;
mod commit;
mod contest;
mod figures;
mod flood;
mod idle;
mod large;
mod load;
mod peer;
mod process;
mod published;
mod raw;
mod schedule;
mod whole;

pub use bench::run;
pub use contest::Contest;
pub use figures::{Figures, Large};
pub use flood::flood;
pub use large::large;
pub use peer::serve;
