//! Waiting for the disk and then telling the clients; on a thread of its own when there is more to write.

use crate::counters::Counters;
use crate::store::{Put, Store, StoreError, Written, durable};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use std::{io, iter};
use tokio::sync::oneshot;

/// Batches that may wait while one is synced; all of them share the next sync.
const AHEAD: usize = 2;

/// A batch that is written, and who is told when it is durable (BRD-18).
pub(super) struct Unsynced {
    pub(super) written: Written,
    pub(super) answers: Vec<oneshot::Sender<bool>>,
}

/// The store, and the way to the thread.
pub(super) struct Syncer {
    store: Arc<dyn Store>,
    counters: Arc<Counters>,
    batches: SyncSender<Unsynced>,
    failures: Receiver<StoreError>,
    thread: JoinHandle<()>,
}

impl Syncer {
    pub(super) fn start(store: Arc<dyn Store>, counters: Arc<Counters>) -> io::Result<Self> {
        let (batches, inbox) = sync_channel::<Unsynced>(AHEAD);
        let (failed, failures) = channel();
        let (to, totals) = (Arc::clone(&store), Arc::clone(&counters));
        let run = move || {
            while let Ok(first) = inbox.recv() {
                let batches = iter::once(first).chain(inbox.try_iter()).collect();
                if let Err(e) = sync(to.as_ref(), &totals, batches) {
                    let _gone = failed.send(e);
                }
            }
        };
        let thread = thread::Builder::new().name("syncer".into()).spawn(run)?;
        Ok(Self { store, counters, batches, failures, thread })
    }

    /// Leaves a batch to the thread; waits for a place.
    pub(super) fn hand_over(&self, batch: Unsynced) {
        // Without the thread, the answers are dropped, and that is RETRY.
        let _gone = self.batches.send(batch);
    }

    /// Makes a batch durable at once, and answers it.
    pub(super) fn sync(&self, batch: Unsynced) -> Result<(), StoreError> {
        sync(self.store.as_ref(), &self.counters, vec![batch])
    }

    /// A failure of the thread of which nobody has heard yet.
    pub(super) fn failure(&self) -> Result<(), StoreError> {
        self.failures.try_recv().map_or(Ok(()), Err)
    }

    /// Answers what was handed over, and ends the thread.
    pub(super) fn finish(self) {
        let Self { batches, thread, .. } = self;
        drop(batches);
        let _ended = thread.join();
    }
}

/// Makes batches durable and answers them; after a failure the answers are dropped, which is RETRY.
fn sync(store: &dyn Store, counters: &Counters, batches: Vec<Unsynced>) -> Result<(), StoreError> {
    let (written, answers): (Vec<_>, Vec<_>) =
        batches.into_iter().map(|batch| (batch.written, batch.answers)).unzip();
    let puts = durable(store, written)?;
    for (put, answer) in puts.into_iter().flatten().zip(answers.into_iter().flatten()) {
        match put {
            Put::Stored => counters.stored.add(),
            Put::Known => counters.repeated.add(),
        }
        // A client that went away does not hear it.
        let _gone = answer.send(true);
    }
    Ok(())
}
