//! The programs that are measured.

use anyhow::{Context as _, Result, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// A server that answers at a socket; ended when dropped.
pub(crate) struct Process {
    child: Child,
    pub(crate) socket: PathBuf,
    /// Held open: what a program has no reader for ends it.
    _events: BufReader<ChildStdout>,
}

impl Process {
    /// The mailbox server on the board in `folder`.
    pub(crate) fn mailbox(program: &Path, folder: &Path, mailbox: &[u8; 32]) -> Result<Self> {
        let socket = folder.join("sock");
        let mut command = Command::new(program);
        command
            .args(["serve", "--json", "--onion", &data_encoding::HEXLOWER.encode(mailbox)])
            .arg("--listen")
            .arg(format!("unix:{}", socket.display()))
            .arg("--data")
            .arg(folder);
        Self::start(command, socket)
    }

    /// The plain server that answers from memory.
    pub(crate) fn peer(socket: PathBuf, answers: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("peer").arg(&socket).arg(answers);
        Self::start(command, socket)
    }

    /// Waits for the first line: then it listens.
    fn start(mut command: Command, socket: PathBuf) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let mut events = BufReader::new(child.stdout.take().context("no standard output")?);
        let mut line = String::new();
        events.read_line(&mut line)?;
        let process = Self { child, socket, _events: events };
        if !line.contains("listening") {
            bail!("a server did not start: {line}");
        }
        Ok(process)
    }

    /// Processor time of all its threads, those that have ended too.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // After the name in parentheses: utime and stime are fields 14 and 15, of 100 a second.
        let (_, fields) = stat.rsplit_once(") ").context("a strange /proc")?;
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
        let ticks = ticks.sum::<Result<u64, _>>()?;
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.context("a strange /proc")?.trim().trim_end_matches(" kB");
        Ok(kilobytes.parse::<u64>()? * 1024)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Lets this process and those that it starts have so many descriptors.
pub(crate) fn permit_descriptors(wanted: u64) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|now| now >= wanted) {
        return Ok(());
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
        .with_context(|| format!("{wanted} open files are not permitted here"))
}
