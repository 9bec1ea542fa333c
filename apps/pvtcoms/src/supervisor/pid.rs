//! The pid file: a lock that says whether a supervisor runs, and which process it is.

use crate::fault::{Fault, Outcome};
use crate::paths::Paths;
use daemon::types::error::ErrorKind;
use rustix::fs::{FlockOperation, flock};
use rustix::process::Pid;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the lock is tried.
const TRIES: u32 = 5;
/// Pause between two tries.
const MOMENT: Duration = Duration::from_millis(20);

/// Held while the supervisor lives; the lock ends with the process, however it ends.
pub(crate) struct PidFile {
    file: File,
    path: PathBuf,
}

impl PidFile {
    /// Takes the profile for this process.
    ///
    /// # Errors
    /// When another supervisor has it.
    pub(crate) fn take(paths: &Paths) -> Outcome<Self> {
        let path = paths.pid();
        let mut file = loop {
            let file = open(&path).map_err(|error| unusable(&path, &error))?;
            if !locks(&file) {
                return Err(Fault::new(
                    ErrorKind::WrongUse,
                    format!(
                        "The service of profile \"{}\" runs already{}. Nothing was started.",
                        paths.profile,
                        number(&file).map(|n| format!(" (process {n})")).unwrap_or_default()
                    ),
                    "Use it, or end it with `pvtcoms stop`.",
                ));
            }
            // Its last owner may have removed the file between opening and locking it.
            if same(&file, &path) {
                break file;
            }
        };
        file.set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(|error| unusable(&path, &error))?;
        Ok(Self { file, path })
    }

    /// The process that has the profile, if one has.
    pub(crate) fn holder(paths: &Paths) -> Outcome<Option<Pid>> {
        let path = paths.pid();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&path, &error)),
        };
        if flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            return Ok(None);
        }
        // Locked and not written yet: it is just starting.
        Ok(number(&file).and_then(Pid::from_raw))
    }

    /// Leaves the terminal and empties the log that standard error goes to.
    pub(crate) fn leave_terminal(&self, paths: &Paths) -> Outcome {
        // A session of its own: closing the terminal does not end it. Fails only for a process
        // that leads a group, and then it has left already.
        let _ = rustix::process::setsid();
        OpenOptions::new()
            .write(true)
            .open(paths.log())
            .and_then(|log| log.set_len(0))
            .map_err(|error| unusable(&paths.log(), &error))
    }

    /// Removes the file, then gives the profile free.
    pub(crate) fn remove(self) {
        // A file that is gone already is what is wanted.
        let _ = std::fs::remove_file(&self.path);
        drop(self.file);
    }
}

/// Takes the lock. Tried again for a moment: who asks for the holder has it for that long.
fn locks(file: &File) -> bool {
    (0..TRIES).any(|turn| {
        if turn > 0 {
            std::thread::sleep(MOMENT);
        }
        flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
    })
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn same(file: &File, path: &Path) -> bool {
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn number(mut file: &File) -> Option<i32> {
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn unusable(path: &Path, error: &io::Error) -> Fault {
    Fault::storage(
        format!("{} cannot be used: {error}. Nothing was done.", path.display()),
        "Check the folder and its permissions.",
    )
}
