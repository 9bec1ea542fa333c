//! The clients: one connection an operation, as the protocol wants it (BRD-11, BRD-12).

use anyhow::{Result, bail};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

const STACK: usize = 64 << 10;

/// A request and how long its answer is.
pub(crate) struct Asked {
    pub(crate) request: Vec<u8>,
    pub(crate) answer_len: usize,
}

/// Asks everything, so many at a time; gives operations a second.
///
/// The clients are threads that block: the cheapest there are, since they share the processors with
/// what is measured.
pub(crate) fn rate(socket: &Path, asked: &[Asked], at_once: usize) -> Result<f64> {
    let next = AtomicUsize::new(0);
    let client = || -> Result<()> {
        let mut answer = Vec::new();
        while let Some(asked) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
            answer.clear();
            exchange(socket, &asked.request, &mut answer)?;
            if answer.len() != asked.answer_len {
                bail!("an answer of {} bytes, {} expected", answer.len(), asked.answer_len);
            }
        }
        Ok(())
    };
    let start = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..at_once)
            .map(|_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, client))
            .collect::<Result<_, _>>()?;
        clients.into_iter().try_for_each(|client| client.join().unwrap())
    })?;
    // A count of operations is far below 2^32.
    let operations = f64::from(u32::try_from(asked.len())?);
    Ok(operations / start.elapsed().as_secs_f64())
}

/// Sends bytes and appends what comes until the server closes.
pub(crate) fn exchange(socket: &Path, request: &[u8], answer: &mut Vec<u8>) -> Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(request)?;
    stream.read_to_end(answer)?;
    Ok(())
}
