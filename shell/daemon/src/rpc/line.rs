//! Lines from a face, bounded.

use crate::types::MAX_LINE;
use crypto::Zeroizing;
use std::io;
use tokio::io::{AsyncRead, AsyncReadExt};

/// Room for an ordinary line, so that a passphrase is not copied about while it arrives.
const ROOM: usize = 16 * 1024;

/// Why no further line comes.
#[derive(Debug)]
pub(super) enum LineError {
    /// Longer than [`MAX_LINE`]: the rest cannot be told apart any more.
    TooLong,
    /// The connection failed.
    Io,
}

impl From<io::Error> for LineError {
    fn from(_: io::Error) -> Self {
        Self::Io
    }
}

/// Cuts a stream into lines. Wiped on drop: passphrases and texts pass through.
pub(super) struct Lines<R> {
    stream: R,
    buffer: Zeroizing<Vec<u8>>,
    /// Up to here there is no line end.
    seen: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(super) fn new(stream: R) -> Self {
        Self { stream, buffer: Zeroizing::new(Vec::with_capacity(ROOM)), seen: 0 }
    }

    /// The next line without its end; `None` at the end of the stream. May be dropped at any point
    /// without losing a byte.
    pub(super) async fn next(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, LineError> {
        loop {
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            if self.buffer.len() > MAX_LINE {
                return Err(LineError::TooLong);
            }
            if self.stream.read_buf(&mut *self.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }

    fn take(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        let unseen = self.buffer.get(self.seen..).unwrap_or_default();
        let Some(at) = unseen.iter().position(|byte| *byte == b'\n') else {
            self.seen = self.buffer.len();
            return None;
        };
        let end = self.seen.saturating_add(at);
        let mut line: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(end));
        line.extend(self.buffer.get(..end).unwrap_or_default());
        let rest = self.buffer.get(end.saturating_add(1)..).unwrap_or_default().to_vec();
        let mut next = Zeroizing::new(Vec::with_capacity(ROOM.max(rest.len())));
        next.extend(rest);
        self.buffer = next;
        self.seen = 0;
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(bytes: &[u8]) -> (Vec<Vec<u8>>, Result<(), LineError>) {
        let mut lines = Lines::new(bytes);
        let mut got = Vec::new();
        loop {
            match lines.next().await {
                Ok(Some(line)) => got.push(line.to_vec()),
                Ok(None) => return (got, Ok(())),
                Err(error) => return (got, Err(error)),
            }
        }
    }

    #[tokio::test]
    async fn prd_15_lines_come_one_by_one_and_an_unfinished_one_never() {
        let (lines, end) = all(b"one\n\ntwo\nunfin").await;
        assert_eq!(lines, [b"one".as_slice(), b"", b"two"]);
        assert!(end.is_ok());
    }

    #[tokio::test]
    async fn prd_15_a_line_above_the_limit_is_refused_and_one_at_it_is_read() {
        let mut bytes = vec![b'x'; MAX_LINE];
        bytes.push(b'\n');
        let (lines, end) = all(&bytes).await;
        assert_eq!((lines.len(), end.is_ok()), (1, true));
        let bytes = vec![b'x'; MAX_LINE * 2];
        let (lines, end) = all(&bytes).await;
        assert!(lines.is_empty() && matches!(end, Err(LineError::TooLong)));
    }
}
