//! The proof of work of a PUT (BRD-15).
//!
//! `challenge = "pvtcoms board v1 pow" ‖ seed(32) ‖ M(32) ‖ H(envelope)(32) ‖ nonce(16)`; a solution
//! is good if the puzzle accepts it and `u32(H(challenge ‖ solution)[0..4]) · effort ≤ 2^32 − 1`.

use crate::envelope::Envelope;
use crypto::{hash, labels};
use equix::{EquiXBuilder, RuntimeOption, Solution, SolverMemory};

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
/// Its hash programs are interpreted: compiling them would need memory that is writable and then
/// executable in the process that holds the keys.
#[derive(Default)]
pub struct EquixWork {
    memory: Option<SolverMemory>,
}

fn builder() -> EquiXBuilder {
    let mut builder = EquiXBuilder::new();
    builder.runtime(RuntimeOption::InterpretOnly);
    builder
}

impl Work for EquixWork {
    fn solutions(&mut self, challenge: &[u8]) -> Vec<[u8; SOLUTION_LEN]> {
        // About one challenge in 250 makes no valid hash program: it has no solution.
        let Ok(puzzle) = builder().build(challenge) else { return Vec::new() };
        let memory = self.memory.get_or_insert_with(SolverMemory::new);
        puzzle.solve_with_memory(memory).iter().map(Solution::to_bytes).collect()
    }

    fn accepts(&self, challenge: &[u8], solution: &[u8; SOLUTION_LEN]) -> bool {
        builder().verify_bytes(challenge, solution).is_ok()
    }
}

/// Solves for one envelope with Equi-X: nonce and solution of a [`crate::frame::PutRequest`].
///
/// Tries at most 32 nonces a unit of effort; `None` after that, which does not happen with honest
/// dice (probability below 10⁻²⁰).
pub fn solve(
    seed: &[u8; 32],
    mailbox: &[u8; 32],
    envelope: &Envelope,
    effort: u32,
    nonces: impl FnMut() -> [u8; NONCE_LEN],
) -> Option<([u8; NONCE_LEN], [u8; SOLUTION_LEN])> {
    solve_with(&mut EquixWork::default(), seed, mailbox, envelope, effort, nonces)
}

/// [`solve`] with another puzzle, or with one whose memory is kept.
pub fn solve_with(
    work: &mut impl Work,
    seed: &[u8; 32],
    mailbox: &[u8; 32],
    envelope: &Envelope,
    effort: u32,
    mut nonces: impl FnMut() -> [u8; NONCE_LEN],
) -> Option<([u8; NONCE_LEN], [u8; SOLUTION_LEN])> {
    for _ in 0..effort.max(1).saturating_mul(TRIES) {
        let nonce = nonces();
        let challenge = challenge(seed, mailbox, envelope, &nonce);
        let good = work.solutions(&challenge).into_iter().find(|s| reaches(&challenge, s, effort));
        if let Some(solution) = good {
            return Some((nonce, solution));
        }
    }
    None
}

/// Whether nonce and solution pay for `envelope` at this effort, by Equi-X.
#[must_use]
pub fn verify(
    seed: &[u8; 32],
    mailbox: &[u8; 32],
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
    mailbox: &[u8; 32],
    envelope: &Envelope,
    effort: u32,
    nonce: &[u8; NONCE_LEN],
    solution: &[u8; SOLUTION_LEN],
) -> bool {
    let challenge = challenge(seed, mailbox, envelope, nonce);
    // The hash is the cheaper half, so it goes first.
    reaches(&challenge, solution, effort) && work.accepts(&challenge, solution)
}

fn challenge(
    seed: &[u8; 32],
    mailbox: &[u8; 32],
    envelope: &Envelope,
    nonce: &[u8; NONCE_LEN],
) -> Vec<u8> {
    [labels::BOARD_POW, seed, mailbox, &envelope.digest(), nonce].concat()
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
