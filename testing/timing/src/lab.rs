//! How times are taken.

use core::hint::black_box;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::time::Instant;

/// Inputs of each class, drawn from at random.
const POOL: usize = 64;

/// Nanoseconds of every sample, by class.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) left: Vec<u32>,
    pub(crate) right: Vec<u32>,
}

/// How often to measure.
pub(crate) struct Plan {
    pub(crate) samples: usize,
    /// Runs in one sample: one alone may be shorter than a tick of the clock.
    pub(crate) repeat: usize,
}

/// A source of randomness that is the same in every run, so that only the machine differs.
pub(crate) fn dice() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

/// `N` random bytes.
pub(crate) fn draw<const N: usize>(rng: &mut ChaCha20Rng) -> [u8; N] {
    let mut out = [0; N];
    rng.fill_bytes(&mut out);
    out
}

impl Plan {
    /// Times `run` on inputs of two classes, in random order.
    ///
    /// `input` makes an input of the right class if it is told so; all have one length. Each is copied to one place in memory and
    /// prepared before the clock starts, so that no class has better addresses than the other.
    pub(crate) fn measure<T>(
        &self,
        mut input: impl FnMut(bool) -> Vec<u8>,
        prepare: impl Fn(&[u8]) -> T,
        run: impl Fn(&T),
    ) -> Times {
        let pools: Vec<[Vec<u8>; 2]> = (0..POOL).map(|_| [input(false), input(true)]).collect();
        let (mut rng, mut times) = (dice(), Times::default());
        let mut place = Vec::new();
        for sample in 0..self.samples {
            // Drawn anew for every sample, so that a drift of the machine meets both classes.
            let [which, class] = [rng.next_u32(), rng.next_u32() & 1];
            let at = usize::try_from(which).ok().and_then(|which| which.checked_rem(POOL));
            let Some([left, right]) = at.and_then(|at| pools.get(at)) else { continue };
            place.clear();
            place.extend_from_slice(if class == 0 { left } else { right });
            let ready = prepare(black_box(&place));
            let begun = Instant::now();
            for _ in 0..self.repeat {
                run(black_box(&ready));
            }
            let took = u32::try_from(begun.elapsed().as_nanos()).unwrap_or(u32::MAX);
            // The first samples warm caches and predictors.
            if sample > self.samples.div_euclid(20) {
                if class == 0 { &mut times.left } else { &mut times.right }.push(took);
            }
        }
        times
    }
}
