//! The mailbox server's own code behind the address of a simulated mailbox.
//!
//! What it decides is the product's: `Desk`, `Pages`, `DiskStore`, `Recent`, `View`, the effort and
//! the observer. Around it there is no socket, no committer thread and no proof of work, whose puzzle
//! is free; every deposit is a batch by itself. The folder lies in memory where there is one for that,
//! so that syncs cost nothing.

use board::envelope::{ENVELOPE_LEN, Envelope};
use board::frame::{HEAD_LEN, PUT_LEN, PutRequest, RequestHead, Window};
use board::page::Settings;
use board::tag::OnionKey;
use mailbox::counters::Counters;
use mailbox::desk::Desk;
use mailbox::effort::Policy;
use mailbox::observe::{Observer, Seen, Watch};
use mailbox::pages::Pages;
use mailbox::store::{DiskStore, PageNo, Store};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use simnet::{Board, FreeWork};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;

/// Where files are memory.
const MEMORY: &str = "/dev/shm";

/// What was seen, and on which connection.
type Sights = Vec<(Option<u64>, Seen)>;

/// One board, as `pvtcoms-mailbox serve` has it without options.
pub(crate) struct Server {
    pages: Pages,
    desk: Desk,
    sights: Arc<Mutex<Sights>>,
    connections: u64,
    /// The next page of each stream.
    streams: BTreeMap<u64, PageNo>,
    /// The page that was open when pages were last taken in.
    open: PageNo,
    closed: bool,
    /// Goes last: the store is closed by then.
    _folder: TempDir,
}

struct Looker(Arc<Mutex<Sights>>);

impl Watch for Looker {
    fn see(&self, connection: Option<u64>, seen: Seen) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((connection, seen));
    }
}

impl Server {
    /// An empty board that starts at this second, with its first page closed. What its pages are
    /// filled with follows from `seed`.
    ///
    /// # Panics
    /// If there is no room for its folder.
    pub(crate) fn open(mailbox: OnionKey, unix_s: u64, seed: u64) -> Self {
        let memory = Path::new(MEMORY);
        let place = if memory.is_dir() { memory.into() } else { std::env::temp_dir() };
        let folder = TempDir::new_in(place).unwrap();
        let store = DiskStore::open(&folder.path().join("board"), &folder.path().join("keys"));
        let store: Arc<dyn Store> = Arc::new(store.unwrap());
        let settings = Settings { interval_s: 10, fill: 8, ttl_h: 336, mailbox };
        let policy = Policy { base: 1, max: 256, people: 1000, soft: 0, reserve: 0 };
        let mut pages = Pages::open(Arc::clone(&store), settings, policy, unix_s).unwrap();
        pages.draw_from(ChaCha20Rng::seed_from_u64(seed));
        let sights = Arc::new(Mutex::new(Sights::new()));
        let observer = Observer::new(Looker(Arc::clone(&sights)));
        let desk =
            Desk::new(store, pages.view(), settings, Arc::new(Counters::default()), observer);
        let mut server = Self {
            open: pages.open_page(),
            pages,
            desk,
            sights,
            connections: 0,
            streams: BTreeMap::new(),
            closed: false,
            _folder: folder,
        };
        server.tick(unix_s);
        server
    }

    /// As the server holds its newest pages.
    fn take_in(&mut self) {
        let open = self.pages.open_page();
        for page in self.open..open {
            self.desk.take_in(page);
            self.closed = true;
        }
        self.desk.forget_expired();
        self.open = open;
    }

    fn put(&mut self, unix_s: u64, put: PutRequest) -> bool {
        let price = self.desk.price(put.epoch, unix_s);
        let deposit = price.and_then(|price| self.desk.paid(&FreeWork, &price, put));
        let Some(deposit) = deposit else { return false };
        let puts = self.pages.put(vec![deposit], unix_s).unwrap();
        self.take_in();
        !puts.is_empty()
    }

    fn frames(&self, mut pages: Range<PageNo>) -> Vec<u8> {
        let mut answer = Vec::new();
        while !pages.is_empty() {
            if let Some(bytes) = self.desk.recent().frames().of(&pages) {
                answer.extend_from_slice(bytes);
                break;
            }
            let (bytes, rest) = self.desk.read_frames(pages).unwrap();
            answer.extend(bytes);
            pages = rest;
        }
        answer
    }
}

impl Board for Server {
    fn accept(&mut self) -> u64 {
        self.connections += 1;
        self.desk.accept(self.connections);
        self.connections
    }

    fn answer(&mut self, unix_s: u64, connection: u64, request: &[u8], refuse: bool) -> Vec<u8> {
        let (head, body) = request.split_first_chunk::<HEAD_LEN>().unwrap();
        match RequestHead::decode(head).unwrap() {
            RequestHead::Put { epoch, nonce, solution } => {
                let bytes: &[u8; ENVELOPE_LEN] = body.try_into().unwrap();
                let envelope = Envelope::from_bytes(bytes);
                let tag = envelope.tag();
                let put = PutRequest { epoch, nonce, solution, envelope };
                let stored = !refuse && self.put(unix_s, put);
                self.desk.put_answer(connection, tag, stored).encode()
            }
            RequestHead::Fetch { page, chunk } => {
                let held = self.desk.held(page, chunk).or_else(|| self.desk.read(page, chunk));
                let found = held.filter(|_| !refuse);
                self.desk.fetch_answer(connection, page, chunk, found).to_vec()
            }
            RequestHead::Digest(window) => {
                let pages = self.desk.digest(connection, window, unix_s);
                if window == Window::Stream {
                    self.streams.insert(connection, pages.end);
                }
                self.frames(pages)
            }
        }
    }

    fn more(&mut self, connection: u64) -> Vec<u8> {
        let end = self.desk.recent().frames().end();
        let Some(next) = self.streams.get_mut(&connection) else { return Vec::new() };
        let from = core::mem::replace(next, end);
        self.frames(from..end)
    }

    fn close(&mut self, connection: u64, answered: bool) {
        self.streams.remove(&connection);
        self.desk.close(connection, answered);
    }

    fn tick(&mut self, unix_s: u64) {
        self.pages.tick(unix_s).unwrap();
        self.take_in();
    }

    fn has_closed(&mut self) -> bool {
        core::mem::take(&mut self.closed)
    }

    fn seen(&mut self) -> Vec<(Option<u64>, simnet::Seen)> {
        let mut sights = self.sights.lock().unwrap_or_else(PoisonError::into_inner);
        sights.drain(..).map(|(connection, seen)| (connection, plain(seen))).collect()
    }
}

/// The same as the simulator says it.
fn plain(seen: Seen) -> simnet::Seen {
    match seen {
        Seen::Accept => simnet::Seen::Accept,
        Seen::Put { tag, stored, open_page } => {
            simnet::Seen::Put { tag: tag.0, size: PUT_LEN, stored, open_page, errand: None }
        }
        Seen::Disk => simnet::Seen::Disk,
        Seen::Fetch { page, chunk, bytes_out: answer } => {
            simnet::Seen::Fetch { page, chunk, answer }
        }
        Seen::Digest(window) => simnet::Seen::Digest(window),
        Seen::Close { answered } => simnet::Seen::Close { lost: !answered },
        Seen::Page { page, prefixes } => simnet::Seen::Page { page, prefixes },
    }
}

#[cfg(test)]
mod tests;
