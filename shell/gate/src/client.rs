//! The core's half: asks for streams, follows the gate's state, survives the gate.

mod book;
mod tasks;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::frame::{
    Backend, Blockage, Dial, Frame, Hello, Isolation, Reason, Stage, Status, Vanguards,
};
use crate::seq::SeqSocket;
use book::Book;

/// How much longer than the gate the client waits: the gate's own answer says more.
const GRACE: Duration = Duration::from_secs(2);

/// A dial that brought no stream. Names no place (TOR-9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no stream through Tor: {reason}")]
pub struct DialError {
    /// Why.
    pub reason: Reason,
}

/// What the gate last said about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateStatus {
    /// How far it is; [`Stage::Gone`] while no gate answers. The rest is then what it last said.
    pub stage: Stage,
    /// Share of the bootstrap that is done, in thousandths.
    pub fraction: u16,
    /// Why it does not get further, as Tor guesses.
    pub blockage: Blockage,
    /// Seconds by which our clock is ahead (positive) or behind, when that is known.
    pub skew_s: Option<i32>,
    /// Whether streams with different tokens are proved to be isolated.
    pub isolation: Isolation,
    /// Which vanguards protect the guards; `None` while no gate answers.
    pub vanguards: Option<Vanguards>,
    /// What carries the bytes; `None` while no gate answers.
    pub backend: Option<Backend>,
    /// The network is a private test network and gives no anonymity (TOR-31).
    pub private_network: bool,
}

impl GateStatus {
    /// The state while no gate answers.
    pub const GONE: Self = Self {
        stage: Stage::Gone,
        fraction: 0,
        blockage: Blockage::None,
        skew_s: None,
        isolation: Isolation::Unknown,
        vanguards: None,
        backend: None,
        private_network: false,
    };

    fn greeted(hello: &Hello) -> Self {
        Self {
            stage: Stage::Starting,
            vanguards: Some(hello.vanguards),
            backend: Some(hello.backend),
            private_network: hello.private_network,
            ..Self::GONE
        }
    }

    const fn updated(&mut self, status: &Status) {
        let Status { stage, fraction, blockage, skew_s, isolation, vanguards } = *status;
        self.stage = stage;
        self.fraction = fraction;
        self.blockage = blockage;
        self.skew_s = skew_s;
        self.isolation = isolation;
        self.vanguards = Some(vanguards);
    }
}

/// The core's end of the pair. Clones share it; when the last one goes, so does the connection.
#[derive(Clone)]
pub struct GateClient {
    link: Arc<Link>,
}

struct Link {
    shared: Arc<Shared>,
    out: mpsc::UnboundedSender<Frame>,
    /// Reader and writer; aborted when the last client goes.
    _tasks: JoinSet<()>,
}

struct Shared {
    socket: SeqSocket,
    book: Book,
    status: watch::Sender<GateStatus>,
}

impl GateClient {
    /// Takes over the core's end and starts its tasks on the current tokio runtime.
    ///
    /// # Errors
    /// If `fd` is no `SOCK_SEQPACKET` Unix socket.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        let (status, _) = watch::channel(GateStatus::GONE);
        let shared =
            Arc::new(Shared { socket: SeqSocket::new(fd)?, book: Book::default(), status });
        let (out, frames) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        tasks.spawn(tasks::read(Arc::clone(&shared), out.clone()));
        tasks.spawn(tasks::write(Arc::clone(&shared), frames));
        Ok(Self { link: Arc::new(Link { shared, out, _tasks: tasks }) })
    }

    /// Asks for a stream to `port` of the v3 onion service with public key `onion`.
    ///
    /// `token` must be fresh for each operation (TOR-6). Dropping the future gives the request up;
    /// a stream that was already on its way is closed. Without a gate the request waits for one
    /// until `deadline`, which the client keeps by itself.
    ///
    /// # Errors
    /// [`DialError`] with the gate's reason; [`Reason::NoTor`] if no gate answered in time,
    /// [`Reason::Aborted`] if the gate that had the request was replaced.
    pub async fn dial(
        &self,
        onion: [u8; 32],
        port: u16,
        token: [u8; 16],
        deadline: Duration,
    ) -> Result<UnixStream, DialError> {
        let Link { shared, out, .. } = &*self.link;
        let Some((id, answer)) = shared.book.open() else { return fail(Reason::Internal) };
        let mut request = Pending { shared, out, id, done: false };
        let deadline_ms = u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX);
        if out.send(Frame::Dial(Dial { id, onion, port, token, deadline_ms })).is_err() {
            return fail(Reason::Internal);
        }
        let Ok(answer) = tokio::time::timeout(deadline.saturating_add(GRACE), answer).await else {
            return fail(Reason::NoTor);
        };
        request.done = true;
        match answer {
            Ok(Ok(fd)) => adopt(fd).or_else(|_| fail(Reason::Internal)),
            Ok(Err(reason)) => fail(reason),
            Err(_) => fail(Reason::Internal),
        }
    }

    /// What the gate says about itself, and every change of it.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<GateStatus> {
        self.link.shared.status.subscribe()
    }
}

const fn fail<T>(reason: Reason) -> Result<T, DialError> {
    Err(DialError { reason })
}

/// The reader has checked that it is a Unix stream (TOR-5).
fn adopt(fd: OwnedFd) -> io::Result<UnixStream> {
    let stream = std::os::unix::net::UnixStream::from(fd);
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// A request whose future may be dropped at any time.
struct Pending<'a> {
    shared: &'a Shared,
    out: &'a mpsc::UnboundedSender<Frame>,
    id: u64,
    done: bool,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.shared.book.close(self.id);
            // Fails only when the writer has ended, and then nobody is left to tell.
            let _ = self.out.send(Frame::Abort { id: self.id });
        }
    }
}
