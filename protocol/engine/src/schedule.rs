//! When slots fire (BRD-32, 38, 39): a function of the clock and of dice of its own, and of
//! nothing else. No queue, answer, input or contact is an argument of anything in this module.

use crate::clock::{HOUR, MINUTE, Now, SECOND};
use crate::pace::Rhythm;
use core::time::Duration;
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, Rng, SeedableRng};
use wire::{Codec, Malformed, Reader, Writer};

/// How quickly messages go (BRD-38).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Slots alone: minutes, and nothing to link.
    Steady,
    /// Real operations after Exp(2 s), beside the slots: seconds, and outside the claim.
    Fast,
}

/// Failures after which `fast` mode leaves an item, a chunk or a mailbox to the slots.
pub(crate) const FAST_TRIES: u32 = 8;

/// Minutes in a day.
const DAY_MIN: u16 = 1440;
/// Length of the day hours, in minutes.
const DAY_HOURS_MIN: u16 = 16 * 60;

/// The day hours of a profile, drawn once (BRD-39): sixteen hours from a random minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DayHours {
    /// First minute of the day hours, in UTC.
    start: u16,
}

impl DayHours {
    /// Draws day hours that begin between 6:00 and 8:00 of local time.
    pub(crate) fn draw(rng: &mut impl CryptoRng, utc_offset_min: i16) -> Self {
        let edge = u16::try_from(rng.next_u32() % 120).unwrap_or(0).saturating_add(360);
        let utc = i32::from(edge)
            .saturating_sub(i32::from(utc_offset_min))
            .rem_euclid(i32::from(DAY_MIN));
        Self { start: u16::try_from(utc).unwrap_or(edge) }
    }

    pub(crate) fn is_day(self, unix_ms: u64) -> bool {
        let minute = (unix_ms / MINUTE).rem_euclid(u64::from(DAY_MIN));
        let since = minute.saturating_add(u64::from(DAY_MIN)).saturating_sub(u64::from(self.start));
        since.rem_euclid(u64::from(DAY_MIN)) < u64::from(DAY_HOURS_MIN)
    }
}

impl Codec for DayHours {
    fn encode_into(&self, w: &mut Writer) {
        w.u16(self.start);
    }
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let start = r.u16()?;
        if start < DAY_MIN { Ok(Self { start }) } else { Err(Malformed::Field("day hours")) }
    }
}

/// Dice of one process of the schedule, seeded apart from all other randomness.
pub(crate) struct Dice(ChaCha20Rng);

impl Dice {
    pub(crate) fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// A unit-exponential draw.
    fn unit(&mut self) -> f64 {
        const SCALE: f64 = 4_294_967_296.0;
        let high = f64::from(self.0.next_u32());
        let low = f64::from(self.0.next_u32());
        let uniform = (high + (low + 1.0) / SCALE) / SCALE;
        -uniform.ln()
    }

    /// An exponential draw with this mean, in milliseconds, at most a week.
    pub(crate) fn exp_ms(&mut self, mean: Duration) -> u64 {
        millis(self.unit() * mean.as_secs_f64())
    }

    /// A uniform draw from `from..to` milliseconds.
    pub(crate) fn between_ms(&mut self, from: u64, to: u64) -> u64 {
        let width = to.saturating_sub(from).max(1);
        from.saturating_add(self.0.next_u64().checked_rem(width).unwrap_or(0))
    }

    /// A uniform index below `n`; `None` if there is nothing to pick from.
    pub(crate) fn pick(&mut self, n: usize) -> Option<usize> {
        let draw = self.0.next_u64();
        let n = u64::try_from(n).ok()?;
        usize::try_from(draw.checked_rem(n)?).ok()
    }

    /// A log-uniform draw from `from..to` milliseconds.
    pub(crate) fn log_uniform_ms(&mut self, from: Duration, to: Duration) -> u64 {
        let uniform = f64::from(self.0.next_u32()) / f64::from(u32::MAX);
        let (low, high) = (from.as_secs_f64().ln(), to.as_secs_f64().ln());
        millis((low + uniform * (high - low)).exp())
    }
}

fn millis(seconds: f64) -> u64 {
    const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
    let span = Duration::try_from_secs_f64(seconds).unwrap_or(WEEK).min(WEEK);
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// One Poisson process of slots.
pub(crate) struct Slots {
    pub(crate) dice: Dice,
    next: u64,
}

impl Slots {
    pub(crate) fn start(seed: [u8; 32], now: Now, rhythm: &Rhythm) -> Self {
        let mut slots = Self { dice: Dice::from_seed(seed), next: 0 };
        slots.advance(now, rhythm);
        slots
    }

    /// When the next slot fires, on the monotonic clock.
    pub(crate) const fn next(&self) -> u64 {
        self.next
    }

    /// Draws the slot after the one that fired now. Slots missed during suspend do not pile up.
    /// When the pace changes it is drawn anew, which an exponential gap does not remember.
    pub(crate) fn advance(&mut self, now: Now, rhythm: &Rhythm) {
        let draw = self.dice.unit();
        self.next = now.mono_ms.saturating_add(spend(draw, now.unix_ms, rhythm));
    }
}

/// Milliseconds until `draw` is spent against the rate.
fn spend(mut draw: f64, from_unix_ms: u64, rhythm: &Rhythm) -> u64 {
    let mut waited = 0_u64;
    // Edges of the day hours fall on whole minutes: within a minute the rate is constant.
    for _ in 0..(14 * 24 * 60) {
        let at = from_unix_ms.saturating_add(waited);
        let mean = rhythm.mean(at);
        let left_in_minute = MINUTE.saturating_sub(at % MINUTE);
        let share = Duration::from_millis(left_in_minute).as_secs_f64() / mean.as_secs_f64();
        if draw <= share {
            return waited.saturating_add(millis(draw * mean.as_secs_f64()));
        }
        draw -= share;
        waited = waited.saturating_add(left_in_minute);
    }
    waited
}

/// Life of one digest stream (BRD-35): Exp(2 h), at most 6 h.
pub(crate) fn stream_life(dice: &mut Dice) -> u64 {
    dice.exp_ms(Duration::from_secs(2 * 3600)).clamp(5 * MINUTE, 6 * HOUR)
}

/// When the successor of a stream opens: independently before or after its end, at most 9 minutes.
pub(crate) fn successor(dice: &mut Dice, closes_at: u64) -> u64 {
    closes_at.saturating_sub(9 * MINUTE).saturating_add(dice.between_ms(0, 18 * MINUTE))
}

/// Delay before a window is read, or a broken stream is opened again.
pub(crate) fn own_delay(dice: &mut Dice, mode: Mode) -> u64 {
    let mean = match mode {
        Mode::Steady => Duration::from_secs(30),
        Mode::Fast => Duration::from_secs(2),
    };
    dice.exp_ms(mean)
}

/// When a header of a mailbox that is only written to is read again: its seed lives an hour or
/// two (BRD-15).
pub(crate) fn refresh_delay(dice: &mut Dice) -> u64 {
    dice.between_ms(25 * MINUTE, 50 * MINUTE)
}

/// In `fast` mode every waiting item fires after Exp(2 s); the first of `waiting` such clocks is
/// again exponential.
pub(crate) fn fast_delay(dice: &mut Dice, waiting: usize) -> u64 {
    let waiting = u32::try_from(waiting).unwrap_or(u32::MAX).max(1);
    dice.exp_ms(Duration::from_millis(2 * SECOND).div_f64(f64::from(waiting)))
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    use super::*;
    use crate::pace::Pace;

    fn now(unix_ms: u64) -> Now {
        Now { mono_ms: 5, unix_ms }
    }

    fn gaps(hour: u64, pace: Pace) -> f64 {
        let mut rhythm = Rhythm::new(DayHours { start: 420 });
        rhythm.pace = pace;
        let rhythm = &rhythm;
        let start = 20_000 * 24 * HOUR + hour * HOUR;
        let mut slots = Slots::start([3; 32], now(start), rhythm);
        let mut total = 0.0;
        for _ in 0..4000 {
            slots.advance(now(start), rhythm);
            total += Duration::from_millis(slots.next() - 5).as_secs_f64();
        }
        total / 4000.0
    }

    #[test]
    fn brd_38_mean_gap_is_45_s_by_day_and_300_s_by_night_or_what_was_chosen() {
        for (pace, day, night) in [
            (Pace::DayHours, 45.0, 300.0),
            (Pace::Every30, 30.0, 30.0),
            (Pace::Every60, 60.0, 60.0),
            (Pace::Every300, 300.0, 300.0),
        ] {
            for (hour, mean) in [(12, day), (0, night)] {
                let found = gaps(hour, pace) / mean;
                assert!((0.93..1.07).contains(&found), "{pace:?} {hour}: {found}");
            }
        }
    }

    #[test]
    fn brd_39_day_hours_follow_local_time_and_wrap_midnight() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        for offset in [-720, -300, 0, 60, 840] {
            let hours = DayHours::draw(&mut rng, offset);
            let local = (i32::from(hours.start) + i32::from(offset)).rem_euclid(1440);
            assert!((360..480).contains(&local), "{local}");
        }
        let late = DayHours { start: 1380 };
        assert!(late.is_day(23 * HOUR) && late.is_day(2 * HOUR) && !late.is_day(20 * HOUR));
    }

    #[test]
    fn brd_35_streams_live_at_most_six_hours_and_overlap_by_at_most_nine_minutes() {
        let mut dice = Dice::from_seed([1; 32]);
        for _ in 0..1000 {
            assert!(stream_life(&mut dice) <= 6 * HOUR);
            let next = successor(&mut dice, 100 * HOUR);
            assert!(next.abs_diff(100 * HOUR) <= 9 * MINUTE);
        }
    }
}
