//! The real programs on a private Tor network: the demo's stage, and the end-to-end tests.
//!
//! Everything here starts the programs that people use and speaks to them as people do: by the
//! command line. Nothing links a protocol crate.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "drives programs in tests; an index into a JSON value gives null"
)]

mod hostile;
mod mailbox;
mod person;
mod process;
pub mod soak;

pub use hostile::Harm;
pub use mailbox::Mailbox;
pub use person::{Answer, Follower, Person};
pub use process::{
    PROGRAMS, Running, interrupt, interrupted, programs, resident_bytes, use_programs_of,
    wait_until,
};
