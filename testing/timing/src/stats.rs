//! Welch's t-test on measured times, as dudect does it (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", DATE 2017).

/// Above this a difference is no chance: `t_threshold_moderate` of dudect's own program.
pub(crate) const BOUND: f64 = 10.0;

/// Fewer samples than this in a class say nothing.
const ENOUGH: u32 = 500;

/// How many times the slow end of the samples is cut off, each time at another place.
const CROPS: u32 = 100;

/// Count, mean and sum of squared differences of one class, kept as samples come (Welford).
#[derive(Default, Clone, Copy)]
struct Moments {
    count: u32,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn add(mut self, x: f64) -> Self {
        self.count = self.count.saturating_add(1);
        let off = x - self.mean;
        self.mean += off / f64::from(self.count);
        self.squares += off * (x - self.mean);
        self
    }

    fn of(samples: impl Iterator<Item = u32>) -> Self {
        samples.fold(Self::default(), |moments, x| moments.add(f64::from(x)))
    }

    /// Variance of the mean.
    fn error(self) -> f64 {
        let n = f64::from(self.count);
        self.squares / (n - 1.0) / n
    }
}

/// Welch's t: the difference of the means in units of its own standard error. Zero if nothing varies and the means agree.
fn welch(left: Moments, right: Moments) -> f64 {
    let (off, error) = (left.mean - right.mean, left.error() + right.error());
    if off == 0.0 { 0.0 } else { off / error.sqrt() }
}

/// The largest |t| over all samples and over 100 crops of them, so that rare long interruptions hide nothing.
///
/// Crop k keeps what is faster than the share `1 - 0.5^(k/10)` of all samples together.
pub(crate) fn max_t(left: &[u32], right: &[u32]) -> f64 {
    let mut sorted: Vec<u32> = left.iter().chain(right).copied().collect();
    sorted.sort_unstable();
    let crops = (1..=CROPS).filter_map(|k| {
        let share = 1.0 - 0.5_f64.powf(f64::from(k) / 10.0);
        sorted.get(position(sorted.len(), share)).copied()
    });
    crops
        .chain([u32::MAX])
        .map(|limit| {
            let kept = |class: &[u32]| Moments::of(class.iter().copied().filter(|x| *x < limit));
            let (left, right) = (kept(left), kept(right));
            if left.count.min(right.count) < ENOUGH { 0.0 } else { welch(left, right).abs() }
        })
        .fold(0.0, f64::max)
}

#[expect(clippy::as_conversions, reason = "a share of a count of samples, far below 2^52")]
fn position(count: usize, share: f64) -> usize {
    (count as f64 * share) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};

    fn moments(samples: &[u32]) -> Moments {
        Moments::of(samples.iter().copied())
    }

    #[test]
    fn welch_gives_what_the_formula_gives_by_hand() {
        // Means 3 and 6, variances 2.5 and 10: t = -3 / sqrt(0.5 + 2).
        let t = welch(moments(&[1, 2, 3, 4, 5]), moments(&[2, 4, 6, 8, 10]));
        assert!((t + 3.0 / 2.5_f64.sqrt()).abs() < 1e-12, "{t}");
        // Unequal sizes: means 2 and 5, variances 1 and 20/3: t = -3 / sqrt(1/3 + 5/3).
        let t = welch(moments(&[1, 2, 3]), moments(&[2, 4, 6, 8]));
        assert!((t + 3.0 / 2.0_f64.sqrt()).abs() < 1e-12, "{t}");
        assert!(welch(moments(&[7, 7, 7]), moments(&[7, 7])).abs() < 1e-12);
    }

    /// About normal: the sum of twelve dice around `mean` ns, standard deviation 10; one in 50 is interrupted for up to 0.1 ms.
    fn times(rng: &mut ChaCha20Rng, mean: u32) -> Vec<u32> {
        let mut one = || {
            let dice: u32 = (0..12).map(|_| rng.next_u32() % 11).sum();
            let pause =
                if rng.next_u32().is_multiple_of(50) { rng.next_u32() % 100_000 } else { 0 };
            dice.saturating_add(mean).saturating_sub(60).saturating_add(pause)
        };
        (0..50_000).map(|_| one()).collect()
    }

    #[test]
    fn equal_times_pass_and_a_tenth_of_a_deviation_is_found_under_interruptions() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (a, b) = (times(&mut rng, 1000), times(&mut rng, 1000));
        assert!(max_t(&a, &b) < 5.0, "{}", max_t(&a, &b));
        let slower = times(&mut rng, 1001);
        assert!(max_t(&a, &slower) > BOUND, "{}", max_t(&a, &slower));
        // Without the crops the interruptions would hide it.
        assert!(welch(moments(&a), moments(&slower)).abs() < BOUND);
    }

    #[test]
    fn too_few_samples_say_nothing() {
        assert!(max_t(&[1; 499], &[9; 499]) < 1e-12);
    }
}
