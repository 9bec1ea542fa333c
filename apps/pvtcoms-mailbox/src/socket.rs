//! The Unix socket that the onion service forwards to (BRD-17).

use rustix::fs::Mode;
use std::fs;
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Why the server cannot listen: the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A server answers there.
    #[error("another server listens at {0}")]
    Taken(PathBuf),
    /// Something else lies there.
    #[error("{0} exists and is no socket")]
    NotASocket(PathBuf),
    /// The file system.
    #[error("cannot listen at {path}: {source}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Listens at `path`. A socket that nobody answers at is left from a crash, and replaced.
/// Mode 0600, or 0660 with `group`.
///
/// # Errors
/// [`ListenError`].
pub fn listen(path: &Path, group: bool) -> Result<UnixListener, ListenError> {
    let io = |source| ListenError::Io { path: path.to_owned(), source };
    match fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NotASocket(path.to_owned()));
        }
        Ok(_) => {
            if UnixStream::connect(path).is_ok() {
                return Err(ListenError::Taken(path.to_owned()));
            }
            fs::remove_file(path).map_err(io)?;
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(io(source)),
    }
    // The mask holds from the first moment; no other thread makes files yet.
    let forbidden = if group { 0o117 } else { 0o177 };
    let before = rustix::process::umask(Mode::from_raw_mode(forbidden));
    let listener = UnixListener::bind(path);
    rustix::process::umask(before);
    let listener = listener.map_err(io)?;
    listener.set_nonblocking(true).map_err(io)?;
    Ok(listener)
}
