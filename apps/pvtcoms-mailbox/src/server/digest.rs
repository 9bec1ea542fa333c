use super::Shared;
use super::operation::send;
use crate::clock;
use crate::store::PageNo;
use board::frame::Window;
use std::io;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::task::spawn_blocking;

/// Answers a DIGEST and gives the page after the last one of the answer (BRD-12).
pub(super) async fn run(
    shared: &Arc<Shared>,
    stream: &mut UnixStream,
    connection: u64,
    window: Window,
) -> io::Result<PageNo> {
    let pages = shared.desk.digest(connection, window, clock::now());
    let end = pages.end;
    send_pages(shared, stream, pages).await?;
    Ok(end)
}

/// Sends every page from `next` on as it closes. This is where a connection spends hours, so it
/// holds little: what sending takes is boxed (PERF-4).
pub(super) async fn follow(
    shared: &Arc<Shared>,
    stream: &mut UnixStream,
    mut next: PageNo,
) -> io::Result<()> {
    loop {
        let recent = shared.desk.recent();
        // Before the look at the frames, so that none comes between.
        let mut changed = pin!(recent.changed());
        let end = recent.frames().end();
        if end > next {
            Box::pin(send_pages(shared, stream, next..end)).await?;
            next = end;
            continue;
        }
        if recent.is_over() {
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
    stream: &mut UnixStream,
    mut pages: Range<PageNo>,
) -> io::Result<()> {
    while !pages.is_empty() {
        let frames = shared.desk.recent().frames();
        if let Some(bytes) = frames.of(&pages) {
            return send(stream, bytes).await;
        }
        drop(frames);
        let ask = Arc::clone(shared);
        let (bytes, rest) = spawn_blocking(move || ask.desk.read_frames(pages)).await??;
        send(stream, &bytes).await?;
        pages = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of_future<'a, F: Future>(
        _: impl Fn(&'a Arc<Shared>, &'a mut UnixStream, PageNo) -> F,
    ) -> usize {
        size_of::<F>()
    }

    #[test]
    fn perf_4_what_a_stream_holds_for_hours_is_small() {
        let size = size_of_future(follow);
        assert!(size <= 184, "{size} bytes");
    }
}
