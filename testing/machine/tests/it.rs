//! The short run of the machine, 10^5 steps in four parts; the long one is `cargo xtask machine`. What the machine would catch is shown
//! by `cargo xtask mutants`.
#![expect(clippy::panic, reason = "test code")]

use machine::{play, run};

/// A quarter of the short run. Everything that the machine can do must have happened.
fn quarter(seed: u64) {
    let tally = run(seed, 25_000, |_| ()).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(tally.steps >= 25_000);
    for (name, count) in tally.counts() {
        assert!(count > 0, "seed {seed} shows nothing about {name}");
    }
}

#[test]
fn ratchet_rat_4_rat_6_rat_7_rat_9_rat_10_rat_11_machine_first_quarter() {
    quarter(1);
}

#[test]
fn ratchet_rat_4_rat_6_rat_7_rat_9_rat_10_rat_11_machine_second_quarter() {
    quarter(2);
}

#[test]
fn ratchet_rat_4_rat_6_rat_7_rat_9_rat_10_rat_11_machine_third_quarter() {
    quarter(3);
}

#[test]
fn ratchet_rat_4_rat_6_rat_7_rat_9_rat_10_rat_11_machine_last_quarter() {
    quarter(4);
}

#[test]
fn ratchet_machine_plays_the_same_game_again() {
    for game in 0..3 {
        assert_eq!(play(9, game), play(9, game));
    }
    assert_ne!(play(9, 0), play(10, 0));
}
