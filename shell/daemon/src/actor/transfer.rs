//! A backup or a restore, on a thread of its own while the loop goes on (BAK-7, BAK-8).
//!
//! The face asks how far it is. One that asks no more is gone, and the work ends without a trace.

use super::{Core, Open, Running};
use crate::clock;
use crate::dice::Dice;
use crate::types::error::{ErrorKind, Failure};
use crate::types::view;
use crate::wording;
use crypto::Zeroizing;
use engine::Engine;
use engine::backup::carried;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{BackupError, BackupReport, RestoreReport, RestoreTerms, Stamp, Store};
use tokio::sync::oneshot;

/// A face that has not asked for so long is gone (RPC-18), in milliseconds.
const PATIENCE_MS: u64 = 10_000;

/// How far the work is, and whether to go on.
#[derive(Default)]
struct Course {
    done: AtomicU64,
    total: AtomicU64,
    /// When a face last asked, monotonic.
    asked: AtomicU64,
    cancelled: AtomicBool,
}

impl Course {
    /// Notes how far it is; says whether to go on.
    fn go_on(&self, done: u64, total: u64) -> bool {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        let silent = clock::now().mono_ms.saturating_sub(self.asked.load(Ordering::Relaxed));
        silent < PATIENCE_MS && !self.cancelled.load(Ordering::Relaxed)
    }
}

type Outcome<T> = oneshot::Receiver<Result<T, BackupError>>;

/// What the thread gives in the end.
enum Work {
    Backup(Outcome<BackupReport>),
    Restore(Outcome<(Store, RestoreReport)>),
}

/// A backup or restore under way.
pub(super) struct Transfer {
    course: Arc<Course>,
    work: Work,
}

impl Drop for Transfer {
    /// Nobody will ask for what comes of it.
    fn drop(&mut self) {
        self.course.cancelled.store(true, Ordering::Relaxed);
    }
}

impl Core {
    /// Begins a backup of the open profile into the new file `file`.
    pub(super) fn backup(
        &mut self,
        file: &str,
        passphrase: Zeroizing<String>,
    ) -> Result<(), Failure> {
        let file = self.may_begin(file)?;
        let Some(open) = &mut self.open else { return Err(wording::locked()) };
        // BAK-9: what is due is not carried, also if it was not swept yet.
        if let Running::Engine { engine, .. } = &open.running {
            let swept = open.store.forget_due(engine.due(clock::now()));
            swept.map_err(|error| wording::storage(&error))?;
        }
        let source = open.store.backup_source().map_err(|error| wording::storage(&error))?;
        let stamp =
            Stamp { made: clock::now().unix_s(), private_network: self.setting.private_network };
        let cost = self.setting.cost;
        let work = move |course: &Course| {
            let mut progress = |done, total| course.go_on(done, total);
            let secret = passphrase.as_bytes();
            source.write(&file, secret, cost, stamp, carried, &mut Dice, &mut progress)
        };
        self.begin_transfer(work, Work::Backup)
    }

    /// Begins to make the profile of the backup `file`.
    pub(super) fn restore(
        &mut self,
        file: &str,
        file_passphrase: Zeroizing<String>,
        passphrase: Zeroizing<String>,
    ) -> Result<(), Failure> {
        let file = self.may_begin(file)?;
        if self.profile_state() != view::ProfileState::Absent {
            return Err(wording::failure(ErrorKind::Profile, wording::PROFILE_EXISTS));
        }
        let (dir, cost) = (Arc::clone(&self.setting.dir), self.setting.cost);
        let terms = RestoreTerms {
            private_network: self.setting.private_network,
            now: clock::now().unix_s(),
        };
        let work = move |course: &Course| {
            let (of_file, new) = (file_passphrase.as_bytes(), passphrase.as_bytes());
            let mut progress = |done, total| course.go_on(done, total);
            Store::restore(
                &dir,
                &file,
                of_file,
                new,
                cost,
                &terms,
                carried,
                &mut Dice,
                &mut progress,
            )
        };
        self.begin_transfer(work, Work::Restore)
    }

    fn may_begin(&self, file: &str) -> Result<PathBuf, Failure> {
        // RPC-18: one at a time.
        if self.transfer.is_some() {
            return Err(wording::failure(ErrorKind::WrongUse, wording::TRANSFER_UNDER_WAY));
        }
        let file = Path::new(file);
        if !file.is_absolute() {
            return Err(wording::transfer(&BackupError::Path));
        }
        Ok(file.to_path_buf())
    }

    fn begin_transfer<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Course) -> Result<T, BackupError> + Send + 'static,
        kind: impl FnOnce(Outcome<T>) -> Work,
    ) -> Result<(), Failure> {
        // The process does not end, and nobody opens the profile, before the thread is done.
        let guard = Arc::clone(&self.setting.opening).try_lock_owned();
        let guard = guard
            .map_err(|_| wording::failure(ErrorKind::WrongUse, wording::TRANSFER_UNDER_WAY))?;
        let course = Arc::new(Course::default());
        course.asked.store(clock::now().mono_ms, Ordering::Relaxed);
        let (answer, outcome) = oneshot::channel();
        let of_thread = Arc::clone(&course);
        tokio::task::spawn_blocking(move || {
            // A core that was locked meanwhile waits for nothing; the store goes before the guard.
            let _ = answer.send(work(&of_thread));
            drop(guard);
        });
        self.transfer = Some(Transfer { course, work: kind(outcome) });
        Ok(())
    }

    /// How far the transfer is; at its end what came of it, once.
    pub(super) fn transfer(&mut self) -> Result<view::Transfer, Failure> {
        let nothing = || wording::failure(ErrorKind::WrongUse, wording::NO_TRANSFER);
        let transfer = self.transfer.as_mut().ok_or_else(nothing)?;
        transfer.course.asked.store(clock::now().mono_ms, Ordering::Relaxed);
        let mut view = view::Transfer {
            done: transfer.course.done.load(Ordering::Relaxed),
            total: transfer.course.total.load(Ordering::Relaxed),
            finished: false,
            messages: 0,
            over: 0,
            bytes: 0,
            made: None,
        };
        let gone = |error| match error {
            oneshot::error::TryRecvError::Empty => None,
            oneshot::error::TryRecvError::Closed => Some(wording::internal()),
        };
        let ended = match &mut transfer.work {
            Work::Backup(outcome) => match outcome.try_recv() {
                Ok(made) => Ok(made.map(|report| {
                    (view.messages, view.bytes) = (report.messages, report.bytes);
                    None
                })),
                Err(error) => Err(gone(error)),
            },
            Work::Restore(outcome) => match outcome.try_recv() {
                Ok(made) => Ok(made.map(|(store, report)| {
                    (view.messages, view.over) = (report.messages, report.over);
                    view.made = Some(report.stamp.made);
                    Some(store)
                })),
                Err(error) => Err(gone(error)),
            },
        };
        let made = match ended {
            Err(None) => return Ok(view),
            Err(Some(failure)) => {
                self.transfer = None;
                return Err(failure);
            }
            Ok(made) => made,
        };
        self.transfer = None;
        if let Some(store) = made.map_err(|error| wording::transfer(&error))? {
            let over = self.take_restored(store)?;
            view.messages = view.messages.saturating_sub(over);
            view.over = view.over.saturating_add(over);
        }
        view.finished = true;
        Ok(view)
    }

    /// The restored profile is open, and renews its sessions by itself (REK-3). Gives the number of
    /// messages that are over by the profile's retention (BAK-9): they are deleted before anybody
    /// sees them.
    fn take_restored(&mut self, mut store: Store) -> Result<u64, Failure> {
        let snapshot = store.load().map_err(|error| wording::storage(&error))?;
        let engine = Engine::load(&mut Dice, clock::now(), &snapshot)
            .map_err(|_| wording::failure(ErrorKind::Damaged, wording::DAMAGED))?;
        let over = store.forget_due(engine.due(clock::now()));
        let over = over.map_err(|error| wording::storage(&error))?;
        self.open = Some(Open::new(store, engine));
        Ok(u64::try_from(over).unwrap_or(u64::MAX))
    }
}
