//! A run: games until there were enough steps.

use crate::deal::Mood;
use crate::failure::Failure;
use crate::game::Game;
use crate::tally::Tally;

/// Plays games until `steps` have been made; `progress` is told after each game.
///
/// # Errors
/// The first [`Failure`].
pub fn run(seed: u64, steps: u64, mut progress: impl FnMut(&Tally)) -> Result<Tally, Failure> {
    let mut total = Tally::default();
    while total.steps < steps {
        total += play(seed, total.games)?;
        progress(&total);
    }
    Ok(total)
}

/// Plays one game of a run: the same seed and number give the same game.
///
/// # Errors
/// A [`Failure`].
pub fn play(seed: u64, game: u64) -> Result<Tally, Failure> {
    // Any injective mixture will do; the dice hash it.
    let dice = seed.rotate_left(32) ^ game.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut played = Game::new(dice, Mood::of(game));
    played.play().map_err(|(kind, what)| {
        let step = played.tally.steps;
        Failure { kind, what, seed, game, step, trace: played.trace.into() }
    })
}
