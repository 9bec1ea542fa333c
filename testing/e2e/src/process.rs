//! Programs as children that end when they are dropped.

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The programs that people install.
pub const PROGRAMS: [&str; 4] = ["pvtcoms", "pvtcomsd", "pvtcoms-tor", "pvtcoms-mailbox"];

/// Where [`use_programs_of`] says that they lie.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

/// Takes the programs of `folder` from here on, whatever the environment says. The first call counts.
pub fn use_programs_of(folder: &Path) {
    FOLDER.get_or_init(|| folder.to_owned());
}

/// Where the programs lie: `PVTCOMS_BIN_DIR`, or the folder of this program.
///
/// # Errors
/// If they were not built.
pub fn programs() -> Result<PathBuf> {
    let told = FOLDER.get().cloned();
    let folder = match told.or_else(|| std::env::var_os("PVTCOMS_BIN_DIR").map(PathBuf::from)) {
        Some(folder) => folder,
        None => {
            let own = std::env::current_exe().context("this program has no path")?;
            let folder = own.parent().context("this program has no folder")?;
            let tests = folder.file_name().is_some_and(|name| name == "deps");
            folder.parent().filter(|_| tests).unwrap_or(folder).to_owned()
        }
    };
    for name in PROGRAMS {
        if !folder.join(name).is_file() {
            bail!("{name} is not in {}: run `cargo build --workspace` first", folder.display());
        }
    }
    Ok(folder)
}

/// A program that runs in a process group of its own and ends with this value.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts a program.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("{:?} does not start", command.get_program()))?;
        Ok(Self { child })
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it as `kill -9` does.
    pub fn kill_9(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // The group may hold children of its own; a group that is gone is no fault.
            let _ = kill_process_group(pid, signal).or_else(|_| kill_process(pid, signal));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.signal(Signal::TERM);
            let deadline = Instant::now() + Duration::from_secs(6);
            while self.ended().is_none() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Set by Ctrl-C: whoever waits stops waiting, and everything that was started ends.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes every wait end with an error from here on.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// Whether [`interrupt`] was called.
#[must_use]
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Looks again and again until `look` finds something.
///
/// # Errors
/// If nothing was found in time (names what was waited for), or after [`interrupt`].
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if interrupted() {
            bail!("interrupted");
        }
        if Instant::now() >= deadline {
            bail!("waited {} s for {what}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Resident memory of a process in bytes; 0 if it is gone.
#[must_use]
pub fn resident_bytes(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or(0).saturating_mul(1024)
}

/// Makes a folder that only its owner can read.
pub(crate) fn private_folder(path: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}
