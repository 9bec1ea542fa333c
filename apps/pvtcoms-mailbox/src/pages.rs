//! The board's life: deposits wait, pages close, days expire (BRD-18 to 22).
//!
//! Told the time, so that tests run weeks of it. One thread owns it; [`Pages::close_beside`] gives it
//! a second for what takes long of a close.

mod closing;

use self::closing::{Closer, Closing};
use crate::clock::{Day, Seconds, day_of};
use crate::effort::{Close, Effort, Policy};
use crate::seal::os_rng;
use crate::store::{Deposit, PageNo, Put, Store, StoreError, Waiting, Written, durable};
use crate::view::View;
use board::envelope::{self, Envelope};
use board::header::{EPOCH_S, PageHeader};
use board::page::{Entry, MAX_PAGE, Place, Settings, filling};
use crypto::rand_core::{CryptoRng, Rng};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};

/// With nothing waiting, a page closes this often, so that seed and clock move (BRD-20).
pub const EMPTY_EVERY_S: Seconds = 300;

/// The data directory cannot become this board.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The pages there belong to another onion.
    #[error("the data directory belongs to another mailbox, {0}")]
    OtherMailbox(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The pages of one board.
pub struct Pages {
    store: Arc<dyn Store>,
    settings: Settings,
    view: Arc<RwLock<View>>,
    open: OpenPage,
    /// The page before the open one, while it is not in the chain.
    closing: Option<Arc<Closing>>,
    /// Closes pages, if it was started.
    closer: Option<Closer>,
    /// Whether `closer` is at work on `closing`.
    beside: bool,
    effort: Effort,
    /// Free bytes of disk, as told.
    free: u64,
    /// The days that are kept.
    days: BTreeMap<Day, DayPages>,
    /// Of filling and of seeds.
    dice: Box<dyn CryptoRng + Send>,
}

/// The pages of one day.
struct DayPages {
    last: PageNo,
    /// When the last of them can be forgotten.
    until: Seconds,
}

/// The page that deposits go to.
struct OpenPage {
    day: Day,
    /// When the first deposit came, which is kept nowhere else.
    since: Seconds,
    waiting: Vec<Entry>,
}

impl Pages {
    /// Takes up the board where the store left it: chain, seeds, and what waits.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(
        store: Arc<dyn Store>,
        settings: Settings,
        policy: Policy,
        now: Seconds,
    ) -> Result<Self, OpenError> {
        let mut view = View::new(store.last()?, store.seeds()?);
        if let Some(last) = view.last.filter(|last| last.mailbox != settings.mailbox) {
            return Err(OpenError::OtherMailbox(board::address::encode(&last.mailbox)));
        }
        // A day without a page yet, and without deposits, is one that a crash left.
        let mut days: BTreeMap<Day, DayPages> =
            store.days().into_iter().map(|day| (day, DayPages { last: 0, until: 0 })).collect();
        for (day, header) in store.headers()? {
            days.insert(day, DayPages::up_to(&header));
            view.push(header);
        }
        let open = view.open_page();
        let waiting = store.waiting(open)?;
        // Written while the page before it closed.
        let next = store.waiting(open.saturating_add(1))?;
        let day = waiting.iter().chain(&next).next().map_or_else(|| day_of(now), |first| first.day);
        view.open_day = day;
        let open = OpenPage::of(day, now, waiting);
        let effort = Effort::resume(policy, view.last.map(|last| (last.closed_at, last.effort)));
        let view = Arc::new(RwLock::new(view));
        let dice = Box::new(os_rng());
        let (closing, closer, beside, free) = (None, None, false, u64::MAX);
        let mut pages =
            Self { store, settings, view, open, closing, closer, beside, effort, free, days, dice };
        if let Some(day) = next.first().map(|first| first.day) {
            pages.close(now)?;
            pages.begin(OpenPage::of(day, now, next));
        }
        Ok(pages)
    }

    /// From here on a page closes in a thread of its own, and deposits for the next do not wait for it.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn close_beside(&mut self) -> io::Result<()> {
        self.closer = Some(Closer::start(self.store())?);
        Ok(())
    }

    /// Whether a page is closing in that thread. When it has closed, the next call takes it into the chain.
    #[must_use]
    pub const fn closes_beside(&self) -> bool {
        self.beside
    }

    /// Draws filling and seeds from `dice`, for a simulation that is to be the same each time. A
    /// server leaves it at the operating system's randomness.
    pub fn draw_from(&mut self, dice: impl CryptoRng + Send + 'static) {
        self.dice = Box::new(dice);
    }

    /// Tells how many bytes of disk are free: the next page's effort depends on it (BRD-23).
    pub const fn set_free(&mut self, free: u64) {
        self.free = free;
    }

    /// The readers' side.
    #[must_use]
    pub fn view(&self) -> Arc<RwLock<View>> {
        Arc::clone(&self.view)
    }

    /// The store, for whoever makes durable what is written.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// Stores a batch for the open page; durable on return.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub fn put(
        &mut self,
        batch: Vec<impl Into<Deposit>>,
        now: Seconds,
    ) -> Result<Vec<Put>, StoreError> {
        let written = self.write(batch, now)?;
        Ok(durable(self.store.as_ref(), vec![written])?.concat())
    }

    /// Writes a batch for the open page. A page that closes makes durable what is in it.
    ///
    /// # Errors
    /// [`StoreError`]: then every deposit of the batch is answered RETRY.
    pub fn write(
        &mut self,
        batch: Vec<impl Into<Deposit>>,
        now: Seconds,
    ) -> Result<Written, StoreError> {
        let now = self.monotonic(now);
        self.tick(now)?;
        let after = self.open.waiting.len().saturating_add(batch.len());
        if after > MAX_PAGE {
            self.close(now)?; // BRD-20: a full page closes at once
        }
        let batch: Vec<Deposit> = batch.into_iter().map(Into::into).collect();
        let entries: Vec<Entry> = batch.iter().map(|deposit| deposit.entry).collect();
        let open = self.open_page().saturating_add(self.closing.is_some().into());
        let written = self.store.write(self.open.day, open, batch)?;
        if self.open.waiting.is_empty() {
            self.open.since = now;
        }
        let stored =
            entries.into_iter().zip(written.puts()).filter(|(_, put)| **put == Put::Stored);
        self.open.waiting.extend(stored.map(|(entry, _)| entry));
        Ok(written)
    }

    /// Does what is due at `now`: closes the open page, expires days, draws the hour's seed.
    /// Gives whether a page closes.
    ///
    /// # Errors
    /// [`StoreError`]; the next call tries again.
    pub fn tick(&mut self, now: Seconds) -> Result<bool, StoreError> {
        let now = self.monotonic(now);
        // First what gives disk back: a close may have failed for want of it.
        self.expire(now)?;
        self.settle(false)?;
        let new_day = day_of(now) > self.open.day;
        let due = if self.open.waiting.is_empty() {
            self.closed_at().is_none_or(|last| now >= last.saturating_add(EMPTY_EVERY_S))
        } else {
            // On the grid of the interval, so that the close says nothing about the deposit.
            let slot = |at: Seconds| at.checked_div(self.settings.interval_s.into());
            slot(now) > slot(self.open.since) || new_day
        };
        if new_day && self.open.waiting.is_empty() {
            self.begin(OpenPage::of(day_of(now), now, Vec::new()));
        }
        // One at a time: the next names the head of this one.
        let due = due && self.closing.is_none();
        if due {
            self.close(now)?;
        }
        Ok(due)
    }

    fn close(&mut self, now: Seconds) -> Result<(), StoreError> {
        self.settle(true)?;
        let now = self.monotonic(now);
        let seed = self.seed(now)?;
        let filling: Vec<Envelope> = (0..filling(self.open.waiting.len(), self.settings.fill))
            .map(|_| envelope::dummy(&mut self.dice))
            .collect();
        let (page, prev, oldest) = {
            let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
            (view.open_page(), view.head(), view.oldest())
        };
        let close = Close { at: now, deposits: self.open.waiting.len(), free: self.free };
        self.effort = self.effort.after(close);
        let effort = self.effort.value();
        let place = Place { page, closed_at: now, oldest, prev, seed, effort };
        let (day, settings) = (self.open.day, self.settings);
        let deposits = std::mem::take(&mut self.open.waiting);
        let closing = Arc::new(Closing { day, settings, place, deposits, filling });
        self.beside = self.closer.as_ref().is_some_and(|closer| closer.take(Arc::clone(&closing)));
        self.closing = Some(closing);
        self.begin(OpenPage::of(day_of(now), now, Vec::new()));
        self.settle(false)
    }

    fn begin(&mut self, open: OpenPage) {
        self.open = open;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.open_day = self.open.day;
    }

    /// Takes the page that closes into the chain when it has closed. Without its thread, and after a
    /// failure there, it is closed here and now: until that succeeds there are no more deposits.
    fn settle(&mut self, wait: bool) -> Result<(), StoreError> {
        let Some(closing) = &self.closing else { return Ok(()) };
        let outcome = match &self.closer {
            Some(closer) if self.beside => closer.outcome(wait),
            _ => Some(closing.close(self.store.as_ref())),
        };
        let Some(outcome) = outcome else { return Ok(()) };
        self.beside = false;
        let header = outcome?;
        self.days.insert(closing.day, DayPages::up_to(&header));
        self.view.write().unwrap_or_else(PoisonError::into_inner).push(header);
        self.closing = None;
        Ok(())
    }

    /// Drops the days whose last page is older than its TTL (BRD-22).
    fn expire(&mut self, now: Seconds) -> Result<(), StoreError> {
        let in_use = [Some(self.open.day), self.closing.as_ref().map(|closing| closing.day)];
        let over = |(day, pages): (&Day, &DayPages)| {
            (!in_use.contains(&Some(*day)) && pages.until <= now).then_some(*day)
        };
        let gone: Vec<Day> = self.days.iter().filter_map(over).collect();
        for day in gone {
            // Readers first: from here on the pages are unknown.
            if let Some(DayPages { last, .. }) = self.days.get(&day) {
                let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
                view.forget_before(last.saturating_add(1));
            }
            self.store.drop_day(day)?;
            self.days.remove(&day);
        }
        Ok(())
    }

    /// The seed of the hour, drawn and kept at its first use.
    fn seed(&mut self, now: Seconds) -> Result<[u8; 32], StoreError> {
        let epoch = now.div_euclid(EPOCH_S);
        let known = {
            let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
            view.seeds.get(&epoch).copied()
        };
        if let Some(seed) = known {
            return Ok(seed);
        }
        let mut seed = [0; 32];
        self.dice.fill_bytes(&mut seed);
        self.store.add_seed(epoch, &seed)?;
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.seeds.retain(|old, _| old.saturating_add(1) >= epoch);
        view.seeds.insert(epoch, seed);
        Ok(seed)
    }

    /// A clock that was set back stands still here: `closed_at` never falls.
    fn monotonic(&self, now: Seconds) -> Seconds {
        self.closed_at().map_or(now, |last| now.max(last))
    }

    /// When the last page closed, or began to.
    fn closed_at(&self) -> Option<Seconds> {
        let last = || self.view.read().unwrap_or_else(PoisonError::into_inner).last;
        self.closing
            .as_ref()
            .map(|closing| closing.place.closed_at)
            .or_else(|| last().map(|last| last.closed_at))
    }

    /// Number of the first page that has not closed.
    #[must_use]
    pub fn open_page(&self) -> PageNo {
        self.view.read().unwrap_or_else(PoisonError::into_inner).open_page()
    }
}

impl OpenPage {
    fn of(day: Day, since: Seconds, waiting: Vec<Waiting>) -> Self {
        Self { day, since, waiting: waiting.into_iter().map(|waiting| waiting.entry).collect() }
    }
}

impl DayPages {
    /// By the promise in the header of the day's last page.
    fn up_to(header: &PageHeader) -> Self {
        let ttl = Seconds::from(header.ttl_h).saturating_mul(3_600);
        Self { last: header.page, until: header.closed_at.saturating_add(ttl) }
    }
}
