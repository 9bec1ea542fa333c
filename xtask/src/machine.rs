//! `cargo xtask machine`: the long run of `testing/machine`, or one game of it again.

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::project::{Project, run as run_program};

/// Builds the machine in the release profile and runs it; it prints its progress and, on failure, what to replay.
pub(crate) fn run(project: &Project, steps: u64, seed: u64, game: Option<u64>) -> Result<()> {
    let build = ["build", "--release", "--locked", "--quiet", "--package", "pvtcoms-machine"];
    run_program(&mut project.cargo(&build))?;
    let program = project.target().join("release").join("machine");
    let numbers = [Some(steps), Some(seed), game];
    let start = Instant::now();
    run_program(project.command(program).args(numbers.iter().flatten().map(u64::to_string)))
        .with_context(|| {
            format!(
                "the ratchet and its specification differ; to replay: cargo xtask machine --seed {seed} --game GAME, \
                 with the game that the last line above names"
            )
        })?;
    println!("machine: seed {seed}, {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
