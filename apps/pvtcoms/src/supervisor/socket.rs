//! The RPC's listener: a Unix socket that only its owner can open.

use crate::fault::{Fault, Outcome};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the core of a supervisor that was killed may take to notice.
const LEAVE: Duration = Duration::from_secs(5);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// Listens at `path`. A socket that nobody answers at is removed first; the folder is 0700, so
/// nobody else can have opened it before its mode is set.
pub(super) fn listen(path: &Path) -> Outcome<UnixListener> {
    remove_stale(path)?;
    let listen = || -> io::Result<UnixListener> {
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    listen().map_err(|error| {
        Fault::storage(
            format!("No socket can be made at {}: {error}. Nothing was started.", path.display()),
            "Check the folder, or set XDG_RUNTIME_DIR to another.",
        )
    })
}

fn remove_stale(path: &Path) -> Outcome {
    let facts = match std::fs::symlink_metadata(path) {
        Ok(facts) => facts,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path, &error.to_string())),
    };
    if !facts.file_type().is_socket() {
        return Err(unusable(path, "it is no socket"));
    }
    let deadline = Instant::now().checked_add(LEAVE);
    while UnixStream::connect(path).is_ok() {
        if deadline.is_some_and(|deadline| Instant::now() > deadline) {
            return Err(Fault::storage(
                format!("Somebody else answers at {}. Nothing was started.", path.display()),
                "End that program; `pvtcoms stop` ends a service of this profile.",
            ));
        }
        std::thread::sleep(LOOK);
    }
    std::fs::remove_file(path).map_err(|error| unusable(path, &error.to_string()))
}

fn unusable(path: &Path, why: &str) -> Fault {
    Fault::storage(
        format!("{} is in the way: {why}. Nothing was started.", path.display()),
        "Move it aside.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_socket_is_replaced_and_the_new_one_is_private() {
        let base = tempfile::tempdir().expect("folder");
        let path = base.path().join("rpc.sock");
        drop(UnixListener::bind(&path).expect("binds"));
        assert!(path.exists(), "a socket outlives its listener");
        let listener = listen(&path).expect("replaces it");
        let mode = std::fs::metadata(&path).expect("facts").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(listener);
    }

    #[test]
    fn what_is_no_socket_is_not_removed() {
        let base = tempfile::tempdir().expect("folder");
        let path = base.path().join("rpc.sock");
        std::fs::write(&path, "precious").expect("writes");
        assert!(listen(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).expect("is there"), "precious");
    }

    #[test]
    fn a_socket_that_answers_is_left_alone() {
        let base = tempfile::tempdir().expect("folder");
        let path = base.path().join("rpc.sock");
        let theirs = UnixListener::bind(&path).expect("binds");
        let fault = listen(&path).expect_err("is refused");
        assert!(fault.failure().message.contains("answers"));
        drop(theirs);
        assert!(path.exists());
    }
}
