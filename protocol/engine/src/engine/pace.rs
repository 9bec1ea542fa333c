//! Choosing how often slots fire (BRD-38, BRD-39).

use super::Engine;
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::pace::{Pace, TooSoon};
use crate::step::Step;
use rand_core::CryptoRng;

impl Engine {
    /// How often slots fire, and what was chosen for later, with the seconds until it holds.
    #[must_use]
    pub fn pace(&self, now: Now) -> (Pace, Option<(Pace, u64)>) {
        let rhythm = &self.profile.rhythm;
        let left = |(pace, from): (Pace, u64)| (pace, from.saturating_sub(self.steady.at(now)));
        (rhythm.pace, rhythm.next.map(left))
    }

    pub(super) fn choose_pace(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        pace: Pace,
    ) -> Result<Reply, CommandError> {
        let at = self.steady.at(now);
        let chosen = self.profile.rhythm.choose(rng, at, pace);
        chosen.map_err(|TooSoon { wait_s }| CommandError::PaceTooSoon { wait_s })?;
        self.save_profile(step);
        Ok(Reply::Done)
    }

    /// Goes over to the pace that was chosen, once its moment has come.
    pub(super) fn turn_pace(&mut self, now: Now, step: &mut Step) {
        if self.profile.rhythm.turn(self.steady.at(now)) {
            self.put_slots.advance(now, &self.profile.rhythm);
            self.fetch_slots.advance(now, &self.profile.rhythm);
            self.save_profile(step);
        }
    }
}
