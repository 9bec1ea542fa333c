//! Ready means ready (TOR-27): each stage has its own limit and its own error.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::process::TorProcess;
use crate::{Error, RELAYS};

const CONSENSUS: Duration = Duration::from_secs(120);
const BOOTSTRAP: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// A relay that has loaded enough of the directory to build circuits.
const ENOUGH: u8 = 75;

pub(super) fn wait(
    processes: &mut [TorProcess],
    dir_port: u16,
    cancel: &AtomicBool,
    progress: &mut impl FnMut(&str),
) -> Result<(), Error> {
    progress("waiting for the first consensus of the authorities");
    poll(
        processes,
        cancel,
        "a consensus that lists six relays",
        CONSENSUS,
        |_| match listed_relays(dir_port) {
            Ok(listed) if listed >= usize::from(RELAYS) => Ok(()),
            Ok(listed) => Err(format!("{listed} relays are listed")),
            Err(error) => Err(format!("no consensus: {error}")),
        },
    )?;
    progress("waiting for the relays to load the directory");
    poll(processes, cancel, "every relay bootstrapped", BOOTSTRAP, |processes| {
        let least = processes.iter().map(TorProcess::bootstrapped).min().unwrap_or(0);
        if least >= ENOUGH { Ok(()) } else { Err(format!("one relay is at {least} %")) }
    })
}

/// Asks again and again until `check` is content, every process being alive all the time.
fn poll(
    processes: &mut [TorProcess],
    cancel: &AtomicBool,
    stage: &'static str,
    limit: Duration,
    mut check: impl FnMut(&[TorProcess]) -> Result<(), String>,
) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::Cancelled);
        }
        for process in processes.iter_mut() {
            process.check_alive()?;
        }
        match check(processes) {
            Ok(()) => return Ok(()),
            Err(detail) if start.elapsed() > limit => {
                return Err(Error::Slow { stage, limit, detail });
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Counts the relays of the consensus that an authority serves.
#[expect(clippy::disallowed_methods, reason = "asks a directory authority on loopback")]
fn listed_relays(dir_port: u16) -> io::Result<usize> {
    let patience = Duration::from_secs(2);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, dir_port));
    let mut stream = TcpStream::connect_timeout(&address, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(b"GET /tor/status-vote/current/consensus-microdesc HTTP/1.0\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(1 << 20).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().filter(|line| line.starts_with("r ")).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_27_what_is_not_ready_in_time_is_named() {
        let never = AtomicBool::new(false);
        let limit = Duration::from_millis(120);
        let mut asked = 0;
        let error = poll(&mut [], &never, "a stage", limit, |_| {
            asked += 1;
            Err(format!("look {asked}"))
        });
        let words = error.unwrap_err().to_string();
        assert!(asked > 1 && words.contains("a stage") && words.contains("look"), "{words}");
        // Controls: content at once, and given up.
        assert!(poll(&mut [], &never, "a stage", limit, |_| Ok(())).is_ok());
        let given_up = AtomicBool::new(true);
        let error = poll(&mut [], &given_up, "a stage", limit, |_| Ok(()));
        assert!(matches!(error, Err(Error::Cancelled)));
    }

    #[test]
    fn tor_27_a_process_that_ended_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let dead = TorProcess::start("dead", dir.path(), "NoSuchOption 1\n").unwrap();
        let never = AtomicBool::new(false);
        let limit = Duration::from_secs(60);
        let error = poll(&mut [dead], &never, "a stage", limit, |_| Err(String::new()));
        assert!(matches!(error, Err(Error::Died { name, .. }) if name == "dead"));
    }
}
