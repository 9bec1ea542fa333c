//! Looking into another process.

use crate::needles::{HALF, Needles};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The process that is looked into.
pub(crate) struct Subject {
    child: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Subject {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_memory-subject"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let ask = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, ask, answers }
    }

    /// Tells it a line and waits until it has done so.
    pub(crate) fn tell(&mut self, line: &str) {
        writeln!(self.ask, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, "done\n", "{line}");
    }

    /// What of the secrets is in its memory, and where.
    pub(crate) fn found(&self, needles: &Needles) -> Vec<String> {
        let mut found = Vec::new();
        let process = self.child.id();
        let memory = File::open(format!("/proc/{process}/mem")).unwrap();
        for mapping in Mapping::all(process) {
            let mut bytes = vec![0; mapping.len];
            memory.read_exact_at(&mut bytes, mapping.from).unwrap();
            for (at, window) in bytes.windows(HALF).enumerate() {
                if let Some(name) = needles.name(window) {
                    found.push(format!("{name} in {} at {at:#x}", mapping.name));
                }
            }
        }
        found
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Memory that the process can write.
struct Mapping {
    from: u64,
    len: usize,
    name: String,
}

impl Mapping {
    fn all(process: u32) -> Vec<Self> {
        let maps = std::fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
        maps.lines().filter_map(Self::parse).collect()
    }

    /// `from-to rwxp offset device inode name`.
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let writable = fields.next()?.starts_with("rw");
        let (from, to) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(to, 16).ok()?);
        let name = fields.nth(3).unwrap_or("unnamed memory").to_owned();
        writable.then(|| Self { from, len: usize::try_from(to - from).unwrap(), name })
    }
}
