//! `cargo xtask soak`: long runs in which everything goes wrong, of the simulator or of the real programs.

mod real;
mod runs;

use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::programs;
use crate::project::{Project, run as run_program};

/// Messages of a run of the simulator, and of the real programs.
const SIMULATED: u64 = 1_000_000;
const REAL: u64 = 100_000;

/// What to soak, and for how long.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    what: What,
    /// How many messages are said [default: 1000000 simulated, 100000 real]
    #[arg(long)]
    messages: Option<u64>,
    /// Everything that is drawn follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Live this one life of a simulated run again, as a finding names it; prints its plan
    #[arg(long, conflicts_with = "real")]
    life: Option<u64>,
    /// How many pairs of people talk in a real run
    #[arg(long, conflicts_with = "sim", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=50))]
    pairs: u64,
    /// Say nothing new after so many minutes of a real run
    #[arg(long, conflicts_with = "sim")]
    minutes: Option<u64>,
    /// Messages that are delivered between two kills of a real run, on average
    #[arg(long, value_name = "N", conflicts_with = "sim", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    kill_every: u64,
    /// Run the programs as they are released: a longer build, and more messages a second
    #[arg(long, conflicts_with = "sim")]
    release: bool,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The real engine in the simulator, on virtual time
    #[arg(long)]
    sim: bool,
    /// The real programs over a private Tor network, killed at random
    #[arg(long)]
    real: bool,
    /// Nothing: say what all runs of the real programs have come to
    #[arg(long)]
    runs: bool,
}

/// Runs it; it prints its progress and, at the end, what was wrong.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let Options { what, messages, seed, life, release, .. } = options;
    if what.real {
        let ready = if *release { programs::ready_as_released } else { programs::ready };
        real::run(project, options, ready(project)?)
    } else if what.runs {
        println!("{}", runs::Runs::read(project)?.total());
        Ok(())
    } else {
        simulated(project, messages.unwrap_or(SIMULATED), *seed, *life)
    }
}

/// Builds the simulator in the release profile and runs it.
fn simulated(project: &Project, messages: u64, seed: u64, life: Option<u64>) -> Result<()> {
    let build = ["build", "--release", "--locked", "--quiet", "--package", "pvtcoms-simnet"];
    run_program(&mut project.cargo(&build))?;
    let program = project.target().join("release").join("pvtcoms-simnet");
    let numbers = [Some(messages), Some(seed), life];
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
