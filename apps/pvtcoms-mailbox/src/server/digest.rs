use super::Shared;
use super::operation::send;
use crate::clock;
use crate::store::{PageNo, Store};
use board::frame::Window;
use std::io;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use wire::Codec;

/// Bytes of frames read at once: more than one page's largest frame is never held twice.
const PIECE: usize = 64 << 10;

/// Answers a DIGEST: the window, and for STREAM every page as it closes (BRD-12).
pub(super) async fn run(
    shared: &Arc<Shared>,
    stream: &mut UnixStream,
    window: Window,
) -> io::Result<()> {
    let mut closed = shared.closed.clone();
    let pages = {
        let view = shared.view.read().unwrap_or_else(PoisonError::into_inner);
        view.window(window, clock::now())
    };
    let mut next = pages.end;
    send_pages(shared, stream, pages).await?;
    if window != Window::Stream {
        return Ok(());
    }
    let mut stopping = shared.stopping.clone();
    loop {
        let open = tokio::select! {
            // A client says nothing more on a stream: a byte, or its end, ends it.
            _ = stream.read_u8() => return Ok(()),
            _ = stopping.wait_for(|stop| *stop) => return Ok(()),
            open = closed.wait_for(|open| *open > next) => match open {
                Ok(open) => *open,
                Err(_) => return Ok(()),
            },
        };
        send_pages(shared, stream, next..open).await?;
        next = open;
    }
}

async fn send_pages(
    shared: &Arc<Shared>,
    stream: &mut UnixStream,
    pages: Range<PageNo>,
) -> io::Result<()> {
    let mut pages = pages;
    while !pages.is_empty() {
        let store = Arc::clone(&shared.store);
        let (bytes, rest) = spawn_blocking(move || read(store.as_ref(), pages)).await??;
        send(stream, &bytes).await?;
        pages = rest;
    }
    Ok(())
}

/// The frames of the first pages, and which are left.
fn read(store: &dyn Store, mut pages: Range<PageNo>) -> io::Result<(Vec<u8>, Range<PageNo>)> {
    let mut bytes = Vec::new();
    while bytes.len() < PIECE
        && let Some(page) = pages.next()
    {
        // Missing: its day expired just now. The answer ends, as BRD-16 says.
        let frame = store.frame(page).map_err(io::Error::other)?;
        let frame = frame.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        bytes.extend_from_slice(&frame.to_bytes());
    }
    Ok((bytes, pages))
}
