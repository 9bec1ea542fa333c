//! The oblivious mailbox server.

use clap::Parser;
use mailbox::cli::{Cli, run};
use std::io::{Write, stderr};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(code) => code,
        Err(e) => {
            let _reader_gone = writeln!(stderr(), "pvtcoms-mailbox: {e:#}");
            ExitCode::FAILURE
        }
    }
}
