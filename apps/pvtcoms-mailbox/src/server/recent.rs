//! The newest pages, held in memory as they are answered.
//!
//! They are taken in when they close, and let go by age and size. What is held depends on the pages
//! alone and on no read (BRD-21): how quickly a chunk is answered says nothing about who asked
//! before.

mod held;

use self::held::{Chunks, Frames};
use super::Shared;
use crate::clock;
use crate::store::{PageNo, Store, StoreError};
use board::frame::{FETCH_ANSWER_LEN, FetchAnswer, Window};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::task::spawn_blocking;
use wire::Codec;

/// Bytes of frames: the largest page, or ten minutes of a board with 20,000 people.
const FRAMES: usize = 2 << 20;
/// Answers to FETCH, 16 MB of them: five minutes of a board with a thousand people, most of whom
/// fetch what came for them within two.
const CHUNKS: usize = (16 << 20) / FETCH_ANSWER_LEN;

/// What readers get of the newest pages.
#[derive(Default)]
pub(super) struct Recent {
    frames: RwLock<Arc<Frames>>,
    chunks: RwLock<Chunks>,
    changed: Notify,
    over: AtomicBool,
}

impl Recent {
    /// Takes in the pages of the last ten minutes, and from here on each page as it closes.
    pub(super) fn hold(shared: &Arc<Shared>) -> Arc<Self> {
        let recent = Arc::new(Self::default());
        tokio::spawn(follow(Arc::clone(shared), Arc::clone(&recent)));
        recent
    }

    /// The frames that are held.
    pub(super) fn frames(&self) -> Arc<Frames> {
        Arc::clone(&self.frames.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends when there are other frames than at the time of the call, or none come any more.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Whether the server stops: no frames come any more.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// The answer to a FETCH, if it is held.
    pub(super) fn chunk(&self, page: PageNo, chunk: u16) -> Option<Arc<[u8]>> {
        self.chunks.read().unwrap_or_else(PoisonError::into_inner).get(page, chunk)
    }

    fn publish(&self, page: PageNo, frame: Option<&[u8]>) {
        {
            let mut held = self.frames.write().unwrap_or_else(PoisonError::into_inner);
            *held = Arc::new(held.with(page, frame));
        }
        self.changed.notify_waiters();
    }
}

async fn follow(shared: Arc<Shared>, recent: Arc<Recent>) {
    let mut closed = shared.closed.clone();
    let view = || shared.view.read().unwrap_or_else(PoisonError::into_inner);
    let chunks = || recent.chunks.write().unwrap_or_else(PoisonError::into_inner);
    let mut next = view().window(Window::Stream, clock::now()).start;
    loop {
        let open = *closed.borrow_and_update();
        for page in next..open {
            let store = Arc::clone(&shared.store);
            let frame = spawn_blocking(move || frame(store.as_ref(), page)).await.ok();
            // Not to be had: whoever waits for it asks the store, and ends as BRD-16 says.
            recent.publish(page, frame.and_then(Result::ok).flatten().as_deref());
            let store = Arc::clone(&shared.store);
            let answers = spawn_blocking(move || answers(store.as_ref(), page)).await;
            chunks().add(page, answers.unwrap_or_default());
        }
        let oldest = view().oldest();
        chunks().forget_before(oldest);
        next = open.max(next);
        if closed.changed().await.is_err() {
            recent.over.store(true, Ordering::Release);
            recent.changed.notify_waiters();
            return;
        }
    }
}

fn frame(store: &dyn Store, page: PageNo) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(store.frame(page)?.map(|frame| frame.to_bytes()))
}

/// The first chunks of a page, as many as are held at all.
fn answers(store: &dyn Store, page: PageNo) -> Vec<Arc<[u8]>> {
    let answers = (0..u16::MAX).map_while(|chunk| fetch(store, page, chunk));
    answers.take(CHUNKS).map(Arc::from).collect()
}

/// The answer to a FETCH of what is there.
pub(super) fn fetch(store: &dyn Store, page: PageNo, chunk: u16) -> Option<Vec<u8>> {
    let found = store.chunk(page, chunk).ok().flatten()?;
    Some(FetchAnswer::new(page, chunk, &found.path, &found.envelopes)?.encode())
}
