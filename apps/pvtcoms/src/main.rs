//! The command line and the supervisor.
//!
//! A face: it asks the core over the RPC and shows what comes back. It holds no key and opens no
//! network socket.

mod args;
mod ask;
mod commands;
mod fault;
mod output;
mod paths;
mod reach;
mod rpc;
mod settings;
mod show;
mod supervisor;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match args::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong_use(&error),
    };
    let out = output::Out::new(&cli.global);
    match commands::run(cli, &out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => out.fault(&fault),
    }
}

/// Prints help, version or what is wrong with the arguments. PRD-13: 1 is wrong use; clap's own
/// code for it is 2.
fn wrong_use(error: &clap::Error) -> ExitCode {
    // When the terminal is gone there is nobody left to tell.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(1) } else { ExitCode::SUCCESS }
}
