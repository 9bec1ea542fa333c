use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why there is no private network.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The package is missing (TOR-30).
    #[error("the program `{program}` is not installed: sudo apt-get install tor")]
    Missing {
        /// The program that was looked for.
        program: &'static str,
    },
    /// A program of the package did not do what it was asked.
    #[error("`{program}` failed: {detail}")]
    Program {
        /// The program.
        program: &'static str,
        /// What it said.
        detail: String,
    },
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not contain what it should.
    #[error("{}: not understood", path.display())]
    Format {
        /// The file.
        path: PathBuf,
    },
    /// Every block of ports is taken (TOR-26).
    #[error("every block of ports from 20000 on is taken; end an older network first")]
    NoPorts,
    /// A process of the network ended by itself.
    #[error("tor process {name} ended by itself; the end of its log:\n{log}")]
    Died {
        /// Its name.
        name: String,
        /// The end of its log.
        log: String,
    },
    /// A stage of the start took too long (TOR-27).
    #[error("the network did not reach \"{stage}\" within {} s: {detail}", limit.as_secs())]
    Slow {
        /// What was waited for.
        stage: &'static str,
        /// For how long.
        limit: Duration,
        /// What was there instead.
        detail: String,
    },
    /// The caller gave up.
    #[error("given up")]
    Cancelled,
}

impl Error {
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
