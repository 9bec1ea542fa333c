//! A page on its way into the chain, and the thread that brings it there while deposits come for the next.

use crate::clock::Day;
use crate::store::{ClosedPage, Store, StoreError};
use board::envelope::Envelope;
use board::header::PageHeader;
use board::page::{Entry, Layout, Place, Settings};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::{self, JoinHandle};
use std::{io, mem};

/// A page that takes no more deposits, and is not in the chain yet.
pub(super) struct Closing {
    pub(super) day: Day,
    pub(super) settings: Settings,
    pub(super) place: Place,
    pub(super) deposits: Vec<Entry>,
    pub(super) filling: Vec<Envelope>,
}

impl Closing {
    /// What takes long of it: order, hash tree, disk. Done again after a failure it gives the same page.
    pub(super) fn close(&self, store: &dyn Store) -> Result<PageHeader, StoreError> {
        let entries = self.deposits.iter().copied().chain(self.filling.iter().map(Entry::of));
        let layout = Layout::new(entries.collect())
            .map_err(|_| StoreError::Damaged("the size of the open page"))?;
        let frame = layout.frame(&self.settings, &self.place);
        let header = frame.header;
        store.close(&ClosedPage { day: self.day, frame, layout, filling: self.filling.clone() })?;
        Ok(header)
    }
}

/// The thread. It gives what became of each page that it got.
pub(super) struct Closer {
    pages: Sender<Arc<Closing>>,
    outcomes: Receiver<Result<PageHeader, StoreError>>,
    thread: Option<JoinHandle<()>>,
}

impl Closer {
    pub(super) fn start(store: Arc<dyn Store>) -> io::Result<Self> {
        let (pages, inbox) = channel::<Arc<Closing>>();
        let (outcome, outcomes) = channel();
        let run = move || {
            for page in inbox {
                if outcome.send(page.close(store.as_ref())).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("closer".into()).spawn(run)?;
        Ok(Self { pages, outcomes, thread: Some(thread) })
    }

    /// Whether the thread has taken it.
    pub(super) fn take(&self, page: Arc<Closing>) -> bool {
        self.pages.send(page).is_ok()
    }

    /// What became of the page that was taken; `None` if that is not known yet and not waited for.
    pub(super) fn outcome(&self, wait: bool) -> Option<Result<PageHeader, StoreError>> {
        let gone = || Err(StoreError::Damaged("the thread that closes pages"));
        if wait {
            return Some(self.outcomes.recv().unwrap_or_else(|_| gone()));
        }
        match self.outcomes.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(gone()),
        }
    }
}

impl Drop for Closer {
    /// Lets it finish: it has the store, and with that the directory's lock.
    fn drop(&mut self) {
        drop(mem::replace(&mut self.pages, channel().0));
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}
