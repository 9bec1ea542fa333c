//! Puts the parts of the core together and waits for the end.

use crate::actor::{self, Exit, Setting};
use crate::rpc;
use crate::work::{Solver, Worker};
use crypto::password::Cost;
use gate::GateClient;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener as StdListener;
use std::path::PathBuf;
use std::sync::Arc;
use store::{ProfileDir, StoreError};
use tokio::io::AsyncReadExt;
use tokio::net::UnixListener;
use tokio::net::unix::pipe;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;

/// What the core is started with. It opens no descriptor but files of the profile.
pub struct Config {
    /// The RPC's listening socket.
    pub listener: OwnedFd,
    /// One end of the `SOCK_SEQPACKET` pair; the gate has the other.
    pub gate: OwnedFd,
    /// The reading end of a pipe that the supervisor holds open for as long as it lives.
    pub lifeline: OwnedFd,
    /// The profile's directory; made if it is missing.
    pub data: PathBuf,
    /// Cost of the passphrase of a new profile.
    pub cost: Cost,
    /// The profile belongs to a private test network (TOR-31).
    pub private_network: bool,
    /// Who makes proofs of work; without one the core does, in ten times the time.
    pub worker: Option<Worker>,
}

/// Why the core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The profile's directory cannot be used; another core may have it.
    #[error("the profile cannot be used: {0}")]
    Profile(#[from] StoreError),
    /// An inherited descriptor is not what it should be: a fault of the supervisor.
    #[error("the {what} is not what it should be")]
    Descriptor {
        /// Which one.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs the core until a face or the supervisor ends it. Needs a runtime with I/O and time.
///
/// # Errors
/// [`StartError`]; nothing was served then.
pub async fn run(config: Config) -> Result<Exit, StartError> {
    let Config { listener, gate, lifeline, data, cost, private_network, worker } = config;
    let dir = ProfileDir::create(&data)?;
    let _lock = dir.lock()?;
    let listener = listen(listener).map_err(descriptor("RPC listener"))?;
    let gate = GateClient::new(gate).map_err(descriptor("gate's descriptor"))?;
    let lifeline = pipe::Receiver::from_owned_fd(lifeline).map_err(descriptor("lifeline"))?;
    let mut terminate = signal(SignalKind::terminate()).map_err(descriptor("signal handler"))?;
    let opening = Arc::new(Mutex::new(()));
    let setting = Setting { dir: Arc::new(dir), cost, private_network, opening: opening.clone() };
    let (work, handle) = actor::new(setting, gate, Solver::start(worker));
    let exit = tokio::select! {
        exit = work.run() => exit,
        () = rpc::serve(listener, handle) => Exit::Ended,
        () = end_of(lifeline) => Exit::Ended,
        _ = terminate.recv() => Exit::Ended,
    };
    let _nobody_opens = opening.lock().await;
    Ok(exit)
}

fn descriptor(what: &'static str) -> impl FnOnce(io::Error) -> StartError {
    move |source| StartError::Descriptor { what, source }
}

fn listen(fd: OwnedFd) -> io::Result<UnixListener> {
    if !rustix::net::sockopt::socket_acceptconn(&fd)? {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let listener = StdListener::from(fd);
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Returns when the other end of the pipe is closed. Nothing is ever written to it.
async fn end_of(mut lifeline: pipe::Receiver) {
    let mut byte = [0];
    while matches!(lifeline.read(&mut byte).await, Ok(1..)) {}
}
