//! `machine STEPS SEED [GAME]`: a run of the ratchet machine, or one game of it again. `cargo xtask machine` starts it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::arithmetic_side_effects,
    reason = "talks to the person who runs it"
)]

use std::process::ExitCode;

use machine::{play, run};

fn main() -> ExitCode {
    let arguments: Option<Vec<u64>> =
        std::env::args().skip(1).map(|argument| argument.parse().ok()).collect();
    let done = match arguments.as_deref() {
        Some([steps, seed]) => {
            let mut shown = 0;
            run(*seed, *steps, |tally| {
                if tally.steps * 10 / steps > shown {
                    shown = tally.steps * 10 / steps;
                    println!("  {} steps, {} messages", tally.steps, tally.messages);
                }
            })
        }
        Some([_, seed, game]) => play(*seed, *game),
        _ => {
            eprintln!("usage: machine STEPS SEED [GAME]");
            return ExitCode::FAILURE;
        }
    };
    match done {
        Ok(tally) => {
            println!("machine: {tally}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}
