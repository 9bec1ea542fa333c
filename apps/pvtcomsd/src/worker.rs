//! `pvtcomsd work`: makes proofs of work for the core that started it, and holds no key (ADR 0015).

use crate::harden::harden;
use daemon::Worker;
use std::io;
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;

/// The only argument of a worker.
pub(crate) const COMMAND: &str = "work";

/// The worker's life: until its core closes the pipe.
pub(crate) fn run() -> ExitCode {
    let served = harden()
        .map_err(io::Error::from)
        .and_then(|()| daemon::work(io::stdin().lock(), io::stdout().lock()));
    // Its core finds out by the end of the pipe, and does without it.
    if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Starts a worker: this program once more, with two pipes and nothing else of ours. Without one
/// proofs of work take longer, so that it is no reason not to start.
pub(crate) fn start() -> Option<Worker> {
    let worker = spawn();
    if let Err(error) = &worker {
        tracing::warn!("proofs of work are made without a worker: {error}");
    }
    worker.ok()
}

fn spawn() -> io::Result<Worker> {
    let mut child = Command::new(std::env::current_exe()?)
        .arg(COMMAND)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let ends = child.stdin.take().zip(child.stdout.take());
    // Asked for its end by somebody, so that none is left in the process table.
    thread::Builder::new().name("worker's end".to_owned()).spawn(move || wait(child))?;
    let (puzzles, payments) = ends.ok_or(io::ErrorKind::BrokenPipe)?;
    Ok(Worker { puzzles: puzzles.into(), payments: payments.into() })
}

fn wait(mut child: Child) {
    // However it ended: the core has noticed it by the pipe.
    let _ = child.wait();
}
