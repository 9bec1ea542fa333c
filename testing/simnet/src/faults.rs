use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// What goes wrong at a mailbox, in cases of a thousand. All dice fall for every operation, so that
/// the faults of one are the same whatever another carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// Nobody answers.
    pub dead: bool,
    /// A put is refused with RETRY.
    pub retry: u32,
    /// A put is stored, and the answer is lost.
    pub lose_answer: u32,
    /// A put is answered STORED, and nothing is stored.
    pub drop_put: u32,
    /// A put is stored twice, and the second copy appears a page later.
    pub duplicate: u32,
    /// A put is stored, and kept out of the pages for up to three days.
    pub hold: u32,
    /// The circuit dies before the request arrives.
    pub lose_request: u32,
    /// A fetch is answered with random bytes.
    pub garbage_fetch: u32,
    /// One bit of an answer is turned.
    pub flip: u32,
    /// Added to the time that an answer takes, at most, in milliseconds.
    pub delay_ms: u64,
}

/// The dice of one operation.
pub(crate) struct Fate {
    pub(crate) retry: bool,
    pub(crate) lose_answer: bool,
    pub(crate) drop_put: bool,
    pub(crate) duplicate: bool,
    pub(crate) lose_request: bool,
    pub(crate) garbage_fetch: bool,
    pub(crate) flip: Option<u64>,
    pub(crate) delay_ms: u64,
    pub(crate) hold_s: u64,
}

impl Fate {
    /// What only a mailbox does that lies about what it stored.
    pub(crate) const fn lies(&self) -> bool {
        self.drop_put || self.duplicate || self.hold_s > 0
    }

    const fn is_bad(&self) -> bool {
        self.retry
            || self.lose_answer
            || self.drop_put
            || self.duplicate
            || self.lose_request
            || self.garbage_fetch
            || self.flip.is_some()
            || self.hold_s > 0
    }
}

/// The longest that a put is kept out of the pages, in seconds.
const HOLD_S: u64 = 3 * 86_400;

pub(crate) struct FaultDice {
    rng: ChaCha20Rng,
    /// Operations that went wrong.
    pub(crate) struck: u64,
}

impl FaultDice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: ChaCha20Rng::seed_from_u64(seed), struck: 0 }
    }

    pub(crate) fn draw(&mut self, faults: &Faults) -> Fate {
        let mut roll = |chance: u32| self.rng.next_u32() % 1000 < chance;
        let fate = Fate {
            retry: roll(faults.retry),
            lose_answer: roll(faults.lose_answer),
            drop_put: roll(faults.drop_put),
            duplicate: roll(faults.duplicate),
            lose_request: roll(faults.lose_request) || faults.dead,
            garbage_fetch: roll(faults.garbage_fetch),
            flip: roll(faults.flip).then_some(0),
            delay_ms: 0,
            hold_s: 0,
        };
        let (bit, delay) = (self.rng.next_u64(), self.rng.next_u64());
        let held = (delay >> 32) % 1000 < u64::from(faults.hold);
        let fate = Fate {
            flip: fate.flip.map(|_| bit),
            delay_ms: delay % (faults.delay_ms + 1),
            hold_s: if held { (bit >> 16) % HOLD_S } else { 0 },
            ..fate
        };
        self.struck += u64::from(fate.is_bad());
        fate
    }
}
