//! What is decided about a request: what a deposit has to pay, what is answered, what an observer
//! sees.
//!
//! Synchronous and told the time. A connection asks it with a socket, a clock and threads around
//! it, and a simulation asks it without them; both run these lines.

mod recent;

pub use self::recent::{Frames, Recent};

use crate::clock::{Day, Seconds};
use crate::counters::Counters;
use crate::observe::{Observer, Seen};
use crate::seal::os_rng;
use crate::store::{Deposit, PageNo, Store};
use crate::view::View;
use board::frame::{FetchAnswer, PutAnswer, PutRequest, Window};
use board::page::Settings;
use board::pow::{self, Work};
use board::tag::Tag;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use wire::Codec;

/// Bytes of frames read from the store at once: more than one page's largest frame is never held
/// twice.
const PIECE: usize = 64 << 10;

/// What every answer is made of.
pub struct Desk {
    store: Arc<dyn Store>,
    view: Arc<RwLock<View>>,
    settings: Settings,
    counters: Arc<Counters>,
    observer: Observer,
    recent: Recent,
    /// The page that was open at first: those before it closed when nobody could see it.
    first: PageNo,
}

/// What a deposit has to pay (BRD-15, BRD-23), and the day on which the open page was opened.
pub struct Price {
    seed: [u8; 32],
    effort: u32,
    day: Day,
}

impl Desk {
    /// A desk for the board of `view`, with nothing held in memory yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        view: Arc<RwLock<View>>,
        settings: Settings,
        counters: Arc<Counters>,
        observer: Observer,
    ) -> Self {
        let first = view.read().unwrap_or_else(PoisonError::into_inner).open_page();
        Self { store, view, settings, counters, observer, recent: Recent::default(), first }
    }

    /// The newest pages, as they are held in memory.
    #[must_use]
    pub const fn recent(&self) -> &Recent {
        &self.recent
    }

    fn view(&self) -> RwLockReadGuard<'_, View> {
        self.view.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection came.
    pub fn accept(&self, connection: u64) {
        self.counters.connections.add();
        self.observer.note(Some(connection), || Seen::Accept);
    }

    /// A connection ended. Not answered: it asked for nothing that can be answered, or went away.
    pub fn close(&self, connection: u64, answered: bool) {
        if !answered {
            self.counters.refused.add();
        }
        self.observer.note(Some(connection), || Seen::Close { answered });
    }

    /// What a deposit has to pay whose proof of work answers the seed of `epoch`; `None` if that
    /// seed pays for nothing (any more), or if no page is kept.
    #[must_use]
    pub fn price(&self, epoch: u64, now: Seconds) -> Option<Price> {
        let view = self.view();
        let (seed, effort) = (*view.seed(epoch, now)?, view.lowest_effort(now)?);
        Some(Price { seed, effort, day: view.open_day })
    }

    /// The envelope, if its proof of work is good, sealed for the disk. The server
    /// gives [`EquixWork`](pow::EquixWork) for `work`.
    #[must_use]
    pub fn paid(&self, work: &impl Work, price: &Price, put: PutRequest) -> Option<Deposit> {
        let PutRequest { nonce, solution, envelope, .. } = put;
        let Price { seed, effort, day } = price;
        let mailbox = &self.settings.mailbox;
        let good = pow::verify_with(work, seed, mailbox, &envelope, *effort, &nonce, &solution);
        good.then(|| self.store.seal(*day, envelope))
    }

    /// The answer to a PUT: `stored` if the deposit is durable (BRD-18).
    #[must_use]
    pub fn put_answer(&self, connection: u64, tag: Tag, stored: bool) -> PutAnswer {
        if !stored {
            self.counters.retried.add();
        }
        let (open_page, head) = {
            let view = self.view();
            (view.open_page(), view.head())
        };
        self.observer.note(Some(connection), || Seen::Put { tag, stored, open_page });
        if stored {
            self.observer.note(Some(connection), || Seen::Disk);
        }
        PutAnswer { stored, open_page, head }
    }

    /// The answer to a FETCH, if it is held in memory.
    #[must_use]
    pub fn held(&self, page: PageNo, chunk: u16) -> Option<Arc<[u8]>> {
        let expired = page < self.view().oldest();
        if expired { None } else { self.recent.chunk(page, chunk) }
    }

    /// The same from the store.
    #[must_use]
    pub fn read(&self, page: PageNo, chunk: u16) -> Option<Arc<[u8]>> {
        recent::fetch(self.store.as_ref(), page, chunk).map(Arc::from)
    }

    /// The answer to a FETCH: what was found, or random bytes (BRD-16).
    #[must_use]
    pub fn fetch_answer(
        &self,
        connection: u64,
        page: PageNo,
        chunk: u16,
        found: Option<Arc<[u8]>>,
    ) -> Arc<[u8]> {
        let count = if found.is_some() { &self.counters.fetched } else { &self.counters.unknown };
        count.add();
        let unknown = || FetchAnswer::unknown(page, chunk, &mut os_rng()).into();
        let answer = found.unwrap_or_else(unknown);
        let bytes_out = answer.len();
        self.observer.note(Some(connection), || Seen::Fetch { page, chunk, bytes_out });
        answer
    }

    /// The pages that a DIGEST is answered with (BRD-12).
    #[must_use]
    pub fn digest(&self, connection: u64, window: Window, now: Seconds) -> Range<PageNo> {
        self.observer.note(Some(connection), || Seen::Digest(window));
        self.counters.digests.add();
        self.view().window(window, now)
    }

    /// The frames of the first of `pages` from the store, and which are left.
    ///
    /// # Errors
    /// From the store; a page whose day expired just now is not found.
    pub fn read_frames(&self, mut pages: Range<PageNo>) -> io::Result<(Vec<u8>, Range<PageNo>)> {
        let mut bytes = Vec::new();
        while bytes.len() < PIECE
            && let Some(page) = pages.next()
        {
            // Missing: its day expired just now. The answer ends, as BRD-16 says.
            let frame = self.store.frame(page).map_err(io::Error::other)?;
            let frame = frame.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
            bytes.extend_from_slice(&frame.to_bytes());
        }
        Ok((bytes, pages))
    }

    /// The pages of the last ten minutes, which are held first.
    #[must_use]
    pub fn newest(&self, now: Seconds) -> Range<PageNo> {
        self.view().window(Window::Stream, now)
    }

    /// Holds a page that has closed. What of it cannot be read now is asked of the store by whoever
    /// wants it, and ends as BRD-16 says.
    pub fn take_in(&self, page: PageNo) {
        let frame = self.store.frame(page).ok().flatten();
        if let Some(frame) = frame.as_ref().filter(|_| page >= self.first) {
            self.observer.note(None, || Seen::Page { page, prefixes: frame.prefixes.clone() });
        }
        self.recent.publish(page, frame.map(|frame| frame.to_bytes()).as_deref());
        self.recent.add(page, recent::answers(self.store.as_ref(), page));
    }

    /// Lets go of pages that have expired.
    pub fn forget_expired(&self) {
        let oldest = self.view().oldest();
        self.recent.forget_before(oldest);
    }
}
