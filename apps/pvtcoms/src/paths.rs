//! Where a profile's files are (PRD-16).

use crate::fault::{Fault, Outcome};
use std::fs::{DirBuilder, Metadata};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Longest path of a Unix socket, in bytes, without its closing zero.
const SOCKET_PATH_MAX: usize = 107;

/// The folders of one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Paths {
    /// Name of the profile.
    pub(crate) profile: String,
    /// The database and what is remembered with it.
    pub(crate) data: PathBuf,
    /// Logs, and Tor's guards below `tor`.
    pub(crate) state: PathBuf,
    /// Tor's directory.
    pub(crate) cache: PathBuf,
    /// Socket and pid file.
    pub(crate) run: PathBuf,
}

impl Paths {
    /// The folders of `profile` in this environment.
    pub(crate) fn new(profile: &str) -> Outcome<Self> {
        Self::with(profile, |name| std::env::var_os(name).map(PathBuf::from))
    }

    fn with(profile: &str, env: impl Fn(&str) -> Option<PathBuf>) -> Outcome<Self> {
        check_name(profile)?;
        // The XDG specification: a relative path counts as unset.
        let absolute = |name: &str| env(name).filter(|path| path.is_absolute());
        let base = |name: &str, below: &str| {
            absolute(name).or_else(|| absolute("HOME").map(|home| home.join(below))).ok_or_else(
                || {
                    Fault::storage(
                        "There is no home folder to keep the profile in. Nothing was done.",
                        format!("Set HOME, or {name} to an absolute path."),
                    )
                },
            )
        };
        let own = |path: PathBuf| path.join("pvtcoms").join(profile);
        let state = own(base("XDG_STATE_HOME", ".local/state")?);
        // The run folder is made by the login; where there is none, the state path serves.
        let run = absolute("XDG_RUNTIME_DIR")
            .filter(|path| path.is_dir())
            .map_or_else(|| state.join("run"), own);
        Ok(Self {
            profile: profile.to_owned(),
            data: own(base("XDG_DATA_HOME", ".local/share")?),
            cache: own(base("XDG_CACHE_HOME", ".cache")?),
            state,
            run,
        })
    }

    /// The RPC's socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.run.join("rpc.sock")
    }

    /// The supervisor's pid; locked while it lives.
    pub(crate) fn pid(&self) -> PathBuf {
        self.run.join("pid")
    }

    /// Why a program was given up.
    pub(crate) fn fault(&self) -> PathBuf {
        self.run.join("fault")
    }

    /// What a supervisor in the background has said.
    pub(crate) fn log(&self) -> PathBuf {
        self.state.join("daemon.log")
    }

    /// The private network of this profile, if it is bound to one (TOR-31).
    pub(crate) fn network(&self) -> PathBuf {
        self.data.join("network.json")
    }

    /// How this profile reaches Tor.
    pub(crate) fn gate(&self) -> PathBuf {
        self.data.join("gate.json")
    }

    /// Whether an identity was made here: the key slots are the first file that it leaves.
    pub(crate) fn has_profile(&self) -> bool {
        self.data.join("slots.bin").exists()
    }

    /// Makes the folders that are missing and checks all of them.
    pub(crate) fn prepare(&self) -> Outcome {
        self.check_socket()?;
        for folder in self.folders() {
            private_folder(folder)?;
        }
        Ok(())
    }

    /// The four folders.
    pub(crate) fn folders(&self) -> [&Path; 4] {
        [&self.data, &self.state, &self.cache, &self.run]
    }

    /// The system's limit on the length of the socket's path.
    pub(crate) fn check_socket(&self) -> Outcome {
        let length = self.socket().as_os_str().len();
        if length > SOCKET_PATH_MAX {
            return Err(Fault::storage(
                format!(
                    "The path of the socket would be {length} bytes long, and the system allows \
                     {SOCKET_PATH_MAX}. Nothing was started."
                ),
                "Set XDG_RUNTIME_DIR to a shorter folder, or choose a shorter --profile.",
            ));
        }
        Ok(())
    }
}

/// A profile's name is a folder's name and stands in a program's arguments.
fn check_name(name: &str) -> Outcome {
    let fits = (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        && !name.starts_with(['.', '-']);
    if fits {
        return Ok(());
    }
    Err(Fault::wrong_use(
        "This is no name for a profile. Nothing was done.",
        "Use 1 to 32 letters, digits, '-', '_' or '.', not starting with '.' or '-'.",
    ))
}

/// Makes `folder` with mode 0700, or checks that it is one: ours, and closed to everybody else.
fn private_folder(folder: &Path) -> Outcome {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    let facts = made.and_then(|()| std::fs::symlink_metadata(folder)).map_err(|error| {
        Fault::storage(
            format!("The folder {} cannot be used: {error}. Nothing was done.", folder.display()),
            "Make it writable for you, or point its XDG variable elsewhere.",
        )
    })?;
    complaint(&facts).map_or(Ok(()), |(what, next)| {
        Err(Fault::storage(
            format!("The folder {} {what}. Nothing was done.", folder.display()),
            next.replace("FOLDER", &folder.display().to_string()),
        ))
    })
}

/// What is wrong with a folder that must be private, and what to do.
pub(crate) fn complaint(facts: &Metadata) -> Option<(&'static str, &'static str)> {
    if !facts.is_dir() {
        return Some(("is no folder", "Move aside what is there: FOLDER"));
    }
    if facts.uid() != rustix::process::getuid().as_raw() {
        return Some(("belongs to somebody else", "Run pvtcoms as the user who made the profile."));
    }
    if facts.mode() & 0o077 != 0 {
        return Some(("is open to other users", "chmod 700 FOLDER"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn env<'a>(set: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<PathBuf> + 'a {
        |name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| PathBuf::from(value))
    }

    #[test]
    fn prd_16_folders_follow_xdg_and_ignore_relative_ones() {
        let set = [("HOME", "/home/u"), ("XDG_DATA_HOME", "/d"), ("XDG_STATE_HOME", "rel")];
        let paths = Paths::with("p", env(&set)).expect("paths");
        assert_eq!(paths.data, Path::new("/d/pvtcoms/p"));
        assert_eq!(paths.state, Path::new("/home/u/.local/state/pvtcoms/p"));
        assert_eq!(paths.cache, Path::new("/home/u/.cache/pvtcoms/p"));
        assert_eq!(paths.run, Path::new("/home/u/.local/state/pvtcoms/p/run"));
        let run = tempfile::tempdir().expect("folder");
        let dir = run.path().to_str().expect("utf-8");
        let set = [("HOME", "/home/u"), ("XDG_RUNTIME_DIR", dir)];
        let paths = Paths::with("p", env(&set)).expect("paths");
        assert_eq!(paths.socket(), run.path().join("pvtcoms/p/rpc.sock"));
        assert!(Paths::with("p", env(&[])).is_err(), "no home, no place");
    }

    #[test]
    fn profile_names_cannot_leave_their_folder() {
        for good in ["default", "a", "A-b_c.d"] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", ".a", "-a", "a/b", "a b", "\u{e4}", &"x".repeat(33)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn prd_16_an_open_folder_is_refused_and_a_missing_one_is_made_closed() {
        let base = tempfile::tempdir().expect("folder");
        let made = base.path().join("a/b");
        private_folder(&made).expect("is made");
        let mode = std::fs::metadata(&made).expect("facts").mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o750)).expect("chmod");
        let fault = private_folder(&made).expect_err("is refused");
        assert!(fault.is(daemon::types::error::ErrorKind::Storage));
        assert!(fault.failure().hint.starts_with("chmod 700 /"));
    }

    #[test]
    fn a_socket_path_that_is_too_long_is_named() {
        let long = format!("/{}", "x".repeat(120));
        let set = [("HOME", long.as_str())];
        let fault = Paths::with("p", env(&set)).and_then(|p| p.check_socket()).expect_err("long");
        assert!(fault.failure().message.contains("107"));
    }
}
