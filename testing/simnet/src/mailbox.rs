use crate::faults::{FaultDice, Faults};
use crate::world::SECOND;
use board::envelope::Envelope;
use board::frame::{FetchAnswer, PutAnswer, Window};
use board::header::DigestFrame;
use board::page::{Page, Place, Settings};
use board::tag::OnionKey;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeSet;

/// Seconds after which an empty page closes (BRD-20).
const EMPTY_S: u64 = 300;

/// An envelope as the mailbox took it.
pub struct Stored {
    /// When, virtual milliseconds.
    pub at: u64,
    /// The bytes.
    pub envelope: Envelope,
}

/// A mailbox by the book, with pages in memory, and with faults on demand.
pub struct SimMailbox {
    /// Its onion key.
    pub key: OnionKey,
    /// What goes wrong.
    pub faults: Faults,
    /// Everything that was ever put.
    pub stored: Vec<Stored>,
    pub(crate) dice: FaultDice,
    settings: Settings,
    pages: Vec<Page>,
    waiting: Vec<Envelope>,
    echoes: Vec<Envelope>,
    known: BTreeSet<[u8; 32]>,
    rng: ChaCha20Rng,
}

impl SimMailbox {
    pub(crate) fn new(number: u8, seed: u64, unix_s: u64) -> Self {
        let key = [number; 32];
        let settings = Settings { interval_s: 10, fill: 8, ttl_h: 336, effort: 1, mailbox: key };
        let mut mailbox = Self {
            key,
            faults: Faults::default(),
            stored: Vec::new(),
            dice: FaultDice::new(seed),
            settings,
            pages: Vec::new(),
            waiting: Vec::new(),
            echoes: Vec::new(),
            known: BTreeSet::new(),
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

    /// Closes the open page if it is time; gives the number of the new page.
    pub(crate) fn close(&mut self, unix_s: u64) -> Option<usize> {
        let last = self.pages.last().map_or(0, |page| page.frame.header.closed_at);
        let due = !self.waiting.is_empty()
            || !self.echoes.is_empty()
            || unix_s >= last + EMPTY_S
            || unix_s / 86_400 != last / 86_400;
        due.then(|| self.append(unix_s))
    }

    fn append(&mut self, unix_s: u64) -> usize {
        let place = Place {
            page: u64::try_from(self.pages.len()).unwrap(),
            closed_at: unix_s,
            oldest: 0,
            prev: self.pages.last().map_or([0; 32], |page| page.frame.header.head()),
            seed: self.seed_of(unix_s / 3600),
        };
        let deposits = core::mem::replace(&mut self.waiting, core::mem::take(&mut self.echoes));
        let page = Page::build(&self.settings, &place, deposits, &mut self.rng).unwrap();
        self.pages.push(page);
        self.pages.len() - 1
    }

    /// Shows another history from here on: the last page gets another seed, and so another head.
    pub fn fork(&mut self) {
        let last = self.pages.last_mut().unwrap();
        last.frame.header.seed = [0xee; 32];
    }

    /// Puts an envelope past all checks, as the mailbox itself could.
    pub fn inject(&mut self, envelope: Envelope) {
        self.waiting.push(envelope);
    }

    pub(crate) fn put(
        &mut self,
        now: u64,
        unix_s: u64,
        work: ([u8; 32], u64),
        envelope: &Envelope,
        (store, echo): (bool, bool),
    ) -> PutAnswer {
        let hour = unix_s / 3600;
        let (seed, epoch) = work;
        let paid = (epoch == hour || epoch + 1 == hour) && seed == self.seed_of(epoch);
        if paid && store && self.known.insert(envelope.digest()) {
            self.waiting.push(envelope.clone());
            self.stored.push(Stored { at: now, envelope: envelope.clone() });
            if echo {
                self.echoes.push(envelope.clone());
            }
        }
        self.answer(paid)
    }

    pub(crate) fn answer(&self, stored: bool) -> PutAnswer {
        PutAnswer {
            stored,
            open_page: u64::try_from(self.pages.len()).unwrap(),
            head: self.pages.last().map_or([0; 32], |page| page.frame.header.head()),
        }
    }

    pub(crate) fn fetch(&mut self, page: u64, chunk: u16, honest: bool) -> Vec<u8> {
        let at = usize::try_from(page).unwrap();
        let answer = self.pages.get(at).filter(|_| honest).and_then(|page| page.answer(chunk));
        match answer {
            Some(answer) => answer.encode(),
            None => FetchAnswer::unknown(page, chunk, &mut self.rng),
        }
    }

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
