use super::recent::{self, Recent};
use super::{LIMIT, Service, Shared, digest};
use crate::clock;
use crate::seal::os_rng;
use crate::store::{Deposit, PageNo};
use board::envelope::{ENVELOPE_LEN, Envelope};
use board::frame::{FetchAnswer, HEAD_LEN, PutAnswer, RequestHead, Window};
use board::pow::{self, NONCE_LEN, SOLUTION_LEN};
use serde_json::json;
use std::io;
use std::sync::{Arc, PoisonError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// A PUT as it arrived.
struct Put {
    epoch: u64,
    nonce: [u8; NONCE_LEN],
    solution: [u8; SOLUTION_LEN],
    envelope: Envelope,
}

/// Does the one operation of a connection. Every fault of the client ends in a close without a
/// byte, and is told to nobody (BRD-16). For a STREAM, which goes on: the page that comes next in it.
pub(super) async fn run(
    service: &Service,
    stream: &mut UnixStream,
    connection: u64,
) -> io::Result<Option<PageNo>> {
    let Service { shared, recent } = service;
    shared.observer.note(connection, "accept", || json!({}));
    let deadline = Instant::now().checked_add(LIMIT).unwrap_or_else(Instant::now);
    let mut head = [0; HEAD_LEN];
    timeout_at(deadline, stream.read_exact(&mut head)).await??; // BRD-16
    let malformed = |_| io::Error::from(io::ErrorKind::InvalidData);
    match RequestHead::decode(&head).map_err(malformed)? {
        RequestHead::Put { epoch, nonce, solution } => {
            let mut bytes = Box::new([0; ENVELOPE_LEN]);
            timeout_at(deadline, stream.read_exact(bytes.as_mut_slice())).await??;
            let envelope = Envelope::from_bytes(&bytes);
            let tag = envelope.tag();
            let answer = put(shared, Put { epoch, nonce, solution, envelope }).await;
            shared.observer.note(connection, "put", || {
                let prefix = tag.0.first_chunk::<8>().map(|p| u64::from_be_bytes(*p));
                let prefix = prefix.map(|p| format!("{p:016x}"));
                json!({ "bytes_in": 4160, "tag": prefix, "stored": answer.stored, "open_page": answer.open_page })
            });
            send(stream, &answer.encode()).await?;
        }
        RequestHead::Fetch { page, chunk } => {
            let answer = fetch(shared, recent, page, chunk).await;
            shared.observer.note(connection, "fetch", || {
                json!({ "bytes_in": 64, "page": page, "chunk": chunk, "bytes_out": answer.len() })
            });
            send(stream, &answer).await?;
        }
        RequestHead::Digest(window) => {
            shared.observer.note(
                connection,
                "digest",
                || json!({ "bytes_in": 64, "window": format!("{window:?}") }),
            );
            shared.counters.digests.add();
            let end = digest::run(shared, recent, stream, window).await?;
            return Ok((window == Window::Stream).then_some(end));
        }
    }
    Ok(None)
}

/// Counts and notes how a connection ended.
pub(super) fn end(shared: &Shared, connection: u64, done: &io::Result<()>) {
    if done.is_err() {
        shared.counters.refused.add();
    }
    shared.observer.note(connection, "close", || json!({ "answered": done.is_ok() }));
}

/// Writes an answer whole, or gives up after a while.
pub(super) async fn send(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    timeout(LIMIT, stream.write_all(bytes)).await?
}

async fn put(shared: &Arc<Shared>, put: Put) -> PutAnswer {
    let stored = match paid(shared, put).await {
        Some(deposit) => shared.committer.put(deposit).await,
        None => false,
    };
    if !stored {
        shared.counters.retried.add();
    }
    shared.put_answer(stored)
}

/// The envelope, if its proof of work is good (BRD-15), sealed for the page that is open.
async fn paid(shared: &Arc<Shared>, put: Put) -> Option<Deposit> {
    let (seed, effort, day, page) = {
        let (view, now) =
            (shared.view.read().unwrap_or_else(PoisonError::into_inner), clock::now());
        let (seed, effort) = (*view.seed(put.epoch, now)?, view.lowest_effort(now)?); // BRD-23
        (seed, effort, view.open_day, view.open_page())
    };
    let store = Arc::clone(&shared.store);
    let mailbox = shared.settings.mailbox;
    let check = move || {
        let Put { nonce, solution, envelope, .. } = put;
        let good = pow::verify(&seed, &mailbox, &envelope, effort, &nonce, &solution);
        good.then(|| store.seal(day, page, envelope))
    };
    spawn_blocking(check).await.ok()?
}

async fn fetch(shared: &Arc<Shared>, recent: &Recent, page: PageNo, chunk: u16) -> Arc<[u8]> {
    let expired = page < shared.view.read().unwrap_or_else(PoisonError::into_inner).oldest();
    let held = if expired { None } else { recent.chunk(page, chunk) };
    if let Some(answer) = held {
        shared.counters.fetched.add();
        return answer;
    }
    let store = Arc::clone(&shared.store);
    let read = move || recent::fetch(store.as_ref(), page, chunk);
    if let Ok(Some(answer)) = spawn_blocking(read).await {
        shared.counters.fetched.add();
        return answer.into();
    }
    shared.counters.unknown.add();
    FetchAnswer::unknown(page, chunk, &mut os_rng()).into()
}
