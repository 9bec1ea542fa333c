//! A hostile mailbox: it stands between the onion service and the real server, and spoils answers.

use anyhow::Result;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes of a PUT request (BRD-11), and of every other.
const PUT: usize = 4160;
const SHORT: usize = 64;

/// How often each kind of harm was done.
#[derive(Default)]
pub struct Harm {
    /// Answers with one bit flipped.
    pub flipped: AtomicU64,
    /// Answers withheld after the server had done its work.
    pub withheld: AtomicU64,
    /// Answers exchanged for an older one of the same length.
    pub replayed: AtomicU64,
    /// Deposits made twice.
    pub doubled: AtomicU64,
    /// Answers cut short.
    pub cut: AtomicU64,
}

impl Harm {
    /// The five counts.
    #[must_use]
    pub fn counts(&self) -> [u64; 5] {
        [&self.flipped, &self.withheld, &self.replayed, &self.doubled, &self.cut]
            .map(|count| count.load(Ordering::Relaxed))
    }
}

/// What is kept for replays, by length.
type Older = Arc<Mutex<Vec<Vec<u8>>>>;

/// Listens at `listen` and spoils what the server at `to` answers: every third operation, so that five
/// tries in a row hardly ever fail; what they leave waits for a slot.
///
/// # Errors
/// If the socket cannot be made.
pub(crate) fn hostile(listen: &Path, to: PathBuf) -> Result<Arc<Harm>> {
    let listener = UnixListener::bind(listen)?;
    let harm = Arc::new(Harm::default());
    let shared = Arc::clone(&harm);
    let older = Older::default();
    thread::spawn(move || {
        for (number, client) in (0_u64..).zip(listener.incoming().map_while(Result::ok)) {
            let (to, harm, older) = (to.clone(), Arc::clone(&shared), Arc::clone(&older));
            thread::spawn(move || {
                // A client or server that goes away ends this connection and nothing else.
                let _ = serve(client, &to, number, &harm, &older);
            });
        }
    });
    Ok(harm)
}

fn serve(
    mut client: UnixStream,
    to: &Path,
    number: u64,
    harm: &Harm,
    older: &Older,
) -> std::io::Result<()> {
    let mut request = vec![0; SHORT];
    client.read_exact(&mut request)?;
    let put = request.get(1) == Some(&1);
    let stream = request.get(1) == Some(&2) && request.get(2) == Some(&0);
    if put {
        request.resize(PUT, 0);
        client.read_exact(request.get_mut(SHORT..).unwrap_or_default())?;
    }
    let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
    if put && number % 6 == 1 {
        count(&harm.doubled);
        ask(to, &request)?.read_to_end(&mut Vec::new())?;
    }
    let mut server = ask(to, &request)?;
    if stream {
        return pass_stream(client, server, number, harm);
    }
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let honest = answer.clone();
    match number % 12 {
        0 if !answer.is_empty() => {
            count(&harm.flipped);
            let at = usize::try_from(number.wrapping_mul(7919)).unwrap_or(0) % answer.len();
            answer[at] ^= 1 << (number % 8);
        }
        3 => {
            count(&harm.withheld);
            answer.clear();
        }
        6 => {
            let kept = older.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(old) = kept.iter().find(|old| old.len() == answer.len()) {
                count(&harm.replayed);
                answer.clone_from(old);
            }
        }
        9 => {
            count(&harm.cut);
            answer.truncate(answer.len() / 2);
        }
        _ => {}
    }
    let mut kept = older.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() < 64 {
        kept.push(honest);
    }
    drop(kept);
    client.write_all(&answer)
}

fn ask(to: &Path, request: &[u8]) -> std::io::Result<UnixStream> {
    let mut server = UnixStream::connect(to)?;
    server.write_all(request)?;
    Ok(server)
}

/// Streams are passed on; every third one is spoilt after its first page.
fn pass_stream(
    mut client: UnixStream,
    mut server: UnixStream,
    number: u64,
    harm: &Harm,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    let mut passed = 0_usize;
    loop {
        let got = server.read(&mut buffer)?;
        if got == 0 {
            return Ok(());
        }
        if number.is_multiple_of(3) && passed > 2048 {
            harm.flipped.fetch_add(1, Ordering::Relaxed);
            buffer[got / 2] ^= 0x20;
            client.write_all(&buffer[..got])?;
            return Ok(());
        }
        client.write_all(&buffer[..got])?;
        passed += got;
    }
}
