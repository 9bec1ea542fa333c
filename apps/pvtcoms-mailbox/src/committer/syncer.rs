//! The thread that waits for the disk, and then tells the clients.

use crate::counters::Counters;
use crate::store::{Put, Store, StoreError, Written, durable};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};
use tokio::sync::oneshot;

/// Batches that may wait while one is synced; all of them share the next sync.
const AHEAD: usize = 2;

/// A batch that is written, and who is told when it is durable (BRD-18).
pub(super) struct Unsynced {
    pub(super) written: Written,
    pub(super) answers: Vec<oneshot::Sender<bool>>,
}

/// The way to the thread.
pub(super) struct Syncer {
    batches: SyncSender<Unsynced>,
    failures: Receiver<StoreError>,
    thread: JoinHandle<()>,
}

impl Syncer {
    pub(super) fn start(store: Arc<dyn Store>, counters: Arc<Counters>) -> io::Result<Self> {
        let (batches, inbox) = sync_channel(AHEAD);
        let (failed, failures) = channel();
        let run = move || work(store.as_ref(), &counters, &inbox, &failed);
        let thread = thread::Builder::new().name("syncer".into()).spawn(run)?;
        Ok(Self { batches, failures, thread })
    }

    /// Waits for a place.
    pub(super) fn hand_over(&self, batch: Unsynced) {
        // Without the thread, the answers are dropped, and that is RETRY.
        let _gone = self.batches.send(batch);
    }

    /// A failure of which nobody has heard yet.
    pub(super) fn failure(&self) -> Option<StoreError> {
        self.failures.try_recv().ok()
    }

    /// Answers what was handed over, and ends the thread.
    pub(super) fn finish(self) {
        let Self { batches, thread, .. } = self;
        drop(batches);
        let _ended = thread.join();
    }
}

fn work(
    store: &dyn Store,
    counters: &Counters,
    inbox: &Receiver<Unsynced>,
    failed: &Sender<StoreError>,
) {
    while let Ok(first) = inbox.recv() {
        let batches = std::iter::once(first).chain(inbox.try_iter());
        let (written, answers): (Vec<_>, Vec<_>) =
            batches.map(|batch| (batch.written, batch.answers)).unzip();
        match durable(store, written) {
            Ok(puts) => {
                for (put, answer) in puts.into_iter().flatten().zip(answers.into_iter().flatten()) {
                    match put {
                        Put::Stored => counters.stored.add(),
                        Put::Known => counters.repeated.add(),
                    }
                    // A client that went away does not hear it.
                    let _gone = answer.send(true);
                }
            }
            // Dropped answers are RETRY.
            Err(e) => drop(failed.send(e)),
        }
    }
}
