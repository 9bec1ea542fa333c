//! People: they sleep by their zone, begin to talk, look when they are notified, and answer.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use simnet::{MINUTE, SECOND, START_UNIX_S};

/// Local time minus UTC, in minutes: New York, London, Berlin, Delhi.
const ZONES: [i16; 4] = [-300, 0, 60, 330];
/// Somebody who is awake begins to talk after a mean of this.
const BEGIN_MEAN: f64 = 2.5 * 3600.0;
/// Mean number of answers in a talk.
const TURNS: f64 = 9.0;
/// Somebody who said or read something has the program before them for this long. Only the control
/// whose rate follows activity looks at it.
pub(crate) const PRESENT: u64 = 15 * MINUTE;

/// Dice of everything that is not the product.
pub(crate) struct Dice(pub(crate) ChaCha20Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed ^ 0x9e0_91e))
    }

    /// Uniform in 0..1.
    pub(crate) fn unit(&mut self) -> f64 {
        (f64::from(self.0.next_u32()) + 0.5) / 4_294_967_296.0
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.next_u64() % u64::try_from(n.max(1)).unwrap()).unwrap()
    }

    /// Exponential with this mean in seconds; milliseconds.
    pub(crate) fn exp_ms(&mut self, mean_s: f64) -> u64 {
        (-self.unit().ln() * mean_s * 1000.0) as u64
    }

    /// Log-normal with this median in seconds; milliseconds.
    pub(crate) fn log_normal_ms(&mut self, median_s: f64, spread: f64) -> u64 {
        let normal = (0..12).map(|_| self.unit()).sum::<f64>() - 6.0;
        (median_s * (spread * normal).exp() * 1000.0) as u64
    }

    pub(crate) fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            let other = self.below(at + 1);
            list.swap(at, other);
        }
    }
}

/// The zone of each person: neighbours share one.
pub(crate) fn zones(people: usize) -> Vec<i16> {
    (0..people).map(|at| ZONES[at * ZONES.len() / people]).collect()
}

/// Who knows whom, in rounds in which nobody is twice: neighbours of a ring, and one stranger.
pub(crate) fn rounds(people: usize, dice: &mut Dice) -> Vec<Vec<(usize, usize)>> {
    let even = (0..people / 2).map(|k| (2 * k, 2 * k + 1)).collect();
    let odd = (0..people / 2).map(|k| (2 * k + 1, (2 * k + 2) % people));
    let odd: Vec<(usize, usize)> = if people > 2 { odd.collect() } else { Vec::new() };
    let mut all: Vec<usize> = (0..people).collect();
    dice.shuffle(&mut all);
    let apart = |(a, b): &(usize, usize)| {
        let gap = a.abs_diff(*b);
        gap > 1 && gap + 1 < people
    };
    let far = all.chunks_exact(2).map(|two| (two[0], two[1])).filter(apart).collect();
    vec![even, odd, far]
}

/// Whether somebody is awake: 7 to 23 o'clock.
pub(crate) fn awake(zone: i16, now: u64) -> bool {
    let minute = (START_UNIX_S * SECOND + now) / MINUTE;
    let local = i64::try_from(minute).unwrap() + i64::from(zone);
    (7 * 60..23 * 60).contains(&local.rem_euclid(1440))
}

/// When somebody next thinks of talking.
pub(crate) fn next_begin(dice: &mut Dice) -> u64 {
    dice.exp_ms(BEGIN_MEAN)
}

/// How many answers a talk will have.
pub(crate) fn turns(dice: &mut Dice) -> u32 {
    1 + (-dice.unit().ln() * TURNS) as u32
}

/// How long somebody takes to look and answer, after the notification.
pub(crate) fn reaction(dice: &mut Dice) -> u64 {
    dice.log_normal_ms(25.0, 0.9).min(20 * MINUTE)
}
