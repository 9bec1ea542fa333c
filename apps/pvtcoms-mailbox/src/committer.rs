//! The one thread that writes: batches of deposits, closing pages, expiry (BRD-27). With whole batches a
//! second one waits for the disk, so that the next is written meanwhile; a third one closes pages.

mod syncer;

use self::syncer::{Syncer, Unsynced};
use crate::clock::{self, Seconds};
use crate::counters::Counters;
use crate::pages::Pages;
use crate::store::{Deposit, StoreError};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// Most deposits that share one sync of the disk.
pub const BATCH: usize = 256;
/// Deposits that may wait for the thread; beyond that the answer is RETRY.
const QUEUE: usize = 1024;
/// How often the clock is looked at while nothing comes.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// The same while a page closes, which readers wait for.
const LOOK_WHILE_CLOSING: Duration = Duration::from_millis(10);

enum Order {
    Put(Waiting),
    Stop,
}

struct Waiting {
    deposit: Deposit,
    stored: oneshot::Sender<bool>,
}

/// Where the disk is full enough.
pub struct Reserve {
    /// A directory on the disk of the data.
    pub dir: PathBuf,
    /// Bytes that must stay free for a deposit to be taken.
    pub bytes: u64,
}

impl Reserve {
    /// Bytes that are free for the server. An answer that the system does not give counts as none.
    #[must_use]
    pub fn free(&self) -> u64 {
        rustix::fs::statvfs(&self.dir).map_or(0, |disk| free_bytes(&disk))
    }
}

/// What a program that is not root may still write on a disk.
#[must_use]
pub const fn free_bytes(disk: &rustix::fs::StatVfs) -> u64 {
    disk.f_bavail.saturating_mul(disk.f_frsize)
}

/// The way to the thread.
#[derive(Clone)]
pub struct Committer {
    orders: SyncSender<Order>,
}

impl Committer {
    /// Starts the threads. `closed` gets the number of the open page at every close; `news` is
    /// called after it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(
        mut pages: Pages,
        reserve: Reserve,
        counters: Arc<Counters>,
        closed: watch::Sender<u64>,
        mut news: impl FnMut(&str) + Send + 'static,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (orders, inbox) = sync_channel(QUEUE);
        let syncer = Syncer::start(pages.store(), Arc::clone(&counters))?;
        pages.close_beside()?;
        let run = move || {
            let mut failing = false;
            loop {
                let closing = pages.closes_beside();
                let wait = if closing { LOOK_WHILE_CLOSING } else { LOOK_EVERY };
                let (batch, stop) = next_batch(&inbox, wait);
                let now = clock::now();
                let free = reserve.free();
                pages.set_free(free);
                let room = free >= reserve.bytes; // BRD-16
                let outcome = write(&mut pages, batch, room, now, &syncer);
                let outcome = outcome.and_then(|()| syncer.failure());
                let outcome = outcome.and_then(|()| pages.tick(now));
                publish(&pages, &closed, &counters);
                match outcome {
                    Ok(_) => failing = false,
                    // Once a failure, not once a deposit.
                    Err(e) if !failing => {
                        news(&format!("storage: {e}"));
                        failing = true;
                    }
                    Err(_) => {}
                }
                if stop {
                    return syncer.finish();
                }
            }
        };
        let thread = thread::Builder::new().name("committer".into()).spawn(run)?;
        Ok((Self { orders }, thread))
    }

    /// Hands a deposit over at once. What it gives says true when the deposit is durable (BRD-18),
    /// false for RETRY: the queue is full, the thread gone, or the store has failed.
    pub fn put(&self, deposit: Deposit) -> impl Future<Output = bool> + Send + use<> {
        let (stored, answer) = oneshot::channel();
        let queued = self.orders.try_send(Order::Put(Waiting { deposit, stored })).is_ok();
        async move { queued && answer.await.unwrap_or(false) }
    }

    /// Finishes what is queued, then ends the thread. Later deposits are answered RETRY.
    pub fn stop(&self) {
        // A full queue is worked off by the thread; this waits for a place in it.
        let _gone = self.orders.send(Order::Stop);
    }
}

/// Everything that is there, up to a batch; waits a moment for the first. And whether to stop.
fn next_batch(inbox: &Receiver<Order>, wait: Duration) -> (Vec<Waiting>, bool) {
    let mut batch = Vec::new();
    let mut next = inbox.recv_timeout(wait);
    loop {
        match next {
            Ok(Order::Put(waiting)) => batch.push(waiting),
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return (batch, true),
            Err(RecvTimeoutError::Timeout) => return (batch, false),
        }
        if batch.len() >= BATCH {
            return (batch, false);
        }
        next = inbox.try_recv().map_err(|_| RecvTimeoutError::Timeout);
    }
}

/// Writes a batch and has it made durable and answered. An answer that is dropped on the way is
/// RETRY.
fn write(
    pages: &mut Pages,
    batch: Vec<Waiting>,
    room: bool,
    now: Seconds,
    syncer: &Syncer,
) -> Result<(), StoreError> {
    if batch.is_empty() || !room {
        return Ok(());
    }
    let (deposits, answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|w| (w.deposit, w.stored)).unzip();
    let whole = deposits.len() == BATCH;
    let batch = Unsynced { written: pages.write(deposits, now)?, answers };
    // After a whole batch there is more to write. Otherwise what comes during the sync becomes the
    // next batch, and a second thread would only be two more turns to wait for.
    if !whole {
        return syncer.sync(batch);
    }
    syncer.hand_over(batch);
    Ok(())
}

fn publish(pages: &Pages, closed: &watch::Sender<u64>, counters: &Counters) {
    let open = pages.open_page();
    closed.send_if_modified(|known| {
        let grown = open.saturating_sub(*known);
        (0..grown).for_each(|_| counters.pages.add());
        *known = open;
        grown > 0
    });
}
