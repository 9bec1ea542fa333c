//! The newest pages, held in memory as they are answered.
//!
//! They are taken in when they close, and let go by age and size. What is held depends on the pages
//! alone and on no read (BRD-21): how quickly a chunk is answered says nothing about who asked
//! before.

mod held;

pub use self::held::Frames;

use self::held::Chunks;
use crate::store::{PageNo, Store};
use board::frame::{FETCH_ANSWER_LEN, FetchAnswer};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Bytes of frames: the largest page, or ten minutes of a board with 20,000 people.
const FRAMES: usize = 2 << 20;
/// Answers to FETCH, 16 MB of them: five minutes of a board with a thousand people, most of whom
/// fetch what came for them within two.
const CHUNKS: usize = (16 << 20) / FETCH_ANSWER_LEN;

/// What readers get of the newest pages.
#[derive(Default)]
pub struct Recent {
    frames: RwLock<Arc<Frames>>,
    chunks: RwLock<Chunks>,
    changed: Notify,
    over: AtomicBool,
}

impl Recent {
    /// The frames that are held.
    pub fn frames(&self) -> Arc<Frames> {
        Arc::clone(&self.frames.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends when there are other frames than at the time of the call, or none come any more.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Whether the server stops: no frames come any more.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// No frames come any more.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(super) fn chunk(&self, page: PageNo, chunk: u16) -> Option<Arc<[u8]>> {
        self.chunks.read().unwrap_or_else(PoisonError::into_inner).get(page, chunk)
    }

    pub(super) fn publish(&self, page: PageNo, frame: Option<&[u8]>) {
        {
            let mut held = self.frames.write().unwrap_or_else(PoisonError::into_inner);
            *held = Arc::new(held.with(page, frame));
        }
        self.changed.notify_waiters();
    }

    pub(super) fn add(&self, page: PageNo, answers: Vec<Arc<[u8]>>) {
        self.chunks.write().unwrap_or_else(PoisonError::into_inner).add(page, answers);
    }

    pub(super) fn forget_before(&self, page: PageNo) {
        self.chunks.write().unwrap_or_else(PoisonError::into_inner).forget_before(page);
    }
}

/// The first chunks of a page, as many as are held at all.
pub(super) fn answers(store: &dyn Store, page: PageNo) -> Vec<Arc<[u8]>> {
    let answers = (0..u16::MAX).map_while(|chunk| fetch(store, page, chunk));
    answers.take(CHUNKS).map(Arc::from).collect()
}

/// The answer to a FETCH of what is there.
pub(super) fn fetch(store: &dyn Store, page: PageNo, chunk: u16) -> Option<Vec<u8>> {
    let found = store.chunk(page, chunk).ok().flatten()?;
    Some(FetchAnswer::new(page, chunk, &found.path, &found.envelopes)?.encode())
}
