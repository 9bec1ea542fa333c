//! `cargo xtask linkability`: the experiment of `testing/linkability` (docs/linkability.md).

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::project::{Project, run as run_program};

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Clients, an even number
    #[arg(long, default_value_t = 200)]
    clients: u64,
    /// Hours of virtual time in which games are played
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// First seed: everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds, one after the other
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// `steady` is held to its bounds; `fast` is only reported
    #[arg(long, default_value = "steady", value_parser = ["steady", "fast"])]
    mode: String,
    /// Hours of the worlds in which controls live
    #[arg(long, default_value_t = 8)]
    control_hours: u64,
    /// Runs of each side in T2
    #[arg(long, default_value_t = 20)]
    sides: u64,
    /// Of a thousand fetches, those that the mailboxes answer with random bytes
    #[arg(long, default_value_t = 0)]
    garbage: u64,
    /// Keep transcript and truth of the first seed in this directory
    #[arg(long)]
    keep_log: Option<PathBuf>,
    /// Write the picture (SVG) here
    #[arg(long)]
    picture: Option<PathBuf>,
}

/// Builds the experiment in the release profile and runs it; it prints its table and fails if a bound is broken or a control missed.
pub(crate) fn run(project: &Project, options: &Options) -> Result<()> {
    let build = ["build", "--release", "--locked", "--quiet", "--package", "pvtcoms-linkability"];
    run_program(&mut project.cargo(&build))?;
    let mut program = project.command(project.target().join("release").join("linkability"));
    let numbers = [
        ("--clients", options.clients),
        ("--hours", options.hours),
        ("--seed", options.seed),
        ("--seeds", options.seeds),
        ("--control-hours", options.control_hours),
        ("--sides", options.sides),
        ("--garbage", options.garbage),
    ];
    for (name, number) in numbers {
        program.arg(name).arg(number.to_string());
    }
    program.arg("--mode").arg(&options.mode);
    for (name, path) in [("--keep-log", &options.keep_log), ("--picture", &options.picture)] {
        if let Some(path) = path {
            program.arg(name).arg(path);
        }
    }
    let start = Instant::now();
    run_program(&mut program)
        .context("a bound is broken or a control was missed; the lines above say which")?;
    eprintln!("linkability: {:.0} s", start.elapsed().as_secs_f32());
    Ok(())
}
