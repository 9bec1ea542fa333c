//! A child of the supervisor: its program, its descriptors, its life and its last words.

use super::restart::Ended;
use crate::fault::{Fault, Outcome};
use command_fds::{CommandFdExt, FdMapping};
use daemon::types::error::ErrorKind;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long a child may take to end when it is asked.
const END: Duration = Duration::from_secs(5);
/// How long its last words may take after its end: something it started may hold the pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Longest line of a child that is passed on, in bytes.
const LINE_MAX: u64 = 2048;

/// A descriptor that a child finds under a fixed number.
pub(super) struct Descriptor {
    pub(super) number: i32,
    pub(super) end: OwnedFd,
}

/// How one life went.
pub(super) enum Life {
    /// It ended by itself.
    Ended(Ended),
    /// It was ended, because everything ends.
    Stopped,
    /// It was ended, so that another takes its place.
    Renewed,
}

/// Says that everything ends.
#[derive(Clone)]
pub(super) struct Stop(pub(super) watch::Receiver<bool>);

impl Stop {
    /// Waits for it; also ends when whoever says so has gone.
    pub(super) async fn wait(&self) {
        // The borrow that comes back must not live on: it holds a lock.
        drop(self.0.clone().wait_for(|stop| *stop).await);
    }
}

/// Counts the starts of the other child, where a start of it must renew this one.
pub(super) struct Renew(pub(super) Option<watch::Receiver<u64>>);

impl Renew {
    /// Forgets the starts so far: who begins now is newer than they are.
    fn forget(&mut self) {
        if let Some(starts) = &mut self.0 {
            starts.mark_unchanged();
        }
    }

    /// Waits for the next start. One that never starts again renews nothing.
    async fn wait(&mut self) {
        let started = match &mut self.0 {
            Some(starts) => starts.changed().await.is_ok(),
            None => false,
        };
        if !started {
            std::future::pending().await
        }
    }
}

/// A program with what it is given; started as often as it takes.
pub(super) struct Program {
    pub(super) name: &'static str,
    path: PathBuf,
    arguments: Vec<OsString>,
    descriptors: Vec<Descriptor>,
}

impl Program {
    pub(super) fn new(name: &'static str, path: &Path) -> Self {
        Self { name, path: path.into(), arguments: Vec::new(), descriptors: Vec::new() }
    }

    pub(super) fn args<T: Into<OsString>>(mut self, more: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(more.into_iter().map(Into::into));
        self
    }

    pub(super) fn passes(mut self, descriptor: Descriptor) -> Self {
        self.descriptors.push(descriptor);
        self
    }

    /// One life: starts the program and waits for its end, or ends it when `stop` or `renew` says so.
    pub(super) async fn live(&self, stop: &Stop, renew: &mut Renew) -> Life {
        let begun = Instant::now();
        renew.forget();
        let mut child = match self.spawn() {
            Ok(child) => child,
            Err(error) => {
                let reason = format!("it could not be started: {error}");
                return Life::Ended(Ended { code: None, reason, lived: begun.elapsed() });
            }
        };
        let words = child.stderr.take().map(|pipe| tokio::spawn(pass_on(self.name, pipe)));
        tokio::select! {
            status = child.wait() => {
                let (code, system) = match status {
                    Ok(status) => (status.code(), status.to_string()),
                    Err(error) => (None, error.to_string()),
                };
                let reason = last_words(words).await.filter(|_| code.is_some()).unwrap_or(system);
                Life::Ended(Ended { code, reason, lived: begun.elapsed() })
            }
            () = stop.wait() => {
                end(&mut child).await;
                drop(last_words(words).await);
                Life::Stopped
            }
            () = renew.wait() => {
                end(&mut child).await;
                drop(last_words(words).await);
                Life::Renewed
            }
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let mappings = self
            .descriptors
            .iter()
            .map(|Descriptor { number, end }| {
                Ok(FdMapping { parent_fd: end.try_clone()?, child_fd: *number })
            })
            .collect::<io::Result<Vec<FdMapping>>>()?;
        let mut command = Command::new(&self.path);
        command
            .args(&self.arguments)
            .env_remove("NOTIFY_SOCKET")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // Ctrl-C in the terminal is the supervisor's business; it ends them in order.
            .process_group(0)
            .fd_mappings(mappings)
            .map_err(io::Error::other)?;
        command.spawn()
    }
}

/// Asks a child to end, waits five seconds, and ends it and what it has started.
async fn end(child: &mut Child) {
    let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw) else {
        return;
    };
    // One that has ended meanwhile cannot be signalled: `wait` finds that out.
    let _ = kill_process(pid, Signal::TERM);
    if timeout(END, child.wait()).await.is_err() {
        let _ = kill_process_group(pid, Signal::KILL);
        let _ = child.wait().await;
    }
}

/// Writes a child's lines to our own log and gives back the last one.
async fn pass_on(name: &'static str, pipe: ChildStderr) -> Option<String> {
    let mut pipe = BufReader::new(pipe);
    let mut last = None;
    loop {
        let mut line = Vec::new();
        match (&mut pipe).take(LINE_MAX).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return last,
            Ok(_) => {}
        }
        let text: String =
            String::from_utf8_lossy(&line).chars().filter(|c| !c.is_control()).collect();
        if !text.trim().is_empty() {
            // When the log is gone the child must not be held up.
            let _ = writeln!(io::stderr().lock(), "{name}: {text}");
            last = Some(text);
        }
    }
}

async fn last_words(words: Option<JoinHandle<Option<String>>>) -> Option<String> {
    timeout(LAST_WORDS, words?).await.ok()?.ok()?
}

/// A program of ours: beside this one, else on the path.
///
/// # Errors
/// When it is nowhere.
pub(crate) fn locate(name: &str) -> Outcome<PathBuf> {
    let beside =
        std::env::current_exe().ok().and_then(|own| own.parent().map(|folder| folder.join(name)));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter(|p| p.is_absolute()).map(|p| p.join(name));
    beside.into_iter().chain(on_path).find(|path| is_program(path)).ok_or_else(|| {
        Fault::new(
            ErrorKind::Internal,
            format!("The program {name} is missing. Nothing was started."),
            "Install it in the same folder as pvtcoms, or in a folder of PATH.",
        )
    })
}

fn is_program(path: &Path) -> bool {
    path.metadata().is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}
