use super::engine::day_options;
use super::journal::Journal;
use super::keys::{END, PAGE, day_of_space, gone_key, index_key, page_of, space_name};
use super::record::Short;
use super::shelf::Shelf;
use crate::clock::Day;
use crate::seal::{DayKey, Keyring};
use crate::store::{PageNo, StoreError};
use fjall::{Database, Keyspace, PersistMode};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{self, JoinHandle};

/// One day: its keyspace, its envelopes and what opens them.
pub(super) struct DayData {
    pub(super) space: Keyspace,
    pub(super) key: DayKey,
    pub(super) pages: RwLock<Pages>,
    pub(super) shelf: Shelf,
    /// Of pages with an even number, and with an odd one: while one closes, the next fills.
    even: RwLock<Journal>,
    odd: RwLock<Journal>,
}

impl DayData {
    pub(super) fn journal(&self, page: PageNo) -> &RwLock<Journal> {
        if page.is_multiple_of(2) { &self.even } else { &self.odd }
    }

    pub(super) fn journals(&self) -> [RwLockReadGuard<'_, Journal>; 2] {
        [reading(&self.even), reading(&self.odd)]
    }

    /// Whether an envelope of this day is here, in its name. A page that closes has its envelopes in the
    /// engine before they leave the journal, so they are looked for in this order.
    pub(super) fn holds(&self, idx: &Short) -> Result<bool, StoreError> {
        let waits = self.journals().iter().any(|journal| journal.holds(idx));
        Ok(waits || self.space.contains_key(index_key(idx))?)
    }

    /// How many records the shelf has.
    pub(super) fn end(&self) -> Result<u64, StoreError> {
        let Some(end) = self.space.get(END)? else { return Ok(0) };
        let end = end.as_ref().try_into().map_err(|_| StoreError::Damaged("the end of a shelf"))?;
        Ok(u64::from_be_bytes(end))
    }
}

pub(super) fn reading(journal: &RwLock<Journal>) -> RwLockReadGuard<'_, Journal> {
    journal.read().unwrap_or_else(PoisonError::into_inner)
}

/// The pages of a day: a range, since numbers grow by one.
#[derive(Default)]
pub(super) struct Pages(Option<(PageNo, PageNo)>);

impl Pages {
    pub(super) fn insert(&mut self, page: PageNo) {
        self.0 =
            Some(self.0.map_or((page, page), |(first, last)| (first.min(page), last.max(page))));
    }

    fn contains(&self, page: PageNo) -> bool {
        self.0.is_some_and(|(first, last)| (first..=last).contains(&page))
    }
}

/// Gives back the disk of a day that is over, which happens when the last handles of its files and its
/// keyspace go: of gigabytes that no memory knows any more that takes long, and deposits must not wait for
/// it. What an end of the process cuts short the engine finishes at its next start.
#[derive(Default)]
struct Sweeper(Mutex<Option<JoinHandle<()>>>);

impl Sweeper {
    fn sweep(&self, day: Arc<DayData>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        finish(&mut last);
        // Without a thread they are unlinked here: what was to be moved there is dropped.
        *last = thread::Builder::new().name("expiry".into()).spawn(move || drop(day)).ok();
    }
}

impl Drop for Sweeper {
    fn drop(&mut self) {
        finish(self.0.get_mut().unwrap_or_else(PoisonError::into_inner));
    }
}

fn finish(thread: &mut Option<JoinHandle<()>>) {
    // It panics in no code of ours, and what it left the next start removes.
    let _panicked = thread.take().map(JoinHandle::join);
}

/// The days that are kept.
pub(super) struct Days {
    keys: Keyring,
    /// Where shelves and journals lie.
    files: PathBuf,
    days: RwLock<BTreeMap<Day, Arc<DayData>>>,
    /// Held while a day is made: a page that closes and a deposit may both be the first of theirs.
    making: Mutex<()>,
    sweeper: Sweeper,
}

impl Days {
    /// Opens every day, after finishing the expiry that a crash cut short. `open` is the open page.
    pub(super) fn open(
        db: &Database,
        chain: &Keyspace,
        (files, keys): (&Path, &Path),
        open: PageNo,
    ) -> Result<Self, StoreError> {
        let days = Self {
            keys: Keyring::open(keys)?,
            files: files.to_owned(),
            days: RwLock::default(),
            making: Mutex::default(),
            sweeper: Sweeper::default(),
        };
        days.remove_strays(db)?;
        for name in db.list_keyspace_names() {
            let Some(day) = day_of_space(&name) else { continue };
            let space = db.keyspace(&name, day_options)?;
            if chain.contains_key(gone_key(day))? {
                days.finish_drop(db, chain, day, space)?;
                continue;
            }
            let key = days.keys.load(day)?.ok_or(StoreError::KeyMissing(day))?;
            let mut pages = Pages::default();
            let mut records = space.prefix(PAGE);
            for record in [records.next(), records.next_back()].into_iter().flatten() {
                let at = record.key()?;
                pages.insert(page_of(&at).ok_or(StoreError::Damaged("a page's key"))?);
            }
            let shelf = Shelf::open(&days.shelf_of(day))?;
            let (even, odd) = days.journals(day, &key, open)?;
            let pages = RwLock::new(pages);
            days.install(day, DayData { space, key, pages, shelf, even, odd });
        }
        Ok(days)
    }

    pub(super) fn all(&self) -> Vec<(Day, Arc<DayData>)> {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        days.iter().map(|(day, data)| (*day, Arc::clone(data))).collect()
    }

    /// The newest day before `day`, if it is the day before.
    pub(super) fn before(&self, day: Day) -> Option<Arc<DayData>> {
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        days.get(&day.checked_sub(1)?).map(Arc::clone)
    }

    pub(super) fn of_page(&self, page: PageNo) -> Option<Arc<DayData>> {
        let holds = |data: &DayData| {
            data.pages.read().unwrap_or_else(PoisonError::into_inner).contains(page)
        };
        self.all().into_iter().map(|(_, data)| data).find(|data| holds(data))
    }

    pub(super) fn get(&self, day: Day) -> Option<Arc<DayData>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).get(&day).map(Arc::clone)
    }

    pub(super) fn get_or_create(
        &self,
        db: &Database,
        day: Day,
    ) -> Result<Arc<DayData>, StoreError> {
        if let Some(data) = self.get(day) {
            return Ok(data);
        }
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data) = self.get(day) {
            return Ok(data);
        }
        // BRD-26: the key is synced before its first use. A key without data is taken again.
        let key = match self.keys.load(day)? {
            Some(key) => key,
            None => self.keys.create(day)?,
        };
        let (even, odd) = self.journals(day, &key, 0)?;
        let shelf = Shelf::open(&self.shelf_of(day))?;
        let sync = || File::open(&self.files)?.sync_all();
        sync()
            .map_err(|source| StoreError::io("syncing the directory of the envelopes", source))?;
        let space = db.keyspace(&space_name(day), day_options)?;
        let pages = RwLock::default();
        Ok(self.install(day, DayData { space, key, pages, shelf, even, odd }))
    }

    fn journals(
        &self,
        day: Day,
        key: &DayKey,
        open: PageNo,
    ) -> Result<(RwLock<Journal>, RwLock<Journal>), StoreError> {
        let [even, odd] = self.journals_of(day);
        let journal = |path: &Path, parity| Journal::open(path, key, parity, open).map(RwLock::new);
        Ok((journal(&even, 0)?, journal(&odd, 1)?))
    }

    /// BRD-26: the key goes first. The mark says that its absence is meant.
    pub(super) fn drop_day(
        &self,
        db: &Database,
        chain: &Keyspace,
        day: Day,
    ) -> Result<(), StoreError> {
        let data = self.days.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
        let Some(data) = data else { return Ok(()) };
        chain.insert(gone_key(day), [])?;
        db.persist(PersistMode::SyncData)?;
        self.finish_drop(db, chain, day, data.space.clone())?;
        self.sweeper.sweep(data);
        Ok(())
    }

    fn finish_drop(
        &self,
        db: &Database,
        chain: &Keyspace,
        day: Day,
        space: Keyspace,
    ) -> Result<(), StoreError> {
        self.keys.destroy(day)?;
        db.delete_keyspace(space)?;
        self.remove_files(day)?;
        chain.remove(gone_key(day))?;
        Ok(())
    }

    /// Removes files of days that the engine does not know: a power cut took back that they were
    /// unlinked, or came before their first keyspace. One that waits in a file of an earlier build is not
    /// lost without a word.
    fn remove_strays(&self, db: &Database) -> Result<(), StoreError> {
        let doing = |source| StoreError::io("looking for files of days that are over", source);
        for entry in fs::read_dir(&self.files).map_err(doing)? {
            let path = entry.map_err(doing)?.path();
            if path.extension().is_some_and(|name| name == "journal") {
                return Err(StoreError::Old);
            }
            let day = path.file_stem().and_then(|name| day_of_space(name.to_str()?));
            if let Some(day) = day
                && !db.keyspace_exists(&space_name(day))
            {
                self.remove_files(day)?;
            }
        }
        Ok(())
    }

    fn remove_files(&self, day: Day) -> Result<(), StoreError> {
        let [even, odd] = self.journals_of(day);
        for path in [even, odd, self.shelf_of(day)] {
            match fs::remove_file(path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                other => other.map_err(|source| StoreError::io("removing a day", source))?,
            }
        }
        Ok(())
    }

    fn journals_of(&self, day: Day) -> [PathBuf; 2] {
        let file = self.files.join(space_name(day));
        ["journal-even", "journal-odd"].map(|name| file.with_extension(name))
    }

    fn shelf_of(&self, day: Day) -> PathBuf {
        self.files.join(space_name(day)).with_extension("shelf")
    }

    fn install(&self, day: Day, data: DayData) -> Arc<DayData> {
        let data = Arc::new(data);
        let mut days = self.days.write().unwrap_or_else(PoisonError::into_inner);
        days.insert(day, Arc::clone(&data));
        data
    }
}
