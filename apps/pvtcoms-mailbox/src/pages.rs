//! The board's life: deposits wait, pages close, days expire (BRD-18 to 22).
//!
//! Synchronous and told the time, so that tests run weeks of it. One thread owns it.

use crate::clock::{Day, Seconds, day_of};
use crate::effort::{Close, Effort, Policy};
use crate::seal::os_rng;
use crate::store::{ClosedPage, Deposit, PageNo, Put, Store, StoreError, Written, durable};
use crate::view::View;
use board::envelope::{self, Envelope};
use board::header::{EPOCH_S, PageHeader};
use board::page::{Entry, Layout, MAX_PAGE, Place, Settings, filling};
use crypto::rand_core::{CryptoRng, Rng};
use std::collections::BTreeMap;
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
        let waiting = store.waiting(view.open_page())?;
        let day = waiting.first().map_or_else(|| day_of(now), |first| first.day);
        let waiting = waiting.into_iter().map(|waiting| waiting.entry).collect();
        view.open_day = day;
        let open = OpenPage { day, since: now, waiting };
        let effort = Effort::resume(policy, view.last.map(|last| (last.closed_at, last.effort)));
        let view = Arc::new(RwLock::new(view));
        let dice = Box::new(os_rng());
        Ok(Self { store, settings, view, open, effort, free: u64::MAX, days, dice })
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
        let written = self.store.write(self.open.day, self.open_page(), batch)?;
        if self.open.waiting.is_empty() {
            self.open.since = now;
        }
        let stored =
            entries.into_iter().zip(written.puts()).filter(|(_, put)| **put == Put::Stored);
        self.open.waiting.extend(stored.map(|(entry, _)| entry));
        Ok(written)
    }

    /// Does what is due at `now`: closes the open page, expires days, draws the hour's seed.
    /// Gives whether a page was closed.
    ///
    /// # Errors
    /// [`StoreError`]; the next call tries again.
    pub fn tick(&mut self, now: Seconds) -> Result<bool, StoreError> {
        let now = self.monotonic(now);
        self.expire(now)?;
        let new_day = day_of(now) > self.open.day;
        let due = if self.open.waiting.is_empty() {
            self.last().is_none_or(|last| now >= last.closed_at.saturating_add(EMPTY_EVERY_S))
        } else {
            // On the grid of the interval, so that the close says nothing about the deposit.
            let slot = |at: Seconds| at.checked_div(self.settings.interval_s.into());
            slot(now) > slot(self.open.since) || new_day
        };
        if new_day && self.open.waiting.is_empty() {
            self.open.day = day_of(now);
            let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
            view.open_day = self.open.day;
        }
        if due {
            self.close(now)?;
        }
        Ok(due)
    }

    fn close(&mut self, now: Seconds) -> Result<(), StoreError> {
        let now = self.monotonic(now);
        let seed = self.seed(now)?;
        let filling: Vec<Envelope> = (0..filling(self.open.waiting.len(), self.settings.fill))
            .map(|_| envelope::dummy(&mut self.dice))
            .collect();
        let entries = self.open.waiting.iter().copied().chain(filling.iter().map(Entry::of));
        let layout = Layout::new(entries.collect())
            .map_err(|_| StoreError::Damaged("the size of the open page"))?;
        let (page, prev, oldest) = {
            let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
            (view.open_page(), view.head(), view.oldest())
        };
        let close = Close { at: now, deposits: self.open.waiting.len(), free: self.free };
        let effort = self.effort.after(close);
        let place = Place { page, closed_at: now, oldest, prev, seed, effort: effort.value() };
        let frame = layout.frame(&self.settings, &place);
        let header = frame.header;
        self.store.close(&ClosedPage { day: self.open.day, frame, layout, filling })?;
        self.effort = effort;
        self.days.insert(self.open.day, DayPages::up_to(&header));
        self.open = OpenPage { day: day_of(now), since: now, waiting: Vec::new() };
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.push(header);
        view.open_day = self.open.day;
        Ok(())
    }

    /// Drops the days whose last page is older than its TTL (BRD-22).
    fn expire(&mut self, now: Seconds) -> Result<(), StoreError> {
        let open = self.open.day;
        let over =
            |(day, pages): (&Day, &DayPages)| (*day != open && pages.until <= now).then_some(*day);
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
        self.last().map_or(now, |last| now.max(last.closed_at))
    }

    fn last(&self) -> Option<PageHeader> {
        self.view.read().unwrap_or_else(PoisonError::into_inner).last
    }

    /// Number of the page that deposits go to.
    #[must_use]
    pub fn open_page(&self) -> PageNo {
        self.view.read().unwrap_or_else(PoisonError::into_inner).open_page()
    }
}

impl DayPages {
    /// By the promise in the header of the day's last page.
    fn up_to(header: &PageHeader) -> Self {
        let ttl = Seconds::from(header.ttl_h).saturating_mul(3_600);
        Self { last: header.page, until: header.closed_at.saturating_add(ttl) }
    }
}
