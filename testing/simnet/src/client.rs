use crate::disk::{Disk, MessageKey};
use crate::sabotage::Sabotage;
use engine::changes::{Changes, MessageState, Snapshot};
use engine::{Effect, Engine, Mode, Now, Settings, Step};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Where a client is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The step of this number is saved, and nothing of it leaves.
    AfterSave(u64),
    /// The step of this number cannot be saved.
    NotSaved(u64),
}

/// How one save goes wrong. What is off comes back after so many milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveFault {
    /// `kill -9` after the save, before anything of the step has left.
    KilledAfter {
        /// Until the program is started again.
        off: u64,
    },
    /// The disk is full: nothing is written, the engine is loaded again after a pause.
    DiskFull {
        /// The pause.
        off: u64,
    },
    /// The write or its fsync fails: whether the step is on the disk shows at the next unlock.
    FsyncError {
        /// Whether it is.
        reached: bool,
        /// Until somebody unlocks.
        off: u64,
    },
    /// The power goes before the step is synced.
    PowerCut {
        /// Until it is back.
        off: u64,
    },
}

impl SaveFault {
    const fn off(self) -> u64 {
        let (Self::KilledAfter { off }
        | Self::DiskFull { off }
        | Self::FsyncError { off, .. }
        | Self::PowerCut { off }) = self;
        off
    }

    /// Whether the step is on the disk afterwards.
    const fn saved(self) -> bool {
        matches!(self, Self::KilledAfter { .. } | Self::FsyncError { reached: true, .. })
    }
}

/// Files by contact and file: name and bytes.
pub type Folder = BTreeMap<([u8; 16], [u8; 16]), (String, Vec<u8>)>;

/// A real engine on a simulated disk.
pub struct Client {
    /// The engine; `None` while the client is off.
    pub engine: Option<Engine>,
    /// What it has saved.
    pub disk: Disk,
    /// Where it is to be killed.
    pub crash: Option<Crash>,
    /// How the next saves go wrong, one after the other.
    pub faults: VecDeque<SaveFault>,
    /// Steps that had something to save.
    pub steps: u64,
    /// Steps that could not be saved.
    pub unsaved: u64,
    /// How often it was loaded again.
    pub loads: u64,
    /// Files that the shell has saved.
    pub folder: Folder,
    /// Nothing can be saved in the folder.
    pub folder_full: bool,
    /// How far its wall clock is ahead of the world's, in milliseconds.
    pub skew_ms: i64,
    /// What the person has read and has said so, in order.
    pub shown: Vec<MessageKey>,
    /// Who looks on.
    pub watcher: Option<Box<dyn Watcher>>,
    /// Where the person's reading stands among the messages of the disk.
    pub(crate) read: usize,
    pub(crate) rng: ChaCha20Rng,
}

/// Looks over the shoulder of a client, for whoever measures it.
pub trait Watcher {
    /// Runs `work`, which is the engine's part of a step.
    fn think(&mut self, work: &mut dyn FnMut());

    /// The client's disk has these changes.
    fn save(&mut self, changes: &Changes);
}

/// Processor time of this thread, as the kernel tells it: in nanoseconds, first of three numbers.
///
/// # Panics
/// Where `/proc` is not Linux's.
#[must_use]
pub fn thread_cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

/// What became of a step.
pub(crate) enum Done {
    /// It is saved, and this leaves.
    Saved(Vec<Effect>),
    /// The engine was loaded again; nothing leaves.
    Loaded,
    /// The client is off for so many milliseconds; nothing leaves.
    Off(u64),
}

impl Client {
    pub(crate) fn new(seed: u64, now: Now, name: &str, mode: Mode, zone_min: i16) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let settings = Settings { name: name.to_owned(), mode, utc_offset_min: zone_min };
        let (engine, changes) = Engine::create(&mut rng, now, settings).unwrap();
        let mut disk = Disk::default();
        disk.apply(&changes);
        Self { engine: Some(engine), rng, ..Self::saved(disk) }
    }

    pub(crate) fn saved(disk: Disk) -> Self {
        Self {
            engine: None,
            disk,
            crash: None,
            faults: VecDeque::new(),
            steps: 0,
            unsaved: 0,
            loads: 0,
            folder: BTreeMap::new(),
            folder_full: false,
            skew_ms: 0,
            shown: Vec::new(),
            watcher: None,
            read: 0,
            rng: ChaCha20Rng::seed_from_u64(0),
        }
    }

    /// The engine of a client that is on.
    ///
    /// # Panics
    /// If it is off.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        self.engine.as_ref().expect("the client is off")
    }

    pub(crate) fn live(&mut self) -> Option<(&mut Engine, &mut ChaCha20Rng)> {
        Some((self.engine.as_mut()?, &mut self.rng))
    }

    /// Saves a step and gives what leaves; a client that is killed is loaded from its disk.
    pub(crate) fn commit(&mut self, now: Now, step: Step) -> Done {
        let (disk, steps, crash) = (&mut self.disk, &mut self.steps, self.crash);
        let (faults, watcher) = (&mut self.faults, &mut self.watcher);
        let mut killed = false;
        let mut off = None;
        let saved = step.commit(|changes| {
            *steps += 1;
            if crash == Some(Crash::NotSaved(*steps)) {
                return Err(());
            }
            let fault = faults.pop_front();
            off = fault.map(SaveFault::off);
            if fault.is_none_or(SaveFault::saved) {
                disk.apply(changes);
                if let Some(watcher) = watcher {
                    watcher.save(changes);
                }
            }
            killed = crash == Some(Crash::AfterSave(*steps));
            if fault.is_some() { Err(()) } else { Ok(()) }
        });
        if let Some(off) = off {
            self.unsaved += 1;
            self.disk.crashed();
            self.engine = None;
            return Done::Off(off);
        }
        self.unsaved += u64::from(saved.is_err());
        match saved {
            Ok(effects) if !killed => Done::Saved(effects),
            _ => {
                self.disk.crashed();
                self.load(now);
                Done::Loaded
            }
        }
    }

    pub(crate) fn load(&mut self, now: Now) {
        let snapshot = self.disk.snapshot();
        self.load_from(now, &snapshot);
    }

    /// Loads the client from rows that lie elsewhere.
    pub(crate) fn load_from(&mut self, now: Now, snapshot: &Snapshot) {
        self.engine = Some(Engine::load(&mut self.rng, now, snapshot).unwrap());
        self.loads += 1;
    }

    /// Loads the client with dice of its own choosing.
    pub(crate) fn load_seeded(&mut self, now: Now, seed: u64) {
        self.rng = ChaCha20Rng::seed_from_u64(seed);
        self.load(now);
    }

    /// The person reads all that is new. One who is interrupted has not said that it was read, and
    /// is shown the same again.
    pub fn read_all(&mut self, interrupted: bool) {
        let broken = self.disk.is_broken(Sabotage::DeleteOnRead);
        // After a roll-back of a broken store there may be less than was read.
        let from = self.read.min(self.disk.messages.len());
        let mut seen = Vec::new();
        for message in &self.disk.messages[from..] {
            let key = (message.contact, message.id);
            let received = message.state == MessageState::Received;
            if received && !self.disk.deleted.contains(&key) {
                seen.push(key);
            }
        }
        if broken {
            self.disk.deleted.extend(&seen);
        }
        if !interrupted {
            self.shown.extend(seen);
            self.read = self.disk.messages.len();
        }
    }
}
