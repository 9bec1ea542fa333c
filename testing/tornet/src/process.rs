//! One `tor` process.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::keys::remove;
use crate::{Error, Net, torrc};

/// How long a process has to end by itself (TOR-29).
const PATIENCE: Duration = Duration::from_secs(5);

/// A running `tor`, ended when dropped.
pub struct TorProcess {
    name: String,
    dir: PathBuf,
    child: Child,
}

/// Finds the program `tor`; Debian puts it where users do not look.
///
/// # Errors
/// [`Error::Missing`] (TOR-30).
pub fn tor_binary() -> Result<PathBuf, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    tor_in(std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]))
}

fn tor_in(folders: impl Iterator<Item = PathBuf>) -> Result<PathBuf, Error> {
    folders
        .map(|dir| dir.join("tor"))
        .find(|file| file.is_file())
        .ok_or(Error::Missing { program: "tor" })
}

impl TorProcess {
    /// Starts a C tor client or onion service in the network `net`, with its own `extra` torrc
    /// lines, in the fresh folder `dir`.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::File`].
    pub fn client(net: &Net, dir: &Path, extra: &str) -> Result<Self, Error> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(Error::file(dir))?;
        let mut torrc = torrc::client(dir, &net.dir_authorities, std::process::id());
        torrc.push_str(extra);
        Self::start("client", dir, &torrc)
    }

    pub(crate) fn start(name: &str, dir: &Path, torrc: &str) -> Result<Self, Error> {
        let (file, empty) = (dir.join("torrc"), dir.join("empty"));
        fs::write(&file, torrc).map_err(Error::file(&file))?;
        // Debian's defaults must not be merged.
        fs::write(&empty, "").map_err(Error::file(&empty))?;
        remove(&dir.join("notice.log"))?;
        Ok(Self { name: name.to_owned(), dir: dir.to_owned(), child: spawn(dir)? })
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be signalled.
    pub fn kill_9(&mut self) -> Result<(), Error> {
        let gone = self.child.kill().and_then(|()| self.child.wait());
        gone.map(drop).map_err(Error::file(&self.dir))
    }

    /// Starts it again after its end, with the keys and the configuration that it had.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::File`].
    pub fn restart(&mut self) -> Result<(), Error> {
        self.child = spawn(&self.dir)?;
        Ok(())
    }

    /// Its process number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("notice.log")).unwrap_or_default()
    }

    /// The last percentage that it has logged as bootstrapped.
    #[must_use]
    pub fn bootstrapped(&self) -> u8 {
        let log = self.log();
        let percent =
            |line: &str| line.split_once("Bootstrapped ")?.1.split_once('%')?.0.parse().ok();
        log.lines().filter_map(percent).next_back().unwrap_or(0)
    }

    /// Checks that it has not ended by itself.
    ///
    /// # Errors
    /// [`Error::Died`] with the end of its log.
    pub fn check_alive(&mut self) -> Result<(), Error> {
        if let Ok(None) = self.child.try_wait() {
            return Ok(());
        }
        let output = fs::read_to_string(self.dir.join("output")).unwrap_or_default();
        let log = self.log();
        let log = if log.is_empty() { output } else { log };
        let tail: Vec<_> = log.lines().rev().take(8).collect();
        let log = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
        Err(Error::Died { name: self.name.clone(), log })
    }

    /// Asks it to end, without waiting.
    pub(crate) fn ask_to_end(&self) {
        let _ = rustix::process::kill_process(Pid::from_child(&self.child), Signal::TERM); // or it has ended
    }

    fn end(&mut self) {
        self.ask_to_end();
        let until = Instant::now().checked_add(PATIENCE);
        while let Ok(None) = self.child.try_wait() {
            if until.is_none_or(|until| Instant::now() > until) {
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Runs `tor` with what [`TorProcess::start`] has written into `dir`.
fn spawn(dir: &Path) -> Result<Child, Error> {
    let output = dir.join("output");
    let log = fs::File::create(&output).map_err(Error::file(&output))?;
    Command::new(tor_binary()?)
        .arg("--defaults-torrc")
        .arg(dir.join("empty"))
        .arg("-f")
        .arg(dir.join("torrc"))
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(Stdio::null())
        .process_group(0) // Ctrl-C reaches the owner alone, which then ends them in order
        .spawn()
        .map_err(|_| Error::Missing { program: "tor" })
}

impl Drop for TorProcess {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tor_30_without_tor_it_fails_and_says_what_to_install() {
        let error = tor_in(["/nonexistent".into()].into_iter()).unwrap_err();
        assert!(error.to_string().contains("apt"), "{error}");
        assert!(tor_binary().is_ok(), "control: where these tests run there is one");
    }
}
