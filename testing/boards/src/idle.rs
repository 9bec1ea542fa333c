//! What an open STREAM that nothing happens on takes.

use crate::process::{Process, permit_descriptors};
use anyhow::Result;
use board::frame::{Request, Window};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

const STREAMS: u64 = 4000;
/// Descriptors that a process needs beside its connections.
const OTHERS: u64 = 96;
/// Memory that is the same so long has settled.
const SETTLES: Duration = Duration::from_millis(500);

/// Lets the server, which is not started yet, have its connections.
pub(crate) fn permit() -> Result<()> {
    permit_descriptors(STREAMS + OTHERS)
}

/// Resident bytes of the server by which each STREAM makes it grow. `digest_len` bytes come at the
/// start of each, and are taken before the next is opened.
pub(crate) fn bytes(server: &Process, digest_len: usize) -> Result<u64> {
    let request = Request::Digest(Window::Stream).encode();
    let mut answer = vec![0; digest_len];
    let mut open = || -> Result<UnixStream> {
        let mut stream = UnixStream::connect(&server.socket)?;
        stream.write_all(&request)?;
        stream.read_exact(&mut answer)?;
        Ok(stream)
    };
    // The first ones start what every server has once: threads, their stacks, the heap.
    let _first = (0..OTHERS / 4).map(|_| open()).collect::<Result<Vec<_>>>()?;
    let before = settled(server)?;
    let streams = (0..STREAMS).map(|_| open()).collect::<Result<Vec<_>>>()?;
    let after = server.resident()?;
    drop(streams);
    Ok(after.saturating_sub(before).div_ceil(STREAMS))
}

/// Resident bytes when they have stopped to change: the server takes in its newest pages first.
fn settled(server: &Process) -> Result<u64> {
    let mut before = 0;
    loop {
        let now = server.resident()?;
        if now == before {
            return Ok(now);
        }
        before = now;
        std::thread::sleep(SETTLES);
    }
}
