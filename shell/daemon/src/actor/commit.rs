//! Steps: saved, then let out (STO-24, RPC-8); and what happens when saving fails.

use super::operations::News;
use super::{Core, Open};
use crate::clock;
use crate::dice::Dice;
use crate::types::error::{ErrorKind, Failure};
use crate::wording;
use engine::changes::{Change, Changes};
use engine::{Effect, Engine, Now, Step};
use store::{Store, StoreError};

/// First pause after a failed save; doubles up to [`MAX_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1000;
const MAX_PAUSE_MS: u64 = 60_000;
/// How often what is due is deleted and the log is emptied (STO-31).
const TIDY_MS: u64 = 60_000;

/// The engine, or why there is none at this moment.
pub(super) enum Running {
    /// What it holds is what the disk holds.
    Engine {
        engine: Box<Engine>,
        /// Saves that failed in a row before.
        failures: u32,
    },
    /// Saving failed: the engine was dropped, for it was ahead of the disk.
    Stopped {
        /// What faces are told.
        failure: Failure,
        /// When it is loaded again, monotonic; `None` if only a new unlock helps.
        retry_at: Option<u64>,
        failures: u32,
    },
}

impl Open {
    pub(super) fn new(store: Store, engine: Engine) -> Self {
        let running = Running::Engine { engine: Box::new(engine), failures: 0 };
        Self { store, running, tidy_at: 0 }
    }

    /// The engine and the store, or what keeps them from working.
    pub(super) fn parts(&mut self) -> Result<(&mut Engine, &mut Store), Failure> {
        match &mut self.running {
            Running::Engine { engine, .. } => Ok((engine, &mut self.store)),
            Running::Stopped { failure, .. } => Err(failure.clone()),
        }
    }
}

impl Core {
    /// When the loop has something to do by itself, monotonic.
    pub(super) fn next_due(&self) -> Option<u64> {
        let open = self.open.as_ref()?;
        let due = match &open.running {
            Running::Engine { engine, .. } => engine.poll_timeout(),
            Running::Stopped { retry_at, .. } => *retry_at,
        };
        Some(due.map_or(open.tidy_at, |due| due.min(open.tidy_at)))
    }

    /// Does what is due.
    pub(super) fn tick(&mut self) {
        let now = clock::now();
        self.restart(now.mono_ms);
        self.tidy(now);
        let Some(Open { running: Running::Engine { engine, .. }, .. }) = &mut self.open else {
            return;
        };
        if engine.poll_timeout().is_some_and(|due| due <= now.mono_ms) {
            let step = engine.handle_timeout(&mut Dice, now);
            // What faces see of a failure is in the state it leaves.
            let _ = self.commit(step);
        }
    }

    /// Hands an answer of a mailbox to the engine.
    pub(super) fn answered(&mut self, news: News) {
        if !self.operations.current(&news) {
            return;
        }
        if let Some(Open { running: Running::Engine { engine, .. }, .. }) = &mut self.open {
            let step = engine.handle_answer(&mut Dice, clock::now(), news.operation, news.answer);
            let _ = self.commit(step);
        }
    }

    /// Saves a step and starts what it lets out.
    pub(super) fn commit(&mut self, step: Step) -> Result<(), Failure> {
        self.commit_by(step, |store, changes| store.save(changes))
    }

    /// As [`commit`](Self::commit), with another way of saving.
    ///
    /// When saving fails nothing of the step leaves, the engine is dropped with all its operations,
    /// and loaded again from the disk after a pause: no engine that is ahead of the disk goes on.
    pub(super) fn commit_by(
        &mut self,
        step: Step,
        save: impl FnOnce(&mut Store, &Changes) -> Result<(), StoreError>,
    ) -> Result<(), Failure> {
        let Some(open) = &mut self.open else { return Err(wording::locked()) };
        let mut events = false;
        let saved = step.commit(|changes| {
            events = changes.0.iter().any(|change| matches!(change, Change::Event(_)));
            save(&mut open.store, changes)?;
            if let Running::Engine { failures, .. } = &mut open.running {
                *failures = 0;
            }
            Ok(())
        });
        match saved {
            Ok(effects) => {
                effects.into_iter().for_each(|effect| self.effect(effect));
                if events {
                    self.news.send_modify(|count| *count = count.wrapping_add(1));
                }
                Ok(())
            }
            Err(error) => Err(self.fall(&error)),
        }
    }

    fn effect(&mut self, effect: Effect) {
        match effect {
            Effect::Start(operation) => self.operations.start(operation),
            Effect::Stop(operation) => self.operations.stop(operation),
        }
    }

    /// Drops the engine after a failed save.
    fn fall(&mut self, error: &StoreError) -> Failure {
        tracing::error!(%error, "saving failed; nothing was sent");
        self.operations.stop_all();
        let failure = wording::storage(error);
        if let Some(open) = &mut self.open {
            let (Running::Engine { failures, .. } | Running::Stopped { failures, .. }) =
                &open.running;
            let failures = *failures;
            open.running = Running::Stopped {
                failure: failure.clone(),
                retry_at: can_recover(error).then(|| retry_at(failures)),
                failures: failures.saturating_add(1),
            };
        }
        failure
    }

    /// Loads the engine again, once its pause is over.
    fn restart(&mut self, mono_ms: u64) {
        let Some(open) = &mut self.open else { return };
        let Running::Stopped { retry_at: Some(at), failures, .. } = &open.running else { return };
        let failures = *failures;
        if *at > mono_ms {
            return;
        }
        let loaded =
            open.store.load().map_err(|error| wording::storage(&error)).and_then(|snapshot| {
                Engine::load(&mut Dice, clock::now(), &snapshot)
                    .map_err(|_| wording::failure(ErrorKind::Damaged, wording::DAMAGED))
            });
        open.running = match loaded {
            Ok(engine) => Running::Engine { engine: Box::new(engine), failures },
            Err(failure) => Running::Stopped {
                failure,
                retry_at: Some(self::retry_at(failures)),
                failures: failures.saturating_add(1),
            },
        };
    }

    /// Forgets what is due and empties the log of what was overwritten. Without an engine nobody
    /// knows what is due.
    fn tidy(&mut self, now: Now) {
        let Some(open) = self.open.as_mut().filter(|open| open.tidy_at <= now.mono_ms) else {
            return;
        };
        open.tidy_at = now.mono_ms.saturating_add(TIDY_MS);
        // A backup that is read holds the log as it is (BAK-7).
        if self.transfer.is_some() {
            return;
        }
        let Running::Engine { engine, .. } = &open.running else { return };
        let forgotten = open.store.forget_due(engine.due(now));
        let tidied = forgotten.and_then(|_| open.store.prune(now.unix_s()));
        if let Err(error) = tidied {
            tracing::warn!(%error, "tidying the database failed; it is tried again");
        }
    }
}

/// After a write that may be on the disk in part, only the next unlock shows what is there.
const fn can_recover(error: &StoreError) -> bool {
    !matches!(error, StoreError::Io(_) | StoreError::Broken | StoreError::Damaged { .. })
}

fn retry_at(failures: u32) -> u64 {
    let pause = FIRST_PAUSE_MS.saturating_mul(2_u64.saturating_pow(failures)).min(MAX_PAUSE_MS);
    clock::now().mono_ms.saturating_add(pause)
}
