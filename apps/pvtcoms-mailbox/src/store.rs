//! Where envelopes and pages lie (BRD-25): one small trait, so that an engine can be another.

mod disk;

use self::disk::Sealed;
pub use self::disk::{DiskStore, engine};

use crate::clock::Day;
use board::envelope::Envelope;
use board::header::{DigestFrame, PageHeader};
use board::merkle::Hash;
use board::page::{Entry, Layout};
use std::collections::BTreeMap;
use std::io;

/// Number of a page.
pub type PageNo = u64;
/// Number of a chunk in a page.
pub type ChunkNo = u16;

/// An envelope on its way to the store, with the work on it that needs no order done: any thread
/// makes one, so that the one that writes has less to do for each.
pub struct Deposit {
    /// The envelope.
    pub envelope: Envelope,
    /// Its tag and digest.
    pub entry: Entry,
    sealed: Option<Sealed>,
}

impl From<Envelope> for Deposit {
    /// Not sealed yet: the store does it.
    fn from(envelope: Envelope) -> Self {
        Self { entry: Entry::of(&envelope), envelope, sealed: None }
    }
}

/// What became of a deposit that was paid for; both are STORED to the client (BRD-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is new, and durable.
    Stored,
    /// The same bytes are durable already.
    Known,
}

/// What became of a batch that is written. Nobody is told before it is durable: only [`durable`]
/// gives it out.
#[must_use = "a deposit is STORED when it is durable"]
pub struct Written(Vec<Put>);

impl Written {
    pub(crate) fn puts(&self) -> &[Put] {
        &self.0
    }
}

/// Makes batches durable with one sync, and gives what became of each.
///
/// # Errors
/// [`StoreError`]; whether anything of them is durable is unknown then.
pub fn durable(store: &dyn Store, batches: Vec<Written>) -> Result<Vec<Vec<Put>>, StoreError> {
    store.sync()?;
    Ok(batches.into_iter().map(|Written(puts)| puts).collect())
}

/// An envelope that waits for its page to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// The day on which the page was opened.
    pub day: Day,
    /// Tag and digest.
    pub entry: Entry,
}

/// A page as it goes to disk.
pub struct ClosedPage {
    /// The day on which it was opened.
    pub day: Day,
    /// What DIGEST gives of it.
    pub frame: DigestFrame,
    /// Its order and hash tree.
    pub layout: Layout,
    /// The random envelopes in it; the others are stored already.
    pub filling: Vec<Envelope>,
}

/// One chunk of a closed page.
pub struct Chunk {
    /// From the chunk's leaf to the page's root, lowest first.
    pub path: Vec<Hash>,
    /// Its eight envelopes, in order.
    pub envelopes: Vec<Envelope>,
}

/// Seeds of the proof of work by epoch.
pub type Seeds = BTreeMap<u64, [u8; 32]>;

/// Why the store did not do it. The operator's disk or directory, or a bug; never a client.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The engine.
    #[error("the storage engine failed: {0}")]
    Engine(#[from] fjall::Error),
    /// A second server.
    #[error("another server uses this data directory")]
    Locked,
    /// What was read is not what was written.
    #[error("damaged on disk: {0}")]
    Damaged(&'static str),
    /// A board with the layout of before ADR 0016.
    #[error(
        "an earlier build wrote this board, and this one cannot read it: begin a new data directory"
    )]
    Old,
    /// A sync failed before: what the disk holds of it is unknown, so nothing is added.
    #[error("the disk has failed to keep what was written: look at dmesg, then start again")]
    Failed,
    /// A day's data without its key.
    #[error("the key of day {0} is missing: is --keys the right directory?")]
    KeyMissing(Day),
}

impl StoreError {
    pub(crate) const fn io(doing: &'static str, source: io::Error) -> Self {
        Self::Io { doing, source }
    }
}

/// What a board needs of its storage. One thread calls what writes; `sync` and reads come from any, and
/// `close` from another while deposits for the next page are written.
///
/// `close` and `add_seed` are durable on return, a page with all its deposits (BRD-27), and `close` is
/// atomic.
pub trait Store: Send + Sync {
    /// Does the work on an envelope that needs no order, for a page that was opened on `day`. Any
    /// thread may call it; what it gives is good for any day.
    fn seal(&self, day: Day, envelope: Envelope) -> Deposit;

    /// Writes a batch for `page`, which was opened on `day`, the first that has not closed or the one
    /// after it; what becomes of it is in its order. The same bytes under that day's or the day before's
    /// key are stored once (BRD-19), those that are not durable yet included.
    ///
    /// # Errors
    /// [`StoreError`]; whether anything was written is unknown then.
    fn write(&self, day: Day, page: PageNo, batch: Vec<Deposit>) -> Result<Written, StoreError>;

    /// Makes durable what was written before the call.
    ///
    /// # Errors
    /// [`StoreError`]; from then on nothing can be written any more.
    fn sync(&self) -> Result<(), StoreError>;

    /// What waits for `page` to close: what a restart has to know.
    ///
    /// # Errors
    /// [`StoreError`].
    fn waiting(&self, page: PageNo) -> Result<Vec<Waiting>, StoreError>;

    /// Stores a page and moves the chain to it, both or neither.
    ///
    /// # Errors
    /// [`StoreError`].
    fn close(&self, page: &ClosedPage) -> Result<(), StoreError>;

    /// The last page that was ever closed, its day expired or not (BRD-21: numbers are not reused).
    ///
    /// # Errors
    /// [`StoreError`].
    fn last(&self) -> Result<Option<PageHeader>, StoreError>;

    /// The headers of all pages that are kept, with their days, by page number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn headers(&self) -> Result<Vec<(Day, PageHeader)>, StoreError>;

    /// The digest frame of a page.
    ///
    /// # Errors
    /// [`StoreError`].
    fn frame(&self, page: PageNo) -> Result<Option<DigestFrame>, StoreError>;

    /// A chunk of a page.
    ///
    /// # Errors
    /// [`StoreError`].
    fn chunk(&self, page: PageNo, chunk: ChunkNo) -> Result<Option<Chunk>, StoreError>;

    /// The days that something is kept of.
    fn days(&self) -> Vec<Day>;

    /// Destroys the key of a day, then its data (BRD-26).
    ///
    /// # Errors
    /// [`StoreError`]; done again at the next start.
    fn drop_day(&self, day: Day) -> Result<(), StoreError>;

    /// The seeds that are kept.
    ///
    /// # Errors
    /// [`StoreError`].
    fn seeds(&self) -> Result<Seeds, StoreError>;

    /// Keeps a seed, and forgets all but it and the one before.
    ///
    /// # Errors
    /// [`StoreError`].
    fn add_seed(&self, epoch: u64, seed: &[u8; 32]) -> Result<(), StoreError>;
}
