//! The accept loop: one operation a connection, and the server closes after its answer
//! (BRD-11, 12, 16, 17).

mod digest;
mod operation;
mod recent;

use self::recent::Recent;
use crate::committer::Committer;
use crate::counters::Counters;
use crate::observe::Observer;
use crate::store::Store;
use crate::view::View;
use board::frame::PutAnswer;
use board::page::Settings;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::net::UnixListener;
use tokio::sync::{Semaphore, watch};
use tokio::time;

/// A request that is not complete after this long is closed; an answer that is not taken, too.
pub const LIMIT: Duration = Duration::from_secs(60);
/// Connections at one time. Beyond it the next ones wait in the socket's own queue.
const CONNECTIONS: u16 = 16_384;
/// Descriptors that the process needs: one a connection, and the store's files.
pub const DESCRIPTORS: u64 = 17_408;
/// How long open connections may finish after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);
/// Pause when the system gives no more descriptors.
const NO_DESCRIPTORS: Duration = Duration::from_millis(50);

/// What every connection needs.
pub struct Shared {
    /// For reading pages.
    pub store: Arc<dyn Store>,
    /// Which pages there are.
    pub view: Arc<RwLock<View>>,
    /// For deposits.
    pub committer: Committer,
    /// The operator's choices.
    pub settings: Settings,
    /// Totals.
    pub counters: Arc<Counters>,
    /// Watches, if somebody wants to.
    pub observer: Observer,
    /// Number of the open page; changes when one closes.
    pub closed: watch::Receiver<u64>,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

impl Shared {
    fn put_answer(&self, stored: bool) -> PutAnswer {
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        PutAnswer { stored, open_page: view.open_page(), head: view.head() }
    }
}

/// What the connections share.
struct Service {
    shared: Arc<Shared>,
    recent: Arc<Recent>,
}

/// Serves until `shared.stopping` turns true; then lets open requests end, for a few seconds.
pub async fn serve(listener: &UnixListener, shared: &Arc<Shared>) {
    let mut stopping = shared.stopping.clone();
    let service = Arc::new(Service { shared: Arc::clone(shared), recent: Recent::hold(shared) });
    let places = Arc::new(Semaphore::new(usize::from(CONNECTIONS)));
    let mut connection: u64 = 0;
    loop {
        let accepted = tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => break,
            accepted = accept(listener, &places) => accepted,
        };
        let Some((mut stream, place)) = accepted else {
            time::sleep(NO_DESCRIPTORS).await;
            continue;
        };
        connection = connection.wrapping_add(1);
        shared.counters.connections.add();
        let service = Arc::clone(&service);
        // PERF-4: what stands in this block is what a STREAM holds for hours. What an operation
        // needs is boxed, and given back before.
        tokio::spawn(async move {
            let done = match Box::pin(operation::run(&service, &mut stream, connection)).await {
                Ok(Some(next)) => digest::follow(&service, &mut stream, next).await,
                Ok(None) => Ok(()),
                Err(e) => Err(e),
            };
            operation::end(&service.shared, connection, &done);
            drop(place);
        });
    }
    // BRD-16: what is still asked is answered RETRY by a committer that is gone.
    // Every place is free again when the last one has ended.
    let _rest = time::timeout(GRACE, places.acquire_many(CONNECTIONS.into())).await;
}

async fn accept(
    listener: &UnixListener,
    places: &Arc<Semaphore>,
) -> Option<(tokio::net::UnixStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, place))
}
