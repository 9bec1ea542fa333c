//! Running dials and the streams that came of them, within the limits of TOR-8.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gate::{Dial, GateServer, Reason};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

use super::Way;
use crate::arti::Circuit;
use crate::splice::{Limits, Stream, splice};

/// Dials that run at once.
const DIALS: usize = 8;

/// Dials to one onion service that run at once: a dead mailbox never stalls another (PRD-5).
const DIALS_OF_ONE: usize = 2;

/// Requests that run or wait for their turn.
const REQUESTS: usize = 64;

/// Open streams: eight operations at once, and the streams that a mailbox keeps open.
const STREAMS: usize = 32;

/// The longest that a dial may take.
const DEADLINE: Duration = Duration::from_secs(90);

/// A mailbox's stream of pages lives up to six hours and is never silent for longer than five
/// minutes; one request is 4 160 bytes, and the largest answer is a day of pages.
const LIMITS: Limits = Limits {
    life: Duration::from_secs(6 * 3600 + 600),
    silence: Duration::from_secs(600),
    out: 16 * 1024,
    back: 1024 * 1024 * 1024,
};

pub(super) struct Dials {
    shared: Arc<Shared>,
}

struct Shared {
    server: Arc<GateServer>,
    way: Arc<Way>,
    running: Mutex<HashMap<u64, AbortHandle>>,
    /// Turns of each onion service that has requests; the address is forgotten with the last.
    turns: Mutex<BTreeMap<[u8; 32], Arc<Semaphore>>>,
    dials: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Dials {
    pub(super) fn new(server: Arc<GateServer>, way: Arc<Way>) -> Self {
        let shared = Shared {
            server,
            way,
            running: Mutex::default(),
            turns: Mutex::default(),
            dials: Arc::new(Semaphore::new(DIALS)),
            streams: Arc::new(Semaphore::new(STREAMS)),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Starts a dial; false if there are too many, or its number is in use.
    pub(super) fn start(&self, dial: Dial) -> bool {
        // Held over the start, so that the task's own removal comes after.
        let mut running = guard(&self.shared.running);
        if running.len() >= REQUESTS || running.contains_key(&dial.id) {
            return false;
        }
        let id = dial.id;
        let task = tokio::spawn(Arc::clone(&self.shared).run(dial));
        running.insert(id, task.abort_handle());
        true
    }

    /// Ends a dial that runs. A stream that it has become ends when the core closes it.
    pub(super) fn abort(&self, id: u64) {
        if let Some(task) = guard(&self.shared.running).remove(&id) {
            task.abort();
        }
    }
}

impl Drop for Dials {
    fn drop(&mut self) {
        for task in guard(&self.shared.running).values() {
            task.abort();
        }
    }
}

/// A connected stream that is ready to be handed over.
struct Connected {
    stream: Box<dyn Stream>,
    circuit: Option<Circuit>,
    place: OwnedSemaphorePermit,
}

impl Shared {
    async fn run(self: Arc<Self>, dial: Dial) {
        let id = dial.id;
        let deadline = Duration::from_millis(dial.deadline_ms.into()).min(DEADLINE);
        let outcome = match tokio::time::timeout(deadline, self.connect(&dial)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(self.way.stuck()),
        };
        let answer = match outcome {
            Ok(connected) => self.hand_over(id, connected).await,
            Err(reason) => self.server.failed(id, reason).await,
        };
        guard(&self.running).remove(&id);
        if let Err(error) = answer {
            tracing::warn!("an answer did not reach the core: {error}");
        }
    }

    async fn connect(&self, dial: &Dial) -> Result<Connected, Reason> {
        let internal = |_| Reason::Internal; // a semaphore of ours was closed
        let _turn = Turn::wait(self, dial.onion).await?;
        let _dial = self.dials.acquire().await.map_err(internal)?;
        let place = Arc::clone(&self.streams).acquire_owned().await.map_err(internal)?;
        let (stream, circuit) = self.way.dial(&dial.onion, dial.port, &dial.token).await?;
        Ok(Connected { stream, circuit, place })
    }

    async fn hand_over(&self, id: u64, connected: Connected) -> Result<(), gate::ServerError> {
        let Connected { stream, circuit, place } = connected;
        let Ok((near, theirs)) = pair() else {
            return self.server.failed(id, Reason::Internal).await;
        };
        self.server.dialled(id, theirs).await?;
        tokio::spawn(async move {
            splice(near, stream, LIMITS).await;
            drop((circuit, place)); // TOR-7
        });
        Ok(())
    }
}

/// TOR-5: the core never gets an internet socket, only one end of a fresh pair.
fn pair() -> io::Result<(tokio::net::UnixStream, OwnedFd)> {
    let (ours, theirs) = rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )?;
    let ours = tokio::net::UnixStream::from_std(ours.into())?;
    Ok((ours, theirs))
}

/// The right to dial one onion service.
struct Turn<'a> {
    shared: &'a Shared,
    onion: [u8; 32],
    turns: Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<'a> Turn<'a> {
    async fn wait(shared: &'a Shared, onion: [u8; 32]) -> Result<Self, Reason> {
        let turns = {
            let mut turns = guard(&shared.turns);
            Arc::clone(turns.entry(onion).or_insert_with(|| Arc::new(Semaphore::new(DIALS_OF_ONE))))
        };
        let mut turn = Self { shared, onion, turns, permit: None };
        let permit = Arc::clone(&turn.turns).acquire_owned().await;
        turn.permit = Some(permit.map_err(|_| Reason::Internal)?);
        Ok(turn)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.permit = None;
        let mut turns = guard(&self.shared.turns);
        // The map's and ours: nobody else waits or dials.
        if Arc::strong_count(&self.turns) == 2 {
            turns.remove(&self.onion);
        }
    }
}

/// Every critical section leaves its map consistent, so a poisoned lock is no reason to stop.
fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
