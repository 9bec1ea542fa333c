//! Nobody hears STORED before the disk has it, and nobody waits for a page to close (BRD-18, BRD-27).

use crate::common::{POLICY, SETTINGS, dir, random};
use crate::conformance::{open, read_back};
use board::envelope::Envelope;
use board::header::{DigestFrame, PageHeader};
use board::page::Settings;
use mailbox::clock::{self, Day, Seconds};
use mailbox::committer::{BATCH, Committer, Reserve};
use mailbox::counters::Counters;
use mailbox::pages::Pages;
use mailbox::store::{
    Chunk, ChunkNo, ClosedPage, Deposit, DiskStore, PageNo, Seeds, Store, StoreError, Waiting,
    Written,
};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle};
use tokio::sync::watch;

/// What is slow: it says when it begins, and ends as it is told.
struct Gate {
    begun: Sender<()>,
    ends: Mutex<Receiver<bool>>,
}

/// The other side of it.
struct Keeper {
    begun: Receiver<()>,
    end: Sender<bool>,
}

fn gate() -> (Gate, Keeper) {
    let ((begun, is_begun), (end, ends)) = (mpsc::channel(), mpsc::channel());
    (Gate { begun, ends: Mutex::new(ends) }, Keeper { begun: is_begun, end })
}

impl Gate {
    fn pass(&self) -> Result<(), StoreError> {
        self.begun.send(()).unwrap();
        let good = self.ends.lock().unwrap().recv().unwrap();
        good.then_some(()).ok_or(StoreError::Damaged("the disk, on purpose"))
    }
}

impl Keeper {
    /// Waits for the next, and lets it succeed or fail.
    fn next(&self, good: bool) {
        self.begun.recv().unwrap();
        self.end.send(good).unwrap();
    }
}

/// A real store whose disk is slow.
struct Slow {
    store: DiskStore,
    syncs: Gate,
    /// If closes are slow too.
    closes: Option<Gate>,
}

impl Store for Slow {
    fn sync(&self) -> Result<(), StoreError> {
        self.syncs.pass()?;
        self.store.sync()
    }
    fn close(&self, page: &ClosedPage) -> Result<(), StoreError> {
        self.closes.as_ref().map_or(Ok(()), Gate::pass)?;
        self.store.close(page)
    }

    fn seal(&self, day: Day, envelope: Envelope) -> Deposit {
        self.store.seal(day, envelope)
    }
    fn write(&self, day: Day, page: PageNo, batch: Vec<Deposit>) -> Result<Written, StoreError> {
        self.store.write(day, page, batch)
    }
    fn waiting(&self, page: PageNo) -> Result<Vec<Waiting>, StoreError> {
        self.store.waiting(page)
    }
    fn last(&self) -> Result<Option<PageHeader>, StoreError> {
        self.store.last()
    }
    fn headers(&self) -> Result<Vec<(Day, PageHeader)>, StoreError> {
        self.store.headers()
    }
    fn frame(&self, page: PageNo) -> Result<Option<DigestFrame>, StoreError> {
        self.store.frame(page)
    }
    fn chunk(&self, page: PageNo, chunk: ChunkNo) -> Result<Option<Chunk>, StoreError> {
        self.store.chunk(page, chunk)
    }
    fn days(&self) -> Vec<Day> {
        self.store.days()
    }
    fn drop_day(&self, day: Day) -> Result<(), StoreError> {
        self.store.drop_day(day)
    }
    fn seeds(&self) -> Result<Seeds, StoreError> {
        self.store.seeds()
    }
    fn add_seed(&self, epoch: u64, seed: &[u8; 32]) -> Result<(), StoreError> {
        self.store.add_seed(epoch, seed)
    }
}

/// Whether a deposit is STORED, when that is known.
type Answer = Pin<Box<dyn Future<Output = bool>>>;

struct Board {
    committer: Committer,
    thread: Option<JoinHandle<()>>,
    syncs: Keeper,
    store: Arc<Slow>,
    /// Number of the first page that has not closed.
    open: watch::Receiver<u64>,
    news: Receiver<String>,
    counters: Arc<Counters>,
    _dir: tempfile::TempDir,
}

impl Board {
    /// On a grid that has no line while a test runs.
    fn start() -> Self {
        Self::with(&Settings { interval_s: 300, ..SETTINGS }, None)
    }

    /// Pages close every second, and are slow to.
    fn closing() -> (Self, Keeper) {
        let (closes, keeper) = gate();
        keeper.end.send(true).unwrap(); // The first page, which is empty.
        let board = Self::with(&Settings { interval_s: 1, ..SETTINGS }, Some(closes));
        keeper.begun.recv().unwrap();
        (board, keeper)
    }

    fn with(settings: &Settings, closes: Option<Gate>) -> Self {
        let dir = dir();
        let store = open(dir.path()).unwrap();
        let (gate, syncs) = gate();
        let store = Arc::new(Slow { store, syncs: gate, closes });
        let shared: Arc<dyn Store> = store.clone();
        let mut pages = Pages::open(shared, *settings, POLICY, clock::now()).unwrap();
        pages.tick(clock::now()).unwrap();
        let (closed, open) = watch::channel(pages.open_page());
        let reserve = Reserve { dir: dir.path().to_owned(), bytes: 0 };
        let (tell, news) = mpsc::channel();
        let counters = Arc::new(Counters::default());
        let say = move |news: &str| tell.send(news.to_owned()).unwrap();
        let (committer, thread) =
            Committer::start(pages, reserve, Arc::clone(&counters), closed, say).unwrap();
        let thread = Some(thread);
        Self { committer, thread, syncs, store, open, news, counters, _dir: dir }
    }

    /// A board, and a deposit that it is syncing by itself.
    fn syncing() -> (Self, Answer) {
        let board = Self::start();
        let first = board.put(random());
        board.syncs.begun.recv().unwrap();
        (board, first)
    }

    fn put(&self, envelope: Envelope) -> Answer {
        Box::pin(self.committer.put(envelope.into()))
    }

    fn stop(&mut self) {
        self.committer.stop();
        self.thread.take().unwrap().join().unwrap();
    }

    /// Deposits one, and lets its sync succeed.
    fn store(&self, envelope: Envelope) {
        let answer = self.put(envelope);
        self.syncs.next(true);
        assert!(wait(answer), "no failure here");
    }

    fn stored(&self) -> u64 {
        self.counters.to_json().get("stored").unwrap().as_u64().unwrap()
    }
}

fn wait<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(what)
}

fn is_ready(answer: &mut Answer) -> Option<bool> {
    match answer.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(stored) => Some(stored),
        Poll::Pending => None,
    }
}

#[test]
fn brd_18_brd_27_stored_is_said_after_the_sync_and_not_before() {
    let (mut board, mut first) = Board::syncing();
    // They come while the disk is busy.
    let again = random();
    let mut second = board.put(again.clone());
    let mut same = board.put(again);
    assert_eq!(is_ready(&mut first), None, "the sync has not ended");
    board.syncs.end.send(true).unwrap();
    board.syncs.begun.recv().unwrap();
    assert_eq!(is_ready(&mut first), Some(true));
    assert_eq!(is_ready(&mut second), None, "that sync began before it was written");
    assert_eq!(is_ready(&mut same), None, "what is known and not durable is not STORED either");
    // One sync is enough for both; a second is there if they came in two batches.
    board.syncs.end.send(true).unwrap();
    board.syncs.end.send(true).unwrap();
    board.stop();
    assert_eq!((is_ready(&mut second), is_ready(&mut same)), (Some(true), Some(true)));
    assert_eq!(board.stored(), 2);
}

#[test]
fn brd_27_while_a_whole_batch_is_synced_the_next_is_written() {
    let (mut board, mut first) = Board::syncing();
    // A whole batch gathers, and one more.
    let mut others: Vec<_> = (0..=BATCH).map(|_| board.put(random())).collect();
    board.syncs.end.send(true).unwrap();
    // The sync of the batch begins, and that of the one more before it has ended.
    board.syncs.begun.recv().unwrap();
    board.syncs.begun.recv().unwrap();
    assert_eq!(is_ready(&mut first), Some(true));
    assert!(others.iter_mut().all(|other| is_ready(other).is_none()), "no sync has ended");
    board.syncs.end.send(true).unwrap();
    board.syncs.end.send(true).unwrap();
    board.stop();
    assert!(others.iter_mut().all(|other| is_ready(other) == Some(true)));
    assert_eq!(board.stored(), 258);
}

#[test]
fn brd_27_a_whole_batch_whose_sync_fails_is_retry() {
    let (mut board, mut first) = Board::syncing();
    let mut batch: Vec<_> = (0..BATCH).map(|_| board.put(random())).collect();
    board.syncs.end.send(true).unwrap();
    board.syncs.begun.recv().unwrap();
    board.syncs.end.send(false).unwrap();
    let news = board.news.recv().unwrap();
    assert!(news.contains("on purpose"), "without another deposit: {news}");
    board.stop();
    assert_eq!(is_ready(&mut first), Some(true));
    assert!(batch.iter_mut().all(|lost| is_ready(lost) == Some(false)));
    assert_eq!(board.stored(), 1);
}

#[test]
fn brd_18_brd_27_a_sync_that_fails_is_retry_and_the_operator_hears_of_it() {
    let (mut board, mut lost) = Board::syncing();
    board.syncs.end.send(false).unwrap();
    let news = board.news.recv().unwrap();
    assert!(news.contains("on purpose"), "{news}");
    assert_eq!(is_ready(&mut lost), Some(false));
    assert_eq!(board.stored(), 0);
    board.stop();
}

#[test]
fn brd_27_while_a_page_closes_deposits_are_stored_in_the_next() {
    let (mut board, closes) = Board::closing();
    let (first, second) = (random(), random());
    board.store(first.clone());
    closes.begun.recv().unwrap();
    // The disk is at it, for as long as it likes.
    board.store(second.clone());
    let again = board.put(first.clone());
    board.syncs.next(true);
    assert!(wait(again));
    assert_eq!(board.counters.to_json().get("repeated").unwrap(), 1, "BRD-19, in what closes too");
    assert_eq!((board.stored(), *board.open.borrow()), (2, 1), "the page is not in the chain");
    closes.end.send(true).unwrap();
    wait(board.open.wait_for(|open| *open == 2)).unwrap();
    closes.next(true);
    wait(board.open.wait_for(|open| *open == 3)).unwrap();
    board.stop();
    let page = |number| board.store.chunk(number, 0).unwrap().unwrap().envelopes;
    assert!(page(1).contains(&first) && !page(1).contains(&second));
    assert!(page(2).contains(&second) && !page(2).contains(&first));
}

#[test]
fn brd_27_after_a_close_that_fails_nothing_is_stored_before_it_has_succeeded() {
    let (mut board, closes) = Board::closing();
    let envelope = random();
    board.store(envelope.clone());
    closes.next(false);
    assert!(board.news.recv().unwrap().contains("on purpose"));
    // It is tried again, and whoever comes meanwhile waits for that.
    closes.begun.recv().unwrap();
    let mut refused = board.put(random());
    closes.end.send(false).unwrap();
    closes.begun.recv().unwrap();
    assert_eq!(is_ready(&mut refused), None);
    closes.end.send(false).unwrap();
    closes.next(true);
    assert!(!wait(refused), "RETRY");
    wait(board.open.wait_for(|open| *open == 2)).unwrap();
    board.store(random());
    closes.end.send(true).unwrap();
    board.stop();
    assert!(board.store.chunk(1, 0).unwrap().unwrap().envelopes.contains(&envelope));
}

#[test]
fn brd_18_brd_27_what_comes_while_pages_close_is_in_one_of_them_once() {
    const WRITERS: u8 = 4;
    let dir = dir();
    let store = open(dir.path()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let settings = Settings { interval_s: 1, ..SETTINGS };
    let pages = Pages::open(Arc::clone(&store), settings, POLICY, clock::now()).unwrap();
    let (closed, open) = watch::channel(0);
    let reserve = Reserve { dir: dir.path().to_owned(), bytes: 0 };
    let (committer, thread) =
        Committer::start(pages, reserve, Arc::default(), closed, |news| panic!("{news}")).unwrap();
    // Each comes twice, the second time in the same page, while it closes, or in the next.
    let write = || {
        let (mut stored, mut late) = (Vec::new(), VecDeque::new());
        while *open.borrow() < 5 {
            let envelope = random();
            let first = committer.put(envelope.clone().into());
            late.push_back(envelope.clone());
            let again = (late.len() > 50).then(|| late.pop_front()).flatten();
            let again = again.map(|again| committer.put(again.into()));
            assert!(again.is_none_or(wait), "known is STORED too");
            assert!(wait(first), "four writers fill no queue");
            stored.push(envelope);
        }
        stored
    };
    let mut stored: Vec<Envelope> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(write)).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    committer.stop();
    thread.join().unwrap();
    // As after a restart.
    let mut pages = Pages::open(Arc::clone(&store), settings, POLICY, clock::now()).unwrap();
    pages.tick(clock::now() + 2).unwrap();
    let mut found: Vec<Envelope> =
        (0..pages.open_page()).flat_map(|page| read_back(store.as_ref(), page)).collect();
    let count = found.len();
    let by_bytes = |a: &Envelope, b: &Envelope| a.as_bytes().cmp(b.as_bytes());
    found.sort_by(by_bytes);
    found.dedup();
    assert_eq!(found.len(), count, "nothing is there twice");
    stored.sort_by(by_bytes);
    let missing =
        stored.iter().filter(|envelope| found.binary_search_by(|f| by_bytes(f, envelope)).is_err());
    assert_eq!(missing.count(), 0, "of {}", stored.len());
    assert!(found.binary_search_by(|f| by_bytes(f, &random())).is_err(), "negative control");
}

#[test]
fn brd_22_a_day_expires_although_a_page_does_not_close() {
    const DAY: Seconds = 20_000 * 86_400;
    let dir = dir();
    let store = open(dir.path()).unwrap();
    let ((syncs, disk), (closes, keeper)) = (gate(), gate());
    let store: Arc<dyn Store> = Arc::new(Slow { store, syncs, closes: Some(closes) });
    let mut pages = Pages::open(Arc::clone(&store), SETTINGS, POLICY, DAY).unwrap();
    disk.end.send(true).unwrap();
    // The page of the first day, the empty one before the deposit, and that of the deposit: its disk is full.
    for good in [true, true, false] {
        keeper.end.send(good).unwrap();
    }
    pages.tick(DAY + 80_000).unwrap();
    let over = DAY + 80_000 + Seconds::from(SETTINGS.ttl_h) * 3_600;
    pages.put(vec![random()], over - 10).unwrap();
    assert_eq!(store.days(), [20_000, 20_001]);
    assert!(pages.tick(over).is_err());
    assert_eq!(store.days(), [20_001]);
    keeper.end.send(true).unwrap();
    pages.tick(over + 1).unwrap();
    assert_eq!(store.last().unwrap().unwrap().page, 2);
}
