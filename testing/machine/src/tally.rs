//! What happened in a run, counted: a machine that never loses anything shows nothing about loss.

use std::fmt;
use std::ops::AddAssign;

macro_rules! tally {
    ($($(#[$meta:meta])* $name:ident,)+) => {
        /// Counts of a run.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Tally {
            $($(#[$meta])* pub $name: u64,)+
        }

        impl Tally {
            /// Every count by its name.
            #[must_use]
            pub fn counts(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)+]
            }
        }

        impl AddAssign for Tally {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

tally! {
    /// Things that happened, deliveries at the end of a game included.
    steps,
    /// Sessions.
    games,
    /// Messages sent.
    messages,
    /// Messages accepted.
    accepted,
    /// Of these, out of order, by a key that had been put aside.
    late,
    /// Messages that never arrived.
    lost,
    /// Messages refused because they had been accepted before.
    again,
    /// Messages refused because a limit had pushed their key out.
    pushed_out,
    /// Keys pushed out because of five newer chains.
    by_chains,
    /// Keys pushed out because of 1000 newer keys.
    by_keys,
    /// Messages refused because their key was too old.
    expired,
    /// Messages refused because they stood too far ahead.
    too_far,
    /// Damaged messages refused.
    damaged,
    /// Messages of this side, of another session, or under another sid, refused.
    alien,
    /// Malformed messages refused that a dishonest peer authenticated.
    twisted,
    /// Crashes before saving.
    crashes,
    /// States saved and loaded.
    reloads,
    /// States stolen in each turn: wait, reply, send.
    stolen_wait,
    /// See `stolen_wait`.
    stolen_reply,
    /// See `stolen_wait`.
    stolen_send,
    /// Pairs of a thief that breaks nothing, X25519 or ML-KEM, and a message, that were found open, as they must be.
    open,
    /// Such pairs found closed, as they must be.
    closed,
    /// Messages that the control thief, who breaks both, opened and the others did not.
    control,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.counts().iter().map(|(name, count)| format!("{name}={count}")).collect();
        f.write_str(&words.join(" "))
    }
}
