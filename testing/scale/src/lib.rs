//! What a message costs with a long history and many contacts, beside a short one and few.
//!
//! A real engine in the simulator saves into a real SQLCipher database that was filled before.
//! `cargo xtask bench --scale` runs the program `pvtcoms-scale` under callgrind.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a measurement ends by panicking; its sizes are its own"
)]

mod catch_up;
mod meter;
mod past;
mod town;

pub use catch_up::{CaughtUp, catch_up};
pub use meter::measured;
pub use past::{Past, prepare};
pub use town::{receive, send};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scale_a_small_town_fits_the_profile_that_another_process_made() {
        let dir = tempfile::tempdir().unwrap();
        let profile = |name: &str| {
            let folder = dir.path().join(name);
            prepare(&folder, Past { contacts: 2, messages: 50 }).unwrap();
            folder
        };
        send(&profile("send"), 2, false).unwrap();
        receive(&profile("receive"), 2).unwrap();
        let done = catch_up(&profile("catch-up"), 2, 10).unwrap();
        assert_eq!(done.envelopes, 20);
        assert!(!done.spent.is_zero());
    }
}
