//! Carries bytes between one end of a socket pair and Tor, within the limits of TOR-8.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::Instant;

/// Any byte stream that Tor gives us.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// How long and how much one stream may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From its beginning to its end.
    pub(crate) life: Duration,
    /// Without a byte in either direction.
    pub(crate) silence: Duration,
    /// Bytes from `near` to `far`.
    pub(crate) out: u64,
    /// Bytes from `far` to `near`.
    pub(crate) back: u64,
}

/// Carries bytes both ways until either end closes, or a limit is reached; what was read before is
/// written. Both ends are closed by then, or dropped by the caller (TOR-7).
pub(crate) async fn splice(
    near: impl AsyncRead + AsyncWrite + Unpin,
    far: impl AsyncRead + AsyncWrite + Unpin,
    limits: Limits,
) {
    let end = Instant::now().checked_add(limits.life);
    let (mut near_read, mut near_write) = tokio::io::split(near);
    let (mut far_read, mut far_write) = tokio::io::split(far);
    let (heard, mut hearing) = tokio::sync::watch::channel(());
    let out = carry(&mut near_read, &mut far_write, limits.out, &heard);
    let back = carry(&mut far_read, &mut near_write, limits.back, &heard);
    let silent = async {
        while let Ok(Ok(())) = tokio::time::timeout(limits.silence, hearing.changed()).await {}
    };
    let old = async {
        match end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = out => {}
        () = back => {}
        () = silent => {}
        () = old => {}
    }
    // Tor has no half-open streams: whoever closes has finished. An error here means that the
    // other end has closed already.
    let _ = tokio::time::timeout(Duration::from_secs(5), far_write.shutdown()).await;
    let _ = near_write.shutdown().await;
}

async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    most: u64,
    heard: &tokio::sync::watch::Sender<()>,
) {
    let mut buffer = [0; 16 * 1024];
    let mut left = most;
    while let Ok(got) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..got).filter(|bytes| !bytes.is_empty()) else { return };
        let Some(rest) = u64::try_from(got).ok().and_then(|got| left.checked_sub(got)) else {
            return; // TOR-8
        };
        left = rest;
        if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
            return;
        }
        heard.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        life: Duration::from_secs(600),
        silence: Duration::from_secs(60),
        out: 100,
        back: 1000,
    };

    #[tokio::test]
    async fn tor_7_either_end_closes_both_and_nothing_is_lost() {
        let (mut core, near) = tokio::io::duplex(64);
        let (mut tor, far) = tokio::io::duplex(64);
        let task = tokio::spawn(splice(near, far, LIMITS));
        core.write_all(&[1; 100]).await.unwrap();
        let mut got = [0; 100];
        tor.read_exact(&mut got).await.unwrap();
        tor.write_all(&[2; 50]).await.unwrap();
        drop(tor);
        let mut back = Vec::new();
        core.read_to_end(&mut back).await.unwrap();
        assert_eq!(back, [2; 50]);
        task.await.unwrap();
    }

    #[tokio::test]
    async fn tor_8_a_stream_that_sends_too_much_is_closed() {
        let (mut core, near) = tokio::io::duplex(4096);
        let (mut tor, far) = tokio::io::duplex(4096);
        let task = tokio::spawn(splice(near, far, LIMITS));
        core.write_all(&[1; 101]).await.unwrap();
        let mut got = Vec::new();
        tor.read_to_end(&mut got).await.unwrap();
        assert!(got.is_empty());
        task.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn tor_8_a_silent_and_an_old_stream_are_closed() {
        let (core, near) = tokio::io::duplex(64);
        let (mut tor, far) = tokio::io::duplex(64);
        let start = Instant::now();
        splice(near, far, LIMITS).await;
        assert_eq!(start.elapsed().as_secs(), 60);
        assert_eq!(tor.read(&mut [0]).await.unwrap(), 0);
        drop(core);

        let (mut core, near) = tokio::io::duplex(64);
        let (_tor, far) = tokio::io::duplex(4096);
        let chatter = tokio::spawn(async move {
            while core.write_all(&[0]).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(30)).await;
            }
        });
        let start = Instant::now();
        splice(near, far, LIMITS).await;
        assert_eq!(start.elapsed().as_secs(), 600);
        chatter.abort();
    }
}
