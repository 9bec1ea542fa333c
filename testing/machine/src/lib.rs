//! The ratchet under random schedules: send, lose, delay, reorder, double, damage, crash and reload, steal.
//!
//! ```text
//!            schedule (one seed)
//!                 |
//!     +-----------+------------+
//!     v                        v
//!   two real ratchets      two models, which know no cryptography      every difference is a Failure
//!     |  saved states          |
//!     v                        v
//!   thieves                windows (RAT-9 to RAT-11)                   every difference is a Failure
//! ```
//!
//! A run is a row of games; a game is a session from its first message to its last, with moods of its own. All of it follows from
//! the seed, so a failure replays exactly. The ratchet is used by its public interface and by its saved states alone.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code: a fault of the machine itself ends it"
)]

mod deal;
mod dice;
mod failure;
mod game;
mod layout;
mod model;
mod run;
mod tally;
mod thief;
mod trial;
mod twist;

pub use failure::{Failure, Kind};
pub use model::Power;
pub use run::{play, run};
pub use tally::Tally;
