use crate::faults::{FaultDice, Faults};
use crate::served::Board;
use crate::world::SECOND;
use board::envelope::Envelope;
use board::frame::{FetchAnswer, PutAnswer, Window};
use board::header::DigestFrame;
use board::page::{Page, Place, Settings};
use board::tag::OnionKey;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// Seconds after which an empty page closes (BRD-20).
const EMPTY_S: u64 = 300;

/// An envelope as the mailbox took it.
pub struct Stored {
    /// When, virtual milliseconds.
    pub at: u64,
    /// The bytes.
    pub envelope: Envelope,
}

/// Where a mailbox is killed: at the write of this number, which is an envelope taken or a page
/// closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxCrash {
    /// The write is on the disk, and nobody hears of it.
    After(u64),
    /// The write is not on the disk: power went before the sync.
    Before(u64),
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    Good,
    /// The mailbox died, with or without the write.
    Died {
        written: bool,
    },
}

/// A mailbox by the book, with pages in memory, and with faults on demand.
pub struct SimMailbox {
    /// Its onion key.
    pub key: OnionKey,
    /// What goes wrong.
    pub faults: Faults,
    /// Everything that was ever put, if it is to be kept.
    pub stored: Vec<Stored>,
    /// Whether it is. A long run has no room for it.
    pub keep_all: bool,
    /// Where it is to be killed.
    pub crash: Option<MailboxCrash>,
    /// Writes so far: envelopes taken and pages closed.
    pub writes: u64,
    /// How often it died.
    pub deaths: u64,
    /// A broken mailbox: what was fetched once is gone.
    pub deletes_on_read: bool,
    /// Clients that are shown another last page than the rest, once each.
    pub lies_to: BTreeSet<usize>,
    pub(crate) dice: FaultDice,
    /// What answers here in place of this crate's own pages.
    pub(crate) board: Option<Box<dyn Board>>,
    /// Killed and not started yet: it neither answers nor closes pages.
    pub(crate) down: bool,
    pub(crate) settings: Settings,
    pages: Vec<Page>,
    waiting: Vec<Envelope>,
    echoes: Vec<Envelope>,
    /// Answered with STORED and kept back until then, in Unix seconds.
    held: Vec<(u64, Envelope)>,
    /// What was taken, and when, in Unix seconds.
    known: BTreeMap<[u8; 32], u64>,
    fetched: BTreeSet<(u64, u16)>,
    rng: ChaCha20Rng,
}

/// How a put fares besides being paid for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fare {
    pub(crate) store: bool,
    pub(crate) echo: bool,
    /// Kept out of the pages for so many seconds.
    pub(crate) hold_s: u64,
}

impl SimMailbox {
    pub(crate) fn new(number: u8, seed: u64, unix_s: u64) -> Self {
        let key = [number; 32];
        let settings = Settings { interval_s: 10, fill: 8, ttl_h: 336, mailbox: key };
        let mut mailbox = Self {
            key,
            faults: Faults::default(),
            stored: Vec::new(),
            crash: None,
            writes: 0,
            deaths: 0,
            deletes_on_read: false,
            lies_to: BTreeSet::new(),
            dice: FaultDice::new(seed),
            board: None,
            keep_all: true,
            down: false,
            settings,
            pages: Vec::new(),
            waiting: Vec::new(),
            echoes: Vec::new(),
            held: Vec::new(),
            known: BTreeMap::new(),
            fetched: BTreeSet::new(),
            rng: ChaCha20Rng::seed_from_u64(seed ^ 0xb0a2d),
        };
        mailbox.append(unix_s);
        mailbox
    }

    /// Milliseconds between two looks at what waits.
    pub(crate) fn interval_ms(&self) -> u64 {
        u64::from(self.settings.interval_s) * SECOND
    }

    fn seed_of(&self, epoch: u64) -> [u8; 32] {
        crypto::hash(&[b"seed", &self.key, &epoch.to_be_bytes()])
    }

    /// Counts a write, and dies at it if it is to.
    fn write(&mut self) -> Write {
        self.writes += 1;
        let died = match self.crash {
            Some(MailboxCrash::After(at)) if at == self.writes => Write::Died { written: true },
            Some(MailboxCrash::Before(at)) if at == self.writes => Write::Died { written: false },
            _ => return Write::Good,
        };
        self.deaths += 1;
        self.down = true;
        died
    }

    /// Closes the open page if it is time; gives the number of the new page, or that it died of it.
    pub(crate) fn close(&mut self, unix_s: u64) -> (Option<usize>, Write) {
        if self.down {
            return (None, Write::Good);
        }
        let late = self.held.extract_if(.., |(due, _)| *due <= unix_s);
        self.waiting.extend(late.map(|(_, envelope)| envelope));
        let last = self.pages.last().map_or(0, |page| page.frame.header.closed_at);
        let due = !self.waiting.is_empty()
            || !self.echoes.is_empty()
            || unix_s >= last + EMPTY_S
            || unix_s / 86_400 != last / 86_400;
        if !due {
            return (None, Write::Good);
        }
        let write = self.write();
        let written = write != Write::Died { written: false };
        (written.then(|| self.append(unix_s.max(last))), write)
    }

    fn append(&mut self, unix_s: u64) -> usize {
        let place = Place {
            page: u64::try_from(self.pages.len()).unwrap(),
            closed_at: unix_s,
            oldest: 0,
            prev: self.pages.last().map_or([0; 32], |page| page.frame.header.head()),
            seed: self.seed_of(unix_s / 3600),
            effort: 1,
        };
        let deposits = core::mem::replace(&mut self.waiting, core::mem::take(&mut self.echoes));
        let page = Page::build(&self.settings, &place, deposits, &mut self.rng).unwrap();
        self.pages.push(page);
        self.pages.len() - 1
    }

    /// Only pages of this crate lie: those of a board that is made elsewhere are honest.
    fn is_own(&self) {
        assert!(self.board.is_none(), "this mailbox's board is made elsewhere");
    }

    /// Shows another history from here on: the last page gets another seed, and so another head.
    pub fn fork(&mut self) {
        self.is_own();
        let last = self.pages.last_mut().unwrap();
        last.frame.header.seed = [0xee; 32];
    }

    /// Puts an envelope past all checks, as the mailbox itself could.
    pub fn inject(&mut self, envelope: Envelope) {
        self.is_own();
        self.waiting.push(envelope);
    }

    pub(crate) fn put(
        &mut self,
        now: u64,
        unix_s: u64,
        work: ([u8; 32], u64),
        envelope: &Envelope,
        fare: Fare,
    ) -> (PutAnswer, Write) {
        let hour = unix_s / 3600;
        let (seed, epoch) = work;
        let paid = (epoch == hour || epoch + 1 == hour) && seed == self.seed_of(epoch);
        let mut write = Write::Good;
        let digest = envelope.digest();
        if paid && fare.store && !self.known.contains_key(&digest) {
            write = self.write();
            if write != (Write::Died { written: false }) {
                self.known.insert(digest, unix_s);
                self.take(now, unix_s, envelope, fare);
            }
        }
        (self.answer(paid), write)
    }

    fn take(&mut self, now: u64, unix_s: u64, envelope: &Envelope, fare: Fare) {
        if fare.hold_s > 0 {
            self.held.push((unix_s + fare.hold_s, envelope.clone()));
        } else {
            self.waiting.push(envelope.clone());
        }
        if self.keep_all {
            self.stored.push(Stored { at: now, envelope: envelope.clone() });
        }
        if fare.echo {
            self.echoes.push(envelope.clone());
        }
    }

    /// The disk of an earlier moment is put back: pages, envelopes and what was known since then
    /// are gone, and numbers of pages come a second time.
    pub fn roll_back(&mut self, unix_s: u64) {
        self.is_own();
        let then = |page: &Page| page.frame.header.closed_at <= unix_s;
        let keep = self.pages.iter().take_while(|page| then(page)).count().max(1);
        self.pages.truncate(keep);
        self.waiting.clear();
        self.echoes.clear();
        self.held.clear();
        self.known.retain(|_, at| *at <= unix_s);
    }

    pub(crate) fn answer(&self, stored: bool) -> PutAnswer {
        PutAnswer {
            stored,
            open_page: u64::try_from(self.pages.len()).unwrap(),
            head: self.pages.last().map_or([0; 32], |page| page.frame.header.head()),
        }
    }

    /// The answer, or random bytes.
    pub(crate) fn fetch(
        &mut self,
        page: u64,
        chunk: u16,
        honest: bool,
    ) -> Result<FetchAnswer, Vec<u8>> {
        let at = usize::try_from(page).unwrap_or(usize::MAX);
        let gone = self.deletes_on_read && !self.fetched.insert((page, chunk));
        let honest = honest && !gone;
        let answer = self.pages.get(at).filter(|_| honest).and_then(|page| page.answer(chunk));
        answer.ok_or_else(|| FetchAnswer::unknown(page, chunk, &mut self.rng))
    }

    /// A page as this client is shown it.
    pub(crate) fn frame_for(&mut self, page: usize, client: usize) -> DigestFrame {
        let mut frame = self.pages[page].frame.clone();
        if self.lies_to.remove(&client) {
            self.rng.fill_bytes(&mut frame.header.seed);
        }
        frame
    }

    /// The frame of a page that is closed.
    pub(crate) fn frame(&self, page: usize) -> &DigestFrame {
        &self.pages[page].frame
    }

    /// Every frame, oldest first.
    pub fn frames(&self) -> impl Iterator<Item = &DigestFrame> {
        self.pages.iter().map(|page| &page.frame)
    }

    pub(crate) fn window(&self, unix_s: u64, window: Window) -> impl Iterator<Item = &DigestFrame> {
        let (from, to) = match window {
            Window::Stream | Window::LastTenMinutes => (unix_s.saturating_sub(600), u64::MAX),
            Window::LastHour => (unix_s.saturating_sub(3600), u64::MAX),
            Window::Day { back } => {
                let day = (unix_s / 86_400).saturating_sub(u64::from(back));
                (day * 86_400, (day + 1) * 86_400)
            }
        };
        self.frames().filter(move |f| (from..to).contains(&f.header.closed_at))
    }
}
