//! `tornet`: a private Tor network on loopback for tests and demonstrations.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};
use tornet::{NET_VARIABLE, Options, Profile, Tornet};

/// A private Tor network on this computer, made of six real `tor` processes.
///
/// It is not anonymous and reaches nothing outside. Nothing is left running afterwards.
#[derive(Parser)]
#[command(version)]
struct Cli {
    /// C tor at one end of the onion connections (a host or a SOCKS port of C tor's).
    #[arg(long, global = true)]
    interop: bool,
    /// Folder for keys and data [default: $PVTCOMS_TORNET_CACHE, then ~/.cache/pvtcoms/tornet].
    #[arg(long, global = true, value_name = "DIR")]
    cache: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Starts a network, prints the path of its net.json, and runs until Ctrl-C.
    Up,
    /// Starts a network, runs a command with PVTCOMS_TORNET set to its net.json, and ends with it.
    Run {
        /// The command and its arguments.
        #[arg(last = true, required = true)]
        command: Vec<std::ffi::OsString>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<ExitCode> {
    let Cli { interop, cache, verb } = Cli::parse();
    let profile = if interop { Profile::Interop } else { Profile::Arti };
    let cancel = Arc::new(AtomicBool::new(false));
    let options = Options { profile, cache, cancel: Arc::clone(&cancel) };

    let ending = ended_by_signal()?;
    tokio::pin!(ending);
    let mut start = tokio::task::spawn_blocking(move || {
        Tornet::start_with(&options, |line| say(&mut std::io::stderr(), line))
    });
    let network = tokio::select! {
        network = &mut start => network?,
        _ = &mut ending => {
            cancel.store(true, Ordering::Relaxed);
            start.await?
        }
    };
    let network = network.context("no private Tor network")?;
    let code = match verb {
        Verb::Up => {
            say(&mut std::io::stdout(), &network.net_json().display().to_string());
            ending.await;
            ExitCode::SUCCESS
        }
        Verb::Run { command } => {
            let Some((program, arguments)) = command.split_first() else { bail!("no command") };
            let mut child = tokio::process::Command::new(program)
                .args(arguments)
                .env(NET_VARIABLE, network.net_json())
                .kill_on_drop(true)
                .spawn()
                .with_context(|| format!("cannot run {}", program.display()))?;
            tokio::select! {
                status = child.wait() => {
                    let code = status?.code().and_then(|code| u8::try_from(code).ok());
                    ExitCode::from(code.unwrap_or(1))
                }
                code = &mut ending => ExitCode::from(code),
            }
        }
    };
    tokio::task::spawn_blocking(|| network.stop()).await?;
    Ok(code)
}

/// Waits for one of the signals that end a program, and returns the customary exit code.
fn ended_by_signal() -> anyhow::Result<impl Future<Output = u8>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => 130,
            _ = terminate.recv() => 143,
            _ = hangup.recv() => 129,
        }
    })
}

fn say(to: &mut impl Write, line: &str) {
    let _ = writeln!(to, "{line}"); // a closed terminal is no reason to stop
}
