//! `linkability`: the experiment of `docs/linkability.md`. `cargo xtask linkability` starts it.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "talks to the person who runs it")]

use clap::{Parser, ValueEnum};
use linkability::report::{Plan, experiment, picture};
use std::path::PathBuf;
use std::process::ExitCode;

/// Clients of the worlds of controls, at most. On a larger board the coming and going of others
/// hides what two people do, also where nothing else does.
const CONTROL_CLIENTS: usize = 50;

/// Which schedule everybody follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    /// The claim: bounds, controls, T0, T1, T2.
    Steady,
    /// Reported alone.
    Fast,
}

/// What mailboxes that write everything down can link
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask linkability")]
struct Options {
    /// Clients, an even number
    #[arg(long, default_value_t = 200)]
    clients: usize,
    /// Hours of virtual time in which games are played
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// First seed: everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Keep `transcript.jsonl` and `truth.jsonl` of the first seed in this directory
    #[arg(long)]
    keep_log: Option<PathBuf>,
    /// Which schedule everybody follows
    #[arg(long, value_enum, default_value = "steady")]
    mode: Mode,
    /// Hours of the worlds of controls
    #[arg(long, default_value_t = 24)]
    control_hours: u64,
    /// Runs of each side in T2
    #[arg(long, default_value_t = 20)]
    sides: usize,
    /// Of a thousand fetches, those that the mailboxes answer with random bytes, to see what follows
    #[arg(long, default_value_t = 0)]
    garbage: u32,
    /// Write the picture (SVG) here
    #[arg(long)]
    picture: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let clients = options.clients.max(4) & !1;
    let plan = Plan {
        clients,
        hours: options.hours.max(1),
        seed: options.seed,
        seeds: options.seeds.max(1),
        fast: options.mode == Mode::Fast,
        controls: (clients.min(CONTROL_CLIENTS), options.control_hours.max(1)),
        sides: options.sides,
        garbage: options.garbage,
        keep: options.keep_log,
    };
    let report = experiment(&plan, |line| eprintln!("  {line}"));
    print!("{}", report.table());
    let name = format!("{clients} clients, {} h, {} seeds", plan.hours, plan.seeds);
    if let Some(path) = options.picture
        && let Err(error) = std::fs::write(&path, picture(&report, &name))
    {
        eprintln!("the picture cannot be written: {error}");
    }
    let findings = if plan.fast { report.wrong.clone() } else { report.findings() };
    for finding in &findings {
        println!("  {finding}");
    }
    println!("{}", report.last_line());
    if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
