//! `cargo xtask soak`: the long run of `testing/simnet`, or one life of it again.

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::project::{Project, run as run_program};

/// What to soak, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The real engine in the simulator, on virtual time
    #[arg(long, required = true)]
    sim: bool,
    /// How many messages are said
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Live this one life of the run again, as a finding names it; prints its plan
    #[arg(long)]
    life: Option<u64>,
}

/// Builds the simulator in the release profile and runs it; it prints its progress and, at the end, what was wrong.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let Options { sim: _, messages, seed, life } = options;
    let build = ["build", "--release", "--locked", "--quiet", "--package", "pvtcoms-simnet"];
    run_program(&mut project.cargo(&build))?;
    let program = project.target().join("release").join("pvtcoms-simnet");
    let numbers = [Some(*messages), Some(*seed), *life];
    // Ctrl-C reaches the simulator as well, which then says what was done so far.
    ctrlc::set_handler(|| ())?;
    let start = Instant::now();
    run_program(project.command(program).args(numbers.iter().flatten().map(u64::to_string)))
        .with_context(|| {
            format!(
                "what is seen and what was said differ; to replay: cargo xtask soak --sim --messages {messages} --seed {seed} \
                 --life LIFE, with a life that a line above names"
            )
        })?;
    println!("soak: seed {seed}, {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
