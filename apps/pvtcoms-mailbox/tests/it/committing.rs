//! Nobody hears STORED before the disk has it (BRD-18, BRD-27).

use crate::common::{POLICY, SETTINGS, dir, random};
use board::envelope::Envelope;
use board::header::{DigestFrame, PageHeader};
use mailbox::clock::{self, Day};
use mailbox::committer::{BATCH, Committer, Reserve};
use mailbox::counters::Counters;
use mailbox::pages::Pages;
use mailbox::store::{
    Chunk, ChunkNo, ClosedPage, Deposit, DiskStore, PageNo, Seeds, Store, StoreError, Waiting,
    Written,
};
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// A real store whose disk is slow: a sync is begun when it says so, and ends as it is told.
struct Slow {
    store: DiskStore,
    begun: Sender<()>,
    ends: Mutex<Receiver<bool>>,
}

impl Store for Slow {
    fn sync(&self) -> Result<(), StoreError> {
        self.begun.send(()).unwrap();
        if self.ends.lock().unwrap().recv().unwrap() {
            return self.store.sync();
        }
        Err(StoreError::Damaged("the disk, on purpose"))
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
    fn close(&self, page: &ClosedPage) -> Result<(), StoreError> {
        self.store.close(page)
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
    begun: Receiver<()>,
    end: Sender<bool>,
    news: Receiver<String>,
    counters: Arc<Counters>,
    _dir: tempfile::TempDir,
}

impl Board {
    fn start() -> Self {
        let dir = dir();
        let store = DiskStore::open(&dir.path().join("board"), &dir.path().join("keys")).unwrap();
        let ((begun, is_begun), (end, ends)) = (mpsc::channel(), mpsc::channel());
        let store = Arc::new(Slow { store, begun, ends: Mutex::new(ends) });
        let mut pages = Pages::open(store, SETTINGS, POLICY, clock::now()).unwrap();
        pages.tick(clock::now()).unwrap();
        let (closed, _) = watch::channel(pages.open_page());
        let reserve = Reserve { dir: dir.path().to_owned(), bytes: 0 };
        let (tell, news) = mpsc::channel();
        let counters = Arc::new(Counters::default());
        let say = move |news: &str| tell.send(news.to_owned()).unwrap();
        let (committer, thread) =
            Committer::start(pages, reserve, Arc::clone(&counters), closed, say).unwrap();
        Self { committer, thread: Some(thread), begun: is_begun, end, news, counters, _dir: dir }
    }

    /// A board, and a deposit that it is syncing by itself.
    fn syncing() -> (Self, Answer) {
        let board = Self::start();
        let first = board.put(random());
        board.begun.recv().unwrap();
        (board, first)
    }

    fn put(&self, envelope: Envelope) -> Answer {
        Box::pin(self.committer.put(envelope.into()))
    }

    fn stop(&mut self) {
        self.committer.stop();
        self.thread.take().unwrap().join().unwrap();
    }

    fn stored(&self) -> u64 {
        self.counters.to_json().get("stored").unwrap().as_u64().unwrap()
    }
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
    board.end.send(true).unwrap();
    board.begun.recv().unwrap();
    assert_eq!(is_ready(&mut first), Some(true));
    assert_eq!(is_ready(&mut second), None, "that sync began before it was written");
    assert_eq!(is_ready(&mut same), None, "what is known and not durable is not STORED either");
    // One sync is enough for both; a second is there if they came in two batches.
    board.end.send(true).unwrap();
    board.end.send(true).unwrap();
    board.stop();
    assert_eq!((is_ready(&mut second), is_ready(&mut same)), (Some(true), Some(true)));
    assert_eq!(board.stored(), 2);
}

#[test]
fn brd_27_while_a_whole_batch_is_synced_the_next_is_written() {
    let (mut board, mut first) = Board::syncing();
    // A whole batch gathers, and one more.
    let mut others: Vec<_> = (0..=BATCH).map(|_| board.put(random())).collect();
    board.end.send(true).unwrap();
    // The sync of the batch begins, and that of the one more before it has ended.
    board.begun.recv().unwrap();
    board.begun.recv().unwrap();
    assert_eq!(is_ready(&mut first), Some(true));
    assert!(others.iter_mut().all(|other| is_ready(other).is_none()), "no sync has ended");
    board.end.send(true).unwrap();
    board.end.send(true).unwrap();
    board.stop();
    assert!(others.iter_mut().all(|other| is_ready(other) == Some(true)));
    assert_eq!(board.stored(), 258);
}

#[test]
fn brd_27_a_whole_batch_whose_sync_fails_is_retry() {
    let (mut board, mut first) = Board::syncing();
    let mut batch: Vec<_> = (0..BATCH).map(|_| board.put(random())).collect();
    board.end.send(true).unwrap();
    board.begun.recv().unwrap();
    board.end.send(false).unwrap();
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
    board.end.send(false).unwrap();
    let news = board.news.recv().unwrap();
    assert!(news.contains("on purpose"), "{news}");
    assert_eq!(is_ready(&mut lost), Some(false));
    assert_eq!(board.stored(), 0);
    board.stop();
}
