//! Our deposits without sockets and proof of work: from the envelope to the word that it is durable.

use crate::published::{POLICY, SETTINGS};
use anyhow::{Result, ensure};
use board::envelope::{Envelope, dummy};
use board::page::{MAX_PAGE, Settings};
use mailbox::clock;
use mailbox::committer::{BATCH, Committer, Reserve};
use mailbox::counters::Counters;
use mailbox::pages::Pages;
use mailbox::seal::os_rng;
use mailbox::store::{Deposit, DiskStore, Store};
use mailbox::view::View;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Instant;
use std::vec;
use tokio::sync::watch;

/// Threads that seal, as many as the server has for it, and deposits of each that may wait at one
/// time: all together a batch in the making, and the next two.
const SEALERS: usize = 4;
const AT_ONCE: usize = 4 * BATCH / SEALERS;

/// Pages close when they are full, which is when deposits are copied to where they stay: the deposits of a
/// round pay for as many closes as they fill pages.
const CLOSING: Settings = Settings { interval_s: 300, ..SETTINGS };

/// The server's committer on its store.
pub(crate) struct Commit {
    store: Arc<dyn Store>,
    view: Arc<RwLock<View>>,
    committer: Committer,
    /// Number of the open page.
    open: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Commit {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let store = DiskStore::open(&folder.join("board"), &folder.join("keys"))?;
        let store: Arc<dyn Store> = Arc::new(store);
        let mut pages = Pages::open(Arc::clone(&store), CLOSING, POLICY, clock::now())?;
        pages.tick(clock::now())?;
        let view = pages.view();
        let (closing, open) = watch::channel(pages.open_page());
        let reserve = Reserve { dir: folder.to_owned(), bytes: 0 };
        let news = |news: &str| println!("  {news}");
        let (committer, thread) =
            Committer::start(pages, reserve, Arc::new(Counters::default()), closing, news)?;
        let board = Self { store, view, committer, open, thread: Some(thread) };
        // Half a page: from here on no page is full near the end of a round, and none is closing then.
        board.deposit(u32::try_from(MAX_PAGE / 2)?)?;
        Ok(board)
    }

    /// Deposits a second, for as many as fill so many pages. The clock stops when that many have closed.
    pub(crate) fn rate(&self, pages: u32) -> Result<f64> {
        let first = *self.open.borrow();
        let deposits = pages * u32::try_from(MAX_PAGE)?;
        let start = self.deposit(deposits)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let closed = |open: &u64| open.saturating_sub(first) >= pages.into();
        runtime.block_on(self.open.clone().wait_for(closed))?;
        Ok(f64::from(deposits) / start.elapsed().as_secs_f64())
    }

    /// Deposits so many; gives when the first was handed over.
    fn deposit(&self, deposits: u32) -> Result<Instant> {
        let envelopes: Vec<Envelope> = (0..deposits).map(|_| dummy(&mut os_rng())).collect();
        let left = Mutex::new(envelopes.into_iter());
        let start = Instant::now();
        let stored = thread::scope(|scope| {
            let sealers: Vec<_> =
                (0..SEALERS).map(|_| scope.spawn(|| self.hand_over(&left))).collect();
            sealers.into_iter().map(|sealer| sealer.join().unwrap()).sum::<Result<u32>>()
        })?;
        ensure!(stored == deposits, "{stored} of {deposits} deposits were stored");
        Ok(start)
    }

    /// Seals what is left, one by one, and waits for the oldest word when too many are out; gives how
    /// many are stored.
    fn hand_over(&self, left: &Mutex<vec::IntoIter<Envelope>>) -> Result<u32> {
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let mut out = VecDeque::new();
        let mut stored = 0;
        loop {
            let next = left.lock().unwrap().next();
            let full = out.len() >= AT_ONCE || next.is_none();
            if full && let Some(oldest) = out.pop_front() {
                stored += u32::from(runtime.block_on(oldest));
            }
            match next {
                Some(envelope) => out.push_back(self.committer.put(self.seal(envelope))),
                None if out.is_empty() => return Ok(stored),
                None => {}
            }
        }
    }

    /// As the server does it, after it has verified the proof of work.
    fn seal(&self, envelope: Envelope) -> Deposit {
        let day = self.view.read().unwrap().open_day;
        self.store.seal(day, envelope)
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        self.committer.stop();
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}
