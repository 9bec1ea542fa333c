use crate::world::SECOND;
use rand_chacha::ChaCha20Rng;
use rand_core::Rng;

/// How long Tor takes. Circuits to an onion service are built in seconds, with a long tail; bytes
/// on an open one take a fraction of that.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Median of the time until a request has arrived, in milliseconds.
    pub connect_ms: f64,
    /// Standard deviation of its logarithm.
    pub spread: f64,
    /// Least time of bytes on an open circuit, in milliseconds; at most five times as much.
    pub transit_ms: u64,
    /// Of a thousand circuits, so many die before the request has arrived.
    pub lost: u32,
    /// Of a thousand answers, so many do not come.
    pub unanswered: u32,
}

impl Default for Weather {
    fn default() -> Self {
        Self { connect_ms: 3500.0, spread: 0.5, transit_ms: 250, lost: 15, unanswered: 5 }
    }
}

impl Weather {
    pub(crate) fn connect(&self, rng: &mut ChaCha20Rng) -> u64 {
        // The sum of twelve uniform draws is close to normal, with variance 1.
        let normal = (0..12).map(|_| unit(rng)).sum::<f64>() - 6.0;
        millis(self.connect_ms * (self.spread * normal).exp()).clamp(SECOND, 45 * SECOND)
    }

    /// Whether the circuit dies before the request has arrived, and whether the answer is lost.
    pub(crate) fn losses(&self, rng: &mut ChaCha20Rng) -> (bool, bool) {
        let mut roll = |chance: u32| rng.next_u32() % 1000 < chance;
        (roll(self.lost), roll(self.unanswered))
    }

    pub(crate) fn transit(&self, rng: &mut ChaCha20Rng) -> u64 {
        self.transit_ms + rng.next_u64() % (4 * self.transit_ms + 1)
    }
}

fn unit(rng: &mut ChaCha20Rng) -> f64 {
    f64::from(rng.next_u32()) / f64::from(u32::MAX)
}

fn millis(ms: f64) -> u64 {
    let span = core::time::Duration::try_from_secs_f64(ms / 1000.0).unwrap();
    u64::try_from(span.as_millis()).unwrap()
}
