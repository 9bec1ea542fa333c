//! Supervisor, gate and mailbox of a test; cores come and go.

use super::face::Face;
use super::mailbox::Mailbox;
use crypto::password::Cost;
use daemon::{Config, Exit, StartError};
use gate::{
    Backend, Blockage, GateServer, Hello, Isolation, Reason, Request, Stage, Status, Vanguards,
};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use serde_json::json;
use std::collections::BTreeSet;
use std::io::PipeWriter;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;

pub(crate) const PASSPHRASE: &str = "a passphrase of six quite random words";
/// The least that the store allows.
pub(crate) const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
const MAILBOX: [u8; 32] = [7; 32];

pub(crate) struct World {
    pub(crate) mailbox: Arc<Mailbox>,
    /// Dials that the gate was asked for.
    pub(crate) dials: Arc<AtomicUsize>,
    gates: mpsc::UnboundedSender<OwnedFd>,
    pub(crate) home: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let mailbox = Arc::new(Mailbox::new(MAILBOX));
        let dials = Arc::new(AtomicUsize::new(0));
        let (gates, mut receiver) = mpsc::unbounded_channel();
        let (board, count) = (Arc::clone(&mailbox), Arc::clone(&dials));
        spawn(move || {
            runtime().block_on(async move {
                let pages = Arc::clone(&board);
                tokio::spawn(async move { pages.keep_closing().await });
                while let Some(fd) = receiver.recv().await {
                    tokio::spawn(gate(fd, Arc::clone(&board), Arc::clone(&count)));
                }
            });
        });
        Self { mailbox, dials, gates, home: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn address(&self) -> String {
        board::address::encode(&self.mailbox.key())
    }

    pub(crate) fn dials(&self) -> usize {
        self.dials.load(Ordering::SeqCst)
    }

    pub(crate) fn core(&self, name: &str) -> Core {
        let socket = self.home.path().join(format!("{name}.sock"));
        let listener = UnixListener::bind(&socket).unwrap();
        let data = self.home.path().join(name);
        let mut core = Core { data, socket, listener, running: None };
        core.start(self);
        core
    }
}

/// One core: its supervisor keeps the listener, so that another takes its place.
pub(crate) struct Core {
    pub(crate) data: PathBuf,
    pub(crate) socket: PathBuf,
    listener: UnixListener,
    running: Option<(PipeWriter, JoinHandle<Result<Exit, StartError>>)>,
}

impl Core {
    pub(crate) fn start(&mut self, world: &World) {
        let (ours, theirs) = gate_pair();
        world.gates.send(theirs).unwrap();
        let (lifeline, keeps) = std::io::pipe().unwrap();
        let config = Config {
            listener: self.listener.try_clone().unwrap().into(),
            gate: ours,
            lifeline: lifeline.into(),
            data: self.data.clone(),
            cost: COST,
            private_network: true,
            worker: None,
        };
        let thread = spawn(move || {
            let runtime = runtime();
            let exit = runtime.block_on(daemon::run(config));
            // As the program does: what threads still do is not waited for.
            runtime.shutdown_background();
            exit
        });
        self.running = Some((keeps, thread));
    }

    /// Waits for the core to end by itself.
    pub(crate) fn ended(&mut self) -> Result<Exit, StartError> {
        let (_keeps, thread) = self.running.take().unwrap();
        thread.join().unwrap()
    }

    /// The supervisor dies.
    pub(crate) fn orphan(&mut self) -> Exit {
        let (keeps, thread) = self.running.take().unwrap();
        drop(keeps);
        thread.join().unwrap().unwrap()
    }

    pub(crate) fn face(&self) -> Face {
        Face::new(&self.socket)
    }

    /// A face of a core whose profile was just made.
    pub(crate) fn create(&self, name: &str, mode: &str) -> Face {
        let mut face = self.face();
        let params = json!({ "passphrase": PASSPHRASE, "name": name, "mode": mode });
        face.ok("create", params);
        face
    }

    pub(crate) fn path(&self) -> &Path {
        &self.data
    }
}

/// No core outlives its test: SQLCipher frees its heap when the process ends.
impl Drop for Core {
    fn drop(&mut self) {
        if let Some((keeps, thread)) = self.running.take() {
            drop(keeps);
            // A core that failed has told so already.
            let _ = thread.join();
        }
    }
}

pub(crate) fn gate_pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap()
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// The gate's double: every dial of the mailbox's key leads to the mailbox.
async fn gate(fd: OwnedFd, mailbox: Arc<Mailbox>, dials: Arc<AtomicUsize>) {
    let mut epoch = [0; 16];
    getrandom::fill(&mut epoch).unwrap();
    let hello = Hello {
        epoch,
        version: gate::VERSION,
        backend: Backend::Arti,
        vanguards: Vanguards::Full,
        private_network: true,
    };
    let server = GateServer::new(fd, hello).await.unwrap();
    let tokens = Mutex::new(BTreeSet::new());
    let mut heartbeat = tokio::time::interval(Duration::from_secs(5));
    loop {
        let request = tokio::select! {
            request = server.recv() => request,
            _ = heartbeat.tick() => {
                let status = Status {
                    stage: Stage::Ready,
                    fraction: 1000,
                    blockage: Blockage::None,
                    skew_s: None,
                    isolation: Isolation::Confirmed,
                    vanguards: Vanguards::Full,
                };
                if server.status(status).await.is_err() {
                    return;
                }
                continue;
            }
        };
        match request {
            Ok(Some(Request::Dial(dial))) => {
                dials.fetch_add(1, Ordering::SeqCst);
                // TOR-6: a token that comes twice is refused, and the test would hang.
                let fresh = tokens.lock().unwrap().insert(dial.token);
                if !fresh {
                    server.failed(dial.id, Reason::ReusedToken).await.unwrap();
                } else if (dial.onion, dial.port) == (mailbox.key(), engine::MAILBOX_PORT) {
                    let (ours, theirs) = tokio::net::UnixStream::pair().unwrap();
                    let theirs = theirs.into_std().unwrap();
                    let _ = server.dialled(dial.id, theirs.into()).await;
                    let mailbox = Arc::clone(&mailbox);
                    tokio::spawn(async move { mailbox.serve(ours).await });
                } else {
                    server.failed(dial.id, Reason::NoDescriptor).await.unwrap();
                }
            }
            Ok(Some(Request::Abort { id })) => {
                let _ = server.failed(id, Reason::Aborted).await;
            }
            Ok(None) | Err(_) => return,
        }
    }
}
