//! The open requests, and which gate has them.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::frame::Reason;

type Answer = Result<OwnedFd, Reason>;

#[derive(Default)]
pub(super) struct Book(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    last: u64,
    /// The gate that spoke last.
    epoch: Option<[u8; 16]>,
    /// The connection is over for good.
    ended: bool,
    open: BTreeMap<u64, Request>,
}

struct Request {
    epoch: Option<[u8; 16]>,
    answer: oneshot::Sender<Answer>,
}

impl Book {
    /// Opens a request under the present gate; `None` when the connection is over.
    pub(super) fn open(&self) -> Option<(u64, oneshot::Receiver<Answer>)> {
        let mut book = self.lock();
        if book.ended {
            return None;
        }
        book.last = book.last.checked_add(1)?;
        let (answer, receiver) = oneshot::channel();
        let (id, epoch) = (book.last, book.epoch);
        book.open.insert(id, Request { epoch, answer });
        Some((id, receiver))
    }

    /// Forgets a request that its owner gave up.
    pub(super) fn close(&self, id: u64) {
        self.lock().open.remove(&id);
    }

    /// Answers a request. An answer that crossed with an abort is dropped, its descriptor closed.
    pub(super) fn answer(&self, id: u64, answer: Answer) {
        let request = self.lock().open.remove(&id);
        if let Some(request) = request {
            let _ = request.answer.send(answer); // the owner may have left this instant
        }
    }

    /// Notes a gate's hello and fails what another gate had; returns those requests' numbers.
    ///
    /// Requests from before the first hello stay: they wait in the socket for this gate.
    pub(super) fn greet(&self, epoch: [u8; 16]) -> Vec<u64> {
        let mut book = self.lock();
        book.epoch = Some(epoch);
        let mut lost = Vec::new();
        for (id, request) in &mut book.open {
            if request.epoch.get_or_insert(epoch) != &epoch {
                lost.push(*id);
            }
        }
        for id in &lost {
            if let Some(request) = book.open.remove(id) {
                let _ = request.answer.send(Err(Reason::Aborted));
            }
        }
        lost
    }

    /// Ends the connection for good.
    pub(super) fn end(&self) {
        let mut book = self.lock();
        book.ended = true;
        for (_, request) in std::mem::take(&mut book.open) {
            let _ = request.answer.send(Err(Reason::Internal));
        }
    }

    /// The book is consistent between any two statements, so a poisoned lock is no reason to stop.
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
