//! The accept loop: one operation a connection, and the server closes after its answer
//! (BRD-11, 12, 16, 17).

mod digest;
mod newest;
mod operation;

use crate::committer::Committer;
use crate::desk::Desk;
use std::sync::Arc;
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
    /// What decides and answers.
    pub desk: Desk,
    /// For deposits.
    pub committer: Committer,
    /// Number of the open page; changes when one closes.
    pub closed: watch::Receiver<u64>,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

/// Serves until `shared.stopping` turns true; then lets open requests end, for a few seconds.
pub async fn serve(listener: &UnixListener, shared: &Arc<Shared>) {
    let mut stopping = shared.stopping.clone();
    tokio::spawn(newest::hold(Arc::clone(shared)));
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
        let shared = Arc::clone(shared);
        // PERF-4: what stands in this block is what a STREAM holds for hours. What an operation
        // needs is boxed, and given back before.
        tokio::spawn(async move {
            let done = match Box::pin(operation::run(&shared, &mut stream, connection)).await {
                Ok(Some(next)) => digest::follow(&shared, &mut stream, next).await,
                Ok(None) => Ok(()),
                Err(e) => Err(e),
            };
            shared.desk.close(connection, done.is_ok());
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
