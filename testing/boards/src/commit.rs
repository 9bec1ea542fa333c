//! Our deposits without sockets and proof of work: from the envelope to the word that it is durable.

use crate::published::{POLICY, SETTINGS};
use anyhow::{Result, ensure};
use board::envelope::{Envelope, dummy};
use mailbox::clock;
use mailbox::committer::{BATCH, Committer, Reserve};
use mailbox::counters::Counters;
use mailbox::pages::Pages;
use mailbox::seal::os_rng;
use mailbox::store::{FjallStore, Store};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::LocalSet;

/// Deposits that wait at one time: a batch in the making, and the next.
const AT_ONCE: usize = 2 * BATCH;

/// The server's committer on its store.
pub(crate) struct Commit {
    runtime: Runtime,
    committer: Committer,
    thread: Option<JoinHandle<()>>,
}

impl Commit {
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let store = FjallStore::open(&folder.join("board"), &folder.join("keys"))?;
        let store: Arc<dyn Store> = Arc::new(store);
        let pages = Pages::open(store, SETTINGS, POLICY, clock::now())?;
        let (closing, _) = watch::channel(pages.open_page());
        let reserve = Reserve { dir: folder.to_owned(), bytes: 0 };
        let news = |news: &str| println!("  {news}");
        let (committer, thread) =
            Committer::start(pages, reserve, Arc::new(Counters::default()), closing, news)?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        Ok(Self { runtime, committer, thread: Some(thread) })
    }

    /// Deposits a second.
    pub(crate) fn rate(&self, deposits: u32) -> Result<f64> {
        let envelopes: Vec<Envelope> = (0..deposits).map(|_| dummy(&mut os_rng())).collect();
        let envelopes = Rc::new(RefCell::new(envelopes));
        let clients = LocalSet::new();
        let start = Instant::now();
        let clients_done = clients.run_until(async {
            let client = |_| {
                let (committer, envelopes) = (self.committer.clone(), Rc::clone(&envelopes));
                tokio::task::spawn_local(async move {
                    let next = || envelopes.borrow_mut().pop();
                    let mut stored = 0_u32;
                    while let Some(envelope) = next() {
                        stored += u32::from(committer.put(envelope).await);
                    }
                    stored
                })
            };
            let clients: Vec<_> = (0..AT_ONCE).map(client).collect();
            let mut stored = 0;
            for client in clients {
                stored += client.await?;
            }
            Ok::<u32, tokio::task::JoinError>(stored)
        });
        let stored = self.runtime.block_on(clients_done)?;
        ensure!(stored == deposits, "{stored} of {deposits} deposits were stored");
        Ok(f64::from(deposits) / start.elapsed().as_secs_f64())
    }
}

impl Drop for Commit {
    fn drop(&mut self) {
        self.committer.stop();
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}
