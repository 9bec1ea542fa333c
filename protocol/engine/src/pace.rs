//! How often slots fire, as the person chose it, and when a choice takes effect (BRD-38, BRD-39).

use crate::clock::{HOUR, SECOND};
use crate::schedule::DayHours;
use core::time::Duration;
use rand_core::CryptoRng;
use wire::{Malformed, Reader, Writer};

/// A pace is chosen at most this often, in seconds.
const WEEK_S: u64 = 7 * 24 * 3600;
/// A choice takes effect after a random time from one hour to a day, in seconds.
const DELAY_S: (u64, u64) = (HOUR / SECOND, 24 * HOUR / SECOND);
/// In a row: no other pace was chosen.
const NONE: u8 = 0xff;

/// How often each of the two slot processes fires, on average.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Every 45 s in the sixteen day hours of the profile, every 300 s otherwise.
    DayHours,
    /// Every 30 s, day and night.
    Every30,
    /// Every 60 s, day and night.
    Every60,
    /// Every 300 s, day and night.
    Every300,
}

impl Pace {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::DayHours, Self::Every30, Self::Every60, Self::Every300];

    const fn code(self) -> u8 {
        match self {
            Self::DayHours => 0,
            Self::Every30 => 1,
            Self::Every60 => 2,
            Self::Every300 => 3,
        }
    }

    fn of(code: u8) -> Result<Self, Malformed> {
        let known = Self::ALL.into_iter().find(|pace| pace.code() == code);
        known.ok_or(Malformed::Field("pace"))
    }
}

/// Another pace was chosen less than a week ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooSoon {
    /// Seconds until one may be chosen again.
    pub(crate) wait_s: u64,
}

/// Mean gap of a slot process in the day hours of whoever chose nothing (ADR 0018).
pub(crate) const USUAL: Duration = Duration::from_secs(45);

/// The day hours of a profile and its pace. Times are of the clock for ages (ENG-8), in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rhythm {
    pub(crate) hours: DayHours,
    pub(crate) pace: Pace,
    /// What was chosen, and from when it holds.
    pub(crate) next: Option<(Pace, u64)>,
    /// When it was chosen; 0 is never.
    chosen: u64,
}

impl Rhythm {
    pub(crate) const fn new(hours: DayHours) -> Self {
        Self { hours, pace: Pace::DayHours, next: None, chosen: 0 }
    }

    /// Mean gap of a slot process at a moment.
    pub(crate) fn mean(&self, unix_ms: u64) -> Duration {
        let seconds = match self.pace {
            Pace::DayHours if self.hours.is_day(unix_ms) => return USUAL,
            Pace::DayHours | Pace::Every300 => 300,
            Pace::Every30 => 30,
            Pace::Every60 => 60,
        };
        Duration::from_secs(seconds)
    }

    /// Chooses a pace. It takes effect later, at a moment that has nothing to do with this one: a
    /// rate that changed when somebody was there would say so (BRD-39).
    pub(crate) fn choose(
        &mut self,
        rng: &mut impl CryptoRng,
        at: u64,
        pace: Pace,
    ) -> Result<(), TooSoon> {
        match self.next {
            Some(_) if pace == self.pace => (self.next, self.chosen) = (None, 0),
            Some((_, from)) => self.next = Some((pace, from)),
            None if pace == self.pace => {}
            None => {
                let again = self.chosen.saturating_add(WEEK_S);
                if self.chosen > 0 && at < again {
                    return Err(TooSoon { wait_s: again.saturating_sub(at) });
                }
                let span = DELAY_S.1.saturating_sub(DELAY_S.0);
                let delay = rng.next_u64().checked_rem(span).unwrap_or(0).saturating_add(DELAY_S.0);
                (self.next, self.chosen) = (Some((pace, at.saturating_add(delay))), at.max(1));
            }
        }
        Ok(())
    }

    /// Says whether what was chosen holds from now on.
    pub(crate) fn turn(&mut self, at: u64) -> bool {
        let due = self.next.filter(|(_, from)| *from <= at);
        if let Some((pace, _)) = due {
            (self.pace, self.next) = (pace, None);
        }
        due.is_some()
    }

    /// What stands at the end of the profile's row, since later than the day hours, 18 bytes: `pace ‖ next ‖ from u64 ‖ chosen u64`.
    pub(crate) fn write_pace(&self, w: &mut Writer) {
        let (next, from) = self.next.map_or((NONE, 0), |(pace, from)| (pace.code(), from));
        w.u8(self.pace.code()).u8(next).u64(from).u64(self.chosen);
    }

    pub(crate) fn read_pace(&mut self, r: &mut Reader<'_>) -> Result<(), Malformed> {
        self.pace = Pace::of(r.u8()?)?;
        let (next, from) = (r.u8()?, r.u64()?);
        self.next = if next == NONE { None } else { Some((Pace::of(next)?, from)) };
        self.chosen = r.u64()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    const START: u64 = 20_000 * 24 * 3600;

    fn rhythm(seed: u64) -> (ChaCha20Rng, Rhythm) {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let hours = DayHours::draw(&mut rng, 0);
        (rng, Rhythm::new(hours))
    }

    #[test]
    fn brd_39_a_pace_holds_from_a_random_moment_within_a_day() {
        let mut moments = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let (mut rng, mut rhythm) = rhythm(seed);
            rhythm.choose(&mut rng, START, Pace::Every30).unwrap();
            let (pace, from) = rhythm.next.unwrap();
            assert_eq!(pace, Pace::Every30);
            assert!((3600..24 * 3600).contains(&(from - START)), "{from}");
            assert!(!rhythm.turn(from - 1) && rhythm.pace == Pace::DayHours);
            assert!(rhythm.turn(from) && rhythm.pace == Pace::Every30);
            assert!(!rhythm.turn(from + 1));
            moments.insert((from - START) / 3600);
        }
        assert_eq!(moments.len(), 23, "every hour of the day occurs");
    }

    #[test]
    fn brd_39_a_pace_changes_once_a_week() {
        let (mut rng, mut rhythm) = rhythm(1);
        rhythm.choose(&mut rng, START, Pace::Every30).unwrap();
        let from = rhythm.next.unwrap().1;
        // Another mind before it holds moves nothing.
        rhythm.choose(&mut rng, START + 60, Pace::Every300).unwrap();
        assert_eq!(rhythm.next, Some((Pace::Every300, from)));
        assert!(rhythm.turn(from));
        let soon = rhythm.choose(&mut rng, START + WEEK_S - 5, Pace::Every60);
        assert_eq!(soon, Err(TooSoon { wait_s: 5 }));
        assert_eq!(rhythm.choose(&mut rng, START + 90_000, Pace::Every300), Ok(()));
        assert_eq!(rhythm.next, None, "it is this one already");
        rhythm.choose(&mut rng, START + WEEK_S, Pace::Every60).unwrap();
        // Taken back: nothing was changed, so nothing keeps from choosing.
        rhythm.choose(&mut rng, START + WEEK_S, Pace::Every300).unwrap();
        assert_eq!(rhythm.next, None);
        rhythm.choose(&mut rng, START + WEEK_S + 1, Pace::Every30).unwrap();
    }

    #[test]
    fn brd_38_the_rows_of_all_paces_come_back() {
        let (mut rng, fresh) = rhythm(2);
        for pace in Pace::ALL {
            for chosen in Pace::ALL {
                let mut rhythm = Rhythm { pace, ..fresh };
                rhythm.choose(&mut rng, START, chosen).unwrap();
                let mut w = Writer::with_capacity(18);
                rhythm.write_pace(&mut w);
                let bytes = crate::rows::done(w);
                assert_eq!(bytes.len(), 18);
                let mut back = fresh;
                back.read_pace(&mut Reader::new(&bytes)).unwrap();
                assert_eq!(back, rhythm);
            }
        }
        assert!(Rhythm::new(fresh.hours).read_pace(&mut Reader::new(&[9; 18])).is_err());
    }
}
