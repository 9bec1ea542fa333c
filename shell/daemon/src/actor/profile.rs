//! Opening and closing the profile.

use super::{Core, Open};
use crate::clock;
use crate::dice::Dice;
use crate::types::error::{ErrorKind, Failure};
use crate::types::view;
use crate::wording;
use crypto::Zeroizing;
use engine::{Engine, Settings};
use std::sync::Arc;
use store::{Store, StoreError};

/// Longest own name in bytes.
const MAX_NAME: usize = 64;

impl Core {
    pub(super) fn profile_state(&self) -> view::ProfileState {
        match &self.open {
            Some(_) => view::ProfileState::Unlocked,
            None if Store::exists(&self.setting.dir) => view::ProfileState::Locked,
            None => view::ProfileState::Absent,
        }
    }

    /// Makes the profile. Argon2id runs on a thread of its own.
    pub(super) async fn create(
        &mut self,
        passphrase: Zeroizing<String>,
        settings: Settings,
    ) -> Result<(), Failure> {
        if self.profile_state() != view::ProfileState::Absent {
            return Err(wording::failure(ErrorKind::Profile, wording::PROFILE_EXISTS));
        }
        self.no_transfer()?;
        if settings.name.len() > MAX_NAME {
            return Err(wording::failure(ErrorKind::WrongUse, wording::NAME_TOO_LONG));
        }
        let (dir, cost) = (Arc::clone(&self.setting.dir), self.setting.cost);
        let store = self
            .off_thread(move || Store::create(&dir, passphrase.as_bytes(), cost, &mut Dice))
            .await?;
        self.begin(store, settings)
    }

    /// While a backup is restored nobody makes or opens a profile.
    fn no_transfer(&self) -> Result<(), Failure> {
        match self.transfer {
            Some(_) => Err(wording::failure(ErrorKind::WrongUse, wording::TRANSFER_UNDER_WAY)),
            None => Ok(()),
        }
    }

    /// Opens the profile.
    pub(super) async fn unlock(&mut self, passphrase: Zeroizing<String>) -> Result<(), Failure> {
        match self.profile_state() {
            view::ProfileState::Locked => {}
            view::ProfileState::Absent => {
                return Err(wording::failure(ErrorKind::Profile, wording::NO_PROFILE));
            }
            view::ProfileState::Unlocked => {
                return Err(wording::failure(ErrorKind::Profile, wording::OPEN_ALREADY));
            }
        }
        self.no_transfer()?;
        let dir = Arc::clone(&self.setting.dir);
        let store = self.off_thread(move || Store::unlock(&dir, passphrase.as_bytes())).await?;
        let snapshot = store.load().map_err(|error| wording::storage(&error))?;
        if snapshot.0.is_empty() {
            // `create` was interrupted between the database and the identity: nobody ever saw one.
            let settings =
                Settings { name: String::new(), mode: engine::Mode::Steady, utc_offset_min: 0 };
            return self.begin(store, settings);
        }
        let engine = Engine::load(&mut Dice, clock::now(), &snapshot)
            .map_err(|_| wording::failure(ErrorKind::Damaged, wording::DAMAGED))?;
        self.open = Some(Open::new(store, engine));
        Ok(())
    }

    /// Makes the identity in an empty database. Needs no network (ID-1).
    fn begin(&mut self, mut store: Store, settings: Settings) -> Result<(), Failure> {
        let (engine, changes) = Engine::create(&mut Dice, clock::now(), settings)
            .map_err(|_| wording::failure(ErrorKind::Internal, wording::INTERNAL))?;
        store.save(&changes).map_err(|error| wording::storage(&error))?;
        self.open = Some(Open::new(store, engine));
        Ok(())
    }

    /// Drops everything that was open: operations, engine, database.
    pub(super) fn close(&mut self) {
        self.operations.stop_all();
        self.transfer = None;
        self.open = None;
    }

    /// Runs what opens the database on a thread of its own. When this is dropped the thread goes
    /// on, and drops its store before the guard.
    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Failure> {
        let guard = Arc::clone(&self.setting.opening).lock_owned().await;
        let (opened, _guard) = tokio::task::spawn_blocking(move || (work(), guard))
            .await
            .map_err(|_| wording::failure(ErrorKind::Internal, wording::INTERNAL))?;
        opened.map_err(|error| wording::storage(&error))
    }
}
