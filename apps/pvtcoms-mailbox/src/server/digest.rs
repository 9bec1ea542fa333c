use super::operation::send;
use super::recent::Recent;
use super::{Service, Shared};
use crate::clock;
use crate::store::{PageNo, Store};
use board::frame::Window;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::sync::{Arc, PoisonError};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;
use wire::Codec;

/// Bytes of frames read from the store at once: more than one page's largest frame is never held
/// twice.
const PIECE: usize = 64 << 10;

/// Answers a DIGEST and gives the page after the last one of the answer (BRD-12).
pub(super) async fn run(
    shared: &Arc<Shared>,
    recent: &Recent,
    stream: &mut UnixStream,
    window: Window,
) -> io::Result<PageNo> {
    let pages = {
        let view = shared.view.read().unwrap_or_else(PoisonError::into_inner);
        view.window(window, clock::now())
    };
    let end = pages.end;
    send_pages(shared, recent, stream, pages).await?;
    Ok(end)
}

/// Sends every page from `next` on as it closes. This is where a connection spends hours, so it
/// holds little: what sending takes is boxed (PERF-4).
pub(super) async fn follow(
    service: &Service,
    stream: &mut UnixStream,
    mut next: PageNo,
) -> io::Result<()> {
    loop {
        // Before the look at the frames, so that none comes between.
        let mut changed = pin!(service.recent.changed());
        let end = service.recent.frames().end();
        if end > next {
            Box::pin(send_pages(&service.shared, &service.recent, stream, next..end)).await?;
            next = end;
            continue;
        }
        if service.recent.is_over() {
            return Ok(());
        }
        tokio::select! {
            // A client says nothing more on a stream: a byte, or its end, ends it.
            _ = stream.read_u8() => return Ok(()),
            () = changed.as_mut() => {}
        }
    }
}

async fn send_pages(
    shared: &Arc<Shared>,
    recent: &Recent,
    stream: &mut UnixStream,
    mut pages: Range<PageNo>,
) -> io::Result<()> {
    while !pages.is_empty() {
        let frames = recent.frames();
        if let Some(bytes) = frames.of(&pages) {
            return send(stream, bytes).await;
        }
        drop(frames);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<'a, F: Future>(
        _: impl Fn(&'a Service, &'a mut UnixStream, PageNo) -> F,
    ) -> usize {
        size_of::<F>()
    }

    #[test]
    fn perf_4_what_a_stream_holds_for_hours_is_small() {
        let size = size_of_future(follow);
        assert!(size <= 184, "{size} bytes");
    }
}
