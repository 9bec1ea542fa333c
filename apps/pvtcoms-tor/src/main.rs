//! `pvtcoms-tor`: the gate. The only program that talks to the network, and only through Tor.
//!
//! It knows onion addresses and opaque bytes, never a key of a person, a contact or a message.
//! Rules TOR-1 to TOR-31 of `docs/spec/gate.md`.

mod arti;
mod cli;
mod client;
mod host;
mod logging;
mod onion;
mod private;
mod socks;
mod splice;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Fault, Verb};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print(); // a closed terminal is no reason to stop
            return ExitCode::from(u8::from(error.use_stderr())); // PRD-13: 1 wrong use
        }
    };
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            logging::say(&format!("pvtcoms-tor: {fault}"));
            ExitCode::from(fault.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Fault> {
    // Descriptors first: no thread may run while a number becomes an owner.
    let link = match &cli.verb {
        Verb::Client(args) => Some(raw::inherited_fd(args.fd).map_err(Fault::Descriptor)?),
        Verb::Host(_) => None,
    };
    logging::start();
    // Arti installs no cryptography provider; without this its first handshake would panic.
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| Fault::Internal("the TLS provider was installed twice"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(Fault::Runtime)?;
    let outcome = runtime.block_on(async {
        match (cli.verb, link) {
            (Verb::Client(args), Some(link)) => client::run(args, link).await,
            (Verb::Client(_), None) => Err(Fault::Internal("the descriptor is missing")),
            (Verb::Host(args), _) => host::run(args).await,
        }
    });
    // Arti's own tasks never end by themselves.
    runtime.shutdown_background();
    outcome
}
