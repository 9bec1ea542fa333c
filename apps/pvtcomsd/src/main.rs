//! The core: holds the keys, the database and the protocol engine; opens no socket.

mod cli;
mod harden;
mod worker;

use clap::Parser;
use cli::Cli;
use daemon::{Config, StartError};
use std::io::{self, Write};
use std::process::ExitCode;
use store::StoreError;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

/// PRD-13: wrong use.
const WRONG_USE: u8 = 1;
/// PRD-13: a fault of this program.
const INTERNAL: u8 = 2;
/// PRD-13: storage.
const STORAGE: u8 = 7;

fn main() -> ExitCode {
    if std::env::args_os().skip(1).eq([worker::COMMAND]) {
        return worker::run();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(asked) => {
            let code = if asked.use_stderr() { WRONG_USE } else { 0 };
            // Help that cannot be printed is no reason to fail.
            let _ = asked.print();
            return ExitCode::from(code);
        }
    };
    let mut config = match config(&cli) {
        Ok(config) => config,
        Err(error) => return end(WRONG_USE, &error),
    };
    if let Err(error) = harden::harden() {
        return end(INTERNAL, &format!("this process could not be closed to debuggers: {error}"));
    }
    log(cli.verbose);
    config.worker = worker::start();
    match run(config) {
        Ok(code) => ExitCode::from(code),
        Err(Failed::Runtime(error)) => end(INTERNAL, &error.to_string()),
        Err(Failed::Start(error)) => {
            let (code, text) = explain(&error, &cli.profile);
            end(code, &text)
        }
    }
}

/// Takes the inherited descriptors, before anything else is opened.
fn config(cli: &Cli) -> Result<Config, String> {
    let take = |name: &str, fd: i32| {
        raw::inherited_fd(fd).map_err(|error| format!("{name} {fd}: {error}"))
    };
    Ok(Config {
        listener: take("--rpc-fd", cli.rpc_fd)?,
        gate: take("--gate-fd", cli.gate_fd)?,
        lifeline: take("--lifeline-fd", cli.lifeline_fd)?,
        data: cli.data.clone(),
        cost: store::DEFAULT_COST,
        private_network: cli.private_network,
        worker: None,
    })
}

enum Failed {
    Runtime(io::Error),
    Start(StartError),
}

fn run(config: Config) -> Result<u8, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failed::Runtime)?;
    let exit = runtime.block_on(daemon::run(config)).map_err(Failed::Start)?;
    // A proof of work that is under way is not waited for.
    runtime.shutdown_background();
    Ok(exit.code())
}

fn explain(error: &StartError, profile: &str) -> (u8, String) {
    match error {
        StartError::Profile(StoreError::InUse) => {
            (STORAGE, format!("another core has the profile {profile}: only one may use it"))
        }
        StartError::Profile(_) => (STORAGE, format!("profile {profile}: {error}")),
        StartError::Descriptor { source, .. } => (WRONG_USE, format!("{error}: {source}")),
    }
}

/// What happens, to stderr: kinds of operations and their results, and no more at any level
/// (SE-2). Other crates' logs are left out, and so is every variable of the environment.
fn log(verbose: bool) {
    let level = if verbose { LevelFilter::DEBUG } else { LevelFilter::WARN };
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(false))
        .with(Targets::new().with_target("daemon", level))
        .init();
    // A panic's message may hold what was being worked on; its place may be told.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(io::stderr(), "pvtcomsd: a fault of the program at {place}");
    }));
}

fn end(code: u8, text: &str) -> ExitCode {
    // With stderr closed there is only the exit code.
    let _ = writeln!(io::stderr(), "pvtcomsd: {text}");
    ExitCode::from(code)
}
