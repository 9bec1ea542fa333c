//! Another process that holds the database's write lock, as a backup program might.

use nix::fcntl::{FcntlArg, fcntl};
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Where SQLite's write lock lies in the `-shm` file (its file format documentation, 2.3.1).
const WRITE_LOCK: i64 = 120;
const READY: &str = "the write lock is held";

/// Held until it is dropped.
pub(crate) struct WriteLock(Child);

impl WriteLock {
    pub(crate) fn take(profile: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "it::lock::child_that_holds_the_write_lock"])
            .arg("--nocapture")
            .env("DAEMON_TEST_SHM", profile.join("pvtcoms.db-shm"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains(READY)), "the child ends before it");
        std::thread::spawn(move || lines.count());
        Self(child)
    }
}

impl Drop for WriteLock {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

#[test]
#[ignore = "in a process of its own, by the tests of storage"]
fn child_that_holds_the_write_lock() {
    let path = std::env::var_os("DAEMON_TEST_SHM").unwrap();
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let lock = nix::libc::flock {
        l_type: nix::libc::F_WRLCK.try_into().unwrap(),
        l_whence: nix::libc::SEEK_SET.try_into().unwrap(),
        l_start: WRITE_LOCK,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(&file, FcntlArg::F_SETLKW(&lock)).unwrap();
    println!("{READY}");
    let _ = std::io::stdin().read(&mut [0]);
}
