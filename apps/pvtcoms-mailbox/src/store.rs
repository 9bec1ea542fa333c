//! Where envelopes and pages lie (BRD-25): one small trait, so that an engine can be another.

mod fjall;

pub use self::fjall::{FjallStore, engine};

use crate::clock::Day;
use crate::seal::INDEX_LEN;
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

/// A deposit as it goes to disk, if it gets into the page that was open when it was sealed.
struct Sealed {
    day: Day,
    page: PageNo,
    idx: [u8; INDEX_LEN],
    envelope: Vec<u8>,
    meta: Vec<u8>,
}

impl From<Envelope> for Deposit {
    /// Not sealed yet: the store does it.
    fn from(envelope: Envelope) -> Self {
        Self { entry: Entry::of(&envelope), envelope, sealed: None }
    }
}

/// A deposit that was paid for, and the open page that it will be in.
pub struct Accepted {
    /// The day on which the page was opened.
    pub day: Day,
    /// The open page.
    pub page: PageNo,
    /// The deposit.
    pub deposit: Deposit,
}

/// What became of an accepted envelope; both are STORED to the client (BRD-19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is new, and durable.
    Stored,
    /// The same bytes are durable already.
    Known,
}

/// An envelope that waits for its page to close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
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
    Engine(#[from] ::fjall::Error),
    /// A second server.
    #[error("another server uses this data directory")]
    Locked,
    /// What was read is not what was written.
    #[error("damaged on disk: {0}")]
    Damaged(&'static str),
    /// A day's data without its key.
    #[error("the key of day {0} is missing: is --keys the right directory?")]
    KeyMissing(Day),
}

impl StoreError {
    pub(crate) const fn io(doing: &'static str, source: io::Error) -> Self {
        Self::Io { doing, source }
    }
}

/// What a board needs of its storage. One thread calls what writes; reads come from any.
///
/// `put`, `close` and `add_seed` are durable on return (BRD-27); `close` is atomic.
pub trait Store: Send + Sync {
    /// Does the work on an envelope that needs no order, for the page that is open. Any thread may
    /// call it; what it gives is good for any page.
    fn seal(&self, day: Day, page: PageNo, envelope: Envelope) -> Deposit;

    /// Stores a batch; the answers are in its order. The same bytes under today's or the day
    /// before's key are stored once (BRD-19).
    ///
    /// # Errors
    /// [`StoreError`]; whether anything was stored is unknown then.
    fn put(&self, batch: &[Accepted]) -> Result<Vec<Put>, StoreError>;

    /// What waits for `page` to close: what a restart has to know.
    ///
    /// # Errors
    /// [`StoreError`].
    fn waiting(&self, page: PageNo) -> Result<Vec<Meta>, StoreError>;

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
