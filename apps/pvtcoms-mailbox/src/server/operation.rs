use super::{LIMIT, Shared, digest};
use crate::clock;
use crate::store::{Deposit, PageNo};
use board::envelope::{ENVELOPE_LEN, Envelope};
use board::frame::{HEAD_LEN, PutRequest, RequestHead, Window};
use board::pow::EquixWork;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout, timeout_at};

/// Does the one operation of a connection. Every fault of the client ends in a close without a
/// byte, and is told to nobody (BRD-16). For a STREAM, which goes on: the page that comes next in it.
pub(super) async fn run(
    shared: &Arc<Shared>,
    stream: &mut UnixStream,
    connection: u64,
) -> io::Result<Option<PageNo>> {
    let desk = &shared.desk;
    desk.accept(connection);
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
            let stored = put(shared, PutRequest { epoch, nonce, solution, envelope }).await;
            let answer = desk.put_answer(connection, tag, stored);
            send(stream, &answer.encode()).await?;
        }
        RequestHead::Fetch { page, chunk } => {
            let found = match desk.held(page, chunk) {
                Some(answer) => Some(answer),
                None => read(shared, page, chunk).await,
            };
            let answer = desk.fetch_answer(connection, page, chunk, found);
            send(stream, &answer).await?;
        }
        RequestHead::Digest(window) => {
            let end = digest::run(shared, stream, connection, window).await?;
            return Ok((window == Window::Stream).then_some(end));
        }
    }
    Ok(None)
}

/// Writes an answer whole, or gives up after a while.
pub(super) async fn send(stream: &mut UnixStream, bytes: &[u8]) -> io::Result<()> {
    timeout(LIMIT, stream.write_all(bytes)).await?
}

/// Whether the deposit is paid for, and durable.
async fn put(shared: &Arc<Shared>, put: PutRequest) -> bool {
    match paid(shared, put).await {
        Some(deposit) => shared.committer.put(deposit).await,
        None => false,
    }
}

async fn paid(shared: &Arc<Shared>, put: PutRequest) -> Option<Deposit> {
    let price = shared.desk.price(put.epoch, clock::now())?;
    let ask = Arc::clone(shared);
    let check = move || ask.desk.paid(&EquixWork::default(), &price, put);
    spawn_blocking(check).await.ok()?
}

async fn read(shared: &Arc<Shared>, page: PageNo, chunk: u16) -> Option<Arc<[u8]>> {
    let ask = Arc::clone(shared);
    spawn_blocking(move || ask.desk.read(page, chunk)).await.ok()?
}
