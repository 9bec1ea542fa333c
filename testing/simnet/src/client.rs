use crate::disk::Disk;
use engine::{Effect, Engine, Mode, Now, Settings, Step};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

/// Where a client is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The step of this number is saved, and nothing of it leaves.
    AfterSave(u64),
    /// The step of this number cannot be saved.
    NotSaved(u64),
}

/// A real engine on a simulated disk.
pub struct Client {
    /// The engine; `None` while the client is off.
    pub engine: Option<Engine>,
    /// What it has saved.
    pub disk: Disk,
    /// Where it is to be killed.
    pub crash: Option<Crash>,
    /// Steps that had something to save.
    pub steps: u64,
    /// Steps that could not be saved.
    pub unsaved: u64,
    /// How often it was loaded again.
    pub loads: u64,
    /// How far its wall clock is ahead of the world's, in milliseconds.
    pub skew_ms: i64,
    pub(crate) rng: ChaCha20Rng,
}

impl Client {
    pub(crate) fn new(seed: u64, now: Now, name: &str, mode: Mode) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let settings = Settings { name: name.to_owned(), mode, utc_offset_min: 0 };
        let (engine, changes) = Engine::create(&mut rng, now, settings).unwrap();
        let mut disk = Disk::default();
        disk.apply(&changes);
        Self {
            engine: Some(engine),
            disk,
            crash: None,
            steps: 0,
            unsaved: 0,
            loads: 0,
            skew_ms: 0,
            rng,
        }
    }

    pub(crate) fn saved(disk: Disk) -> Self {
        let rng = ChaCha20Rng::seed_from_u64(0);
        Self { engine: None, disk, crash: None, steps: 0, unsaved: 0, loads: 0, skew_ms: 0, rng }
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
    pub(crate) fn commit(&mut self, now: Now, step: Step) -> Vec<Effect> {
        let (disk, steps, crash) = (&mut self.disk, &mut self.steps, self.crash);
        let mut killed = false;
        let saved = step.commit(|changes| {
            *steps += 1;
            if crash == Some(Crash::NotSaved(*steps)) {
                return Err(());
            }
            disk.apply(changes);
            killed = crash == Some(Crash::AfterSave(*steps));
            Ok(())
        });
        self.unsaved += u64::from(saved.is_err());
        match saved {
            Ok(effects) if !killed => effects,
            _ => {
                self.load(now);
                Vec::new()
            }
        }
    }

    pub(crate) fn load(&mut self, now: Now) {
        self.engine = Some(Engine::load(&mut self.rng, now, &self.disk.snapshot()).unwrap());
        self.loads += 1;
    }

    /// Loads the client with dice of its own choosing.
    pub(crate) fn load_seeded(&mut self, now: Now, seed: u64) {
        self.rng = ChaCha20Rng::seed_from_u64(seed);
        self.load(now);
    }
}
