//! The proof of work of a PUT (BRD-15).
//!
//! `challenge = "pvtcoms board v1 pow" ‖ seed(32) ‖ M(32) ‖ H(envelope)(32) ‖ nonce(16)`; a solution
//! is good if the puzzle accepts it and `u32(H(challenge ‖ solution)[0..4]) · effort ≤ 2^32 − 1`.

use crate::envelope::Envelope;
use crate::tag::OnionKey;
use crypto::{hash, labels};
use equix::{EquiXBuilder, RuntimeOption, Solution, SolverMemory};
use wire::{Codec, Malformed, Reader, Writer};

/// Length of the nonce in bytes.
pub const NONCE_LEN: usize = 16;
/// Length of a solution in bytes.
pub const SOLUTION_LEN: usize = Solution::NUM_BYTES;

const _: () = assert!(SOLUTION_LEN == 16);

/// The most work that a client does for a mailbox, and so the most that one may ask for (BRD-23,
/// BRD-37).
pub const MAX_EFFORT: u32 = 1000;

/// Nonces tried for each unit of effort before giving up: about one in `effort` of the two
/// solutions that a nonce has on average is good, so giving up is a fault of the caller's dice.
const TRIES: u32 = 32;

/// A puzzle that is slow to solve and quick to check.
pub trait Work {
    /// All solutions found for `challenge`; there may be none.
    fn solutions(&mut self, challenge: &[u8]) -> Vec<[u8; SOLUTION_LEN]>;
    /// Whether `solution` solves `challenge`.
    fn accepts(&self, challenge: &[u8], solution: &[u8; SOLUTION_LEN]) -> bool;
}

/// Equi-X. Needs 1.8 MiB while solving, kept between challenges.
///
/// Without more its hash programs are interpreted. [`compiled`](Self::compiled) ones are solved in a
/// tenth of the time; they are written into memory that is executed then, which no process does that
/// holds keys (ADR 0015).
#[derive(Default)]
pub struct EquixWork {
    memory: Option<SolverMemory>,
    compiled: bool,
}

impl EquixWork {
    /// Compiles hash programs to solve, where the system lets it; interprets them elsewhere. To check
    /// a solution a program runs eight times, for which no compiling pays.
    #[must_use]
    pub const fn compiled() -> Self {
        Self { memory: None, compiled: true }
    }
}

fn builder(compiled: bool) -> EquiXBuilder {
    let mut builder = EquiXBuilder::new();
    let runtime = if compiled { RuntimeOption::TryCompile } else { RuntimeOption::InterpretOnly };
    builder.runtime(runtime);
    builder
}

impl Work for EquixWork {
    fn solutions(&mut self, challenge: &[u8]) -> Vec<[u8; SOLUTION_LEN]> {
        // About one challenge in 250 makes no valid hash program: it has no solution.
        let Ok(puzzle) = builder(self.compiled).build(challenge) else { return Vec::new() };
        let memory = self.memory.get_or_insert_with(SolverMemory::new);
        puzzle.solve_with_memory(memory).iter().map(Solution::to_bytes).collect()
    }

    fn accepts(&self, challenge: &[u8], solution: &[u8; SOLUTION_LEN]) -> bool {
        builder(false).verify_bytes(challenge, solution).is_ok()
    }
}

/// Nonce and solution of a [`crate::frame::PutRequest`].
pub type Payment = ([u8; NONCE_LEN], [u8; SOLUTION_LEN]);

/// What is to be paid for. It holds nothing that the mailbox does not see, so that a process without
/// keys can solve it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Puzzle {
    /// The seed in the page header.
    pub seed: [u8; 32],
    /// The mailbox.
    pub mailbox: OnionKey,
    /// `H(envelope)`.
    pub digest: [u8; 32],
    /// One nonce in so many has a good solution; 0 counts as 1.
    pub effort: u32,
}

impl Puzzle {
    /// Length of the encoding in bytes: `seed ‖ M ‖ H(envelope) ‖ effort(4)`.
    pub const LEN: usize = 100;

    /// What an envelope costs at a mailbox.
    #[must_use]
    pub fn new(seed: &[u8; 32], mailbox: &OnionKey, envelope: &Envelope, effort: u32) -> Self {
        Self { seed: *seed, mailbox: *mailbox, digest: envelope.digest(), effort }
    }

    /// Solves it. Tries at most 32 nonces a unit of effort; `None` after that, which does not happen
    /// with honest dice (probability below 10⁻²⁰).
    pub fn solve(
        &self,
        work: &mut impl Work,
        mut nonces: impl FnMut() -> [u8; NONCE_LEN],
    ) -> Option<Payment> {
        for _ in 0..self.effort.max(1).saturating_mul(TRIES) {
            let nonce = nonces();
            let challenge = self.challenge(&nonce);
            let solutions = work.solutions(&challenge);
            let good = solutions.into_iter().find(|s| reaches(&challenge, s, self.effort));
            if let Some(solution) = good {
                return Some((nonce, solution));
            }
        }
        None
    }

    /// Whether nonce and solution pay for it.
    #[must_use]
    pub fn accepts(&self, work: &impl Work, (nonce, solution): &Payment) -> bool {
        let challenge = self.challenge(nonce);
        // The hash is the cheaper half, so it goes first.
        reaches(&challenge, solution, self.effort) && work.accepts(&challenge, solution)
    }

    fn challenge(&self, nonce: &[u8; NONCE_LEN]) -> Vec<u8> {
        [labels::BOARD_POW, &self.seed, &self.mailbox, &self.digest, nonce].concat()
    }
}

impl Codec for Puzzle {
    fn encode_into(&self, w: &mut Writer) {
        w.bytes(&self.seed).bytes(&self.mailbox).bytes(&self.digest).u32(self.effort);
    }

    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { seed: r.array()?, mailbox: r.array()?, digest: r.array()?, effort: r.u32()? })
    }
}

/// Solves for one envelope with Equi-X, interpreted.
pub fn solve(
    seed: &[u8; 32],
    mailbox: &OnionKey,
    envelope: &Envelope,
    effort: u32,
    nonces: impl FnMut() -> [u8; NONCE_LEN],
) -> Option<Payment> {
    solve_with(&mut EquixWork::default(), seed, mailbox, envelope, effort, nonces)
}

/// [`solve`] with another puzzle, or with one whose memory is kept.
pub fn solve_with(
    work: &mut impl Work,
    seed: &[u8; 32],
    mailbox: &OnionKey,
    envelope: &Envelope,
    effort: u32,
    nonces: impl FnMut() -> [u8; NONCE_LEN],
) -> Option<Payment> {
    Puzzle::new(seed, mailbox, envelope, effort).solve(work, nonces)
}

/// Whether nonce and solution pay for `envelope` at this effort, by Equi-X.
#[must_use]
pub fn verify(
    seed: &[u8; 32],
    mailbox: &OnionKey,
    envelope: &Envelope,
    effort: u32,
    nonce: &[u8; NONCE_LEN],
    solution: &[u8; SOLUTION_LEN],
) -> bool {
    verify_with(&EquixWork::default(), seed, mailbox, envelope, effort, nonce, solution)
}

/// [`verify`] with another puzzle.
#[must_use]
pub fn verify_with(
    work: &impl Work,
    seed: &[u8; 32],
    mailbox: &OnionKey,
    envelope: &Envelope,
    effort: u32,
    nonce: &[u8; NONCE_LEN],
    solution: &[u8; SOLUTION_LEN],
) -> bool {
    Puzzle::new(seed, mailbox, envelope, effort).accepts(work, &(*nonce, *solution))
}

fn reaches(challenge: &[u8], solution: &[u8; SOLUTION_LEN], effort: u32) -> bool {
    let [a, b, c, d, ..] = hash(&[challenge, solution]);
    u32::from_be_bytes([a, b, c, d]).checked_mul(effort.max(1)).is_some() // ≤ 2^32 − 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope;
    use crypto::rand_core::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    const SEED: [u8; 32] = [1; 32];
    const MAILBOX: [u8; 32] = [2; 32];

    fn nonces(seed: u64) -> impl FnMut() -> [u8; NONCE_LEN] {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        move || {
            let mut nonce = [0; NONCE_LEN];
            rng.fill_bytes(&mut nonce);
            nonce
        }
    }

    #[test]
    fn brd_15_solution_pays_for_one_envelope_at_one_mailbox_in_one_hour() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (paid, other) = (envelope::dummy(&mut rng), envelope::dummy(&mut rng));
        let (nonce, solution) = solve(&SEED, &MAILBOX, &paid, 1, nonces(2)).unwrap();
        assert!(verify(&SEED, &MAILBOX, &paid, 1, &nonce, &solution));

        assert!(!verify(&[9; 32], &MAILBOX, &paid, 1, &nonce, &solution));
        assert!(!verify(&SEED, &[9; 32], &paid, 1, &nonce, &solution));
        assert!(!verify(&SEED, &MAILBOX, &other, 1, &nonce, &solution));
        assert!(!verify(&SEED, &MAILBOX, &paid, 1, &[9; 16], &solution));
        assert!(!verify(&SEED, &MAILBOX, &paid, 1, &nonce, &[0; 16]));
        for bit in 0..128 {
            let mut wrong = solution;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&SEED, &MAILBOX, &paid, 1, &nonce, &wrong), "bit {bit}");
        }
    }

    #[test]
    fn brd_15_effort_asks_for_more() {
        let paid = envelope::dummy(&mut ChaCha20Rng::seed_from_u64(3));
        let (nonce, solution) = solve(&SEED, &MAILBOX, &paid, 4, nonces(4)).unwrap();
        assert!(verify(&SEED, &MAILBOX, &paid, 4, &nonce, &solution));
        assert!(!verify(&SEED, &MAILBOX, &paid, u32::MAX, &nonce, &solution));
    }

    #[test]
    fn brd_15_compiled_and_interpreted_programs_have_the_same_solutions() {
        let (mut compiled, mut interpreted) = (EquixWork::compiled(), EquixWork::default());
        let mut found = 0;
        for challenge in 0_u32..10 {
            let challenge = challenge.to_be_bytes();
            let solutions = compiled.solutions(&challenge);
            assert_eq!(solutions, interpreted.solutions(&challenge));
            assert!(solutions.iter().all(|s| compiled.accepts(&challenge, s)));
            found += solutions.len();
        }
        assert!(found >= 5, "two a challenge on average, and not {found} in ten");
    }

    proptest::proptest! {
        #[test]
        fn brd_15_puzzle_is_100_bytes_and_any_other_length_is_refused(
            seed: [u8; 32], mailbox: [u8; 32], digest: [u8; 32], effort: u32, len in 0..200_usize,
        ) {
            let puzzle = Puzzle { seed, mailbox, digest, effort };
            let mut bytes = puzzle.to_bytes();
            proptest::prop_assert_eq!(bytes.len(), Puzzle::LEN);
            proptest::prop_assert_eq!(Puzzle::from_bytes(&bytes), Ok(puzzle));
            bytes.resize(len, 0);
            proptest::prop_assert_eq!(Puzzle::from_bytes(&bytes).is_ok(), len == Puzzle::LEN);
        }
    }

    /// A puzzle that anything solves, to look at the effort alone.
    struct Anything;
    impl Work for Anything {
        fn solutions(&mut self, _: &[u8]) -> Vec<[u8; SOLUTION_LEN]> {
            vec![[0; SOLUTION_LEN]]
        }
        fn accepts(&self, _: &[u8], _: &[u8; SOLUTION_LEN]) -> bool {
            true
        }
    }

    #[test]
    fn brd_15_about_one_nonce_in_effort_is_good_and_tries_are_bounded() {
        let paid = envelope::dummy(&mut ChaCha20Rng::seed_from_u64(5));
        let (mut next, mut tried) = (nonces(6), 0);
        for _ in 0..50 {
            let count = || {
                tried += 1;
                next()
            };
            assert!(solve_with(&mut Anything, &SEED, &MAILBOX, &paid, 64, count).is_some());
        }
        assert!((1600..6400).contains(&tried), "{tried} nonces for 50 solutions at effort 64");

        struct Nothing;
        impl Work for Nothing {
            fn solutions(&mut self, _: &[u8]) -> Vec<[u8; SOLUTION_LEN]> {
                Vec::new()
            }
            fn accepts(&self, _: &[u8], _: &[u8; SOLUTION_LEN]) -> bool {
                false
            }
        }
        let mut tried = 0;
        let count = || {
            tried += 1;
            [0; NONCE_LEN]
        };
        assert!(solve_with(&mut Nothing, &SEED, &MAILBOX, &paid, 2, count).is_none());
        assert_eq!(tried, 2 * TRIES);
    }
}
