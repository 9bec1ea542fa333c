//! The programs under test, as child processes.

use std::io::{BufRead, BufReader};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use gate::{GateClient, GateStatus, Stage};
use rustix::io::FdFlags;
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, sockopt};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(90);

/// The port of the mailbox.
pub(crate) const PORT: u16 = 7701;

pub(crate) fn program(name: &str) -> PathBuf {
    let dir = std::env::var_os("PVTCOMS_BIN_DIR").map_or_else(
        || std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned(),
        PathBuf::from,
    );
    let path = dir.join(name);
    assert!(path.is_file(), "{} is missing: cargo build -p pvtcoms-tor", path.display());
    path
}

/// A private folder: Arti refuses state below one that others can write, and the check stays on.
pub(crate) fn folder() -> tempfile::TempDir {
    let parent = program("tornet").parent().unwrap().join("tornet-tests");
    std::fs::create_dir_all(&parent).unwrap();
    let private = std::fs::Permissions::from_mode(0o700);
    tempfile::Builder::new().permissions(private).tempdir_in(parent).unwrap()
}

/// A token that nothing else has.
pub(crate) fn token() -> [u8; 16] {
    let mut token = [0; 16];
    getrandom::fill(&mut token).unwrap();
    token
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `pvtcoms-tor client`, with the core's end and a supervisor's copy of the gate's end.
pub(crate) struct Gate {
    pub(crate) core: GateClient,
    end: OwnedFd,
    args: Vec<String>,
    child: Ended,
    _dir: tempfile::TempDir,
}

impl Gate {
    pub(crate) fn start(extra: &[&str]) -> Self {
        let (core, end) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )
        .unwrap();
        let dir = folder();
        let path = |name: &str| dir.path().join(name).display().to_string();
        let mut args = vec!["client".to_owned(), "--fd".to_owned(), end.as_raw_fd().to_string()];
        args.extend(["--state".to_owned(), path("state"), "--cache".to_owned(), path("cache")]);
        args.extend(extra.iter().map(|arg| (*arg).to_owned()));
        let child = Self::spawn(&end, &args);
        Self { core: GateClient::new(core).unwrap(), end, args, child, _dir: dir }
    }

    pub(crate) fn in_network(net_json: &Path) -> Self {
        Self::start(&["--network", net_json.to_str().unwrap()])
    }

    fn spawn(end: &OwnedFd, args: &[String]) -> Ended {
        rustix::io::fcntl_setfd(end, FdFlags::empty()).unwrap();
        let child = Command::new(program("pvtcoms-tor")).args(args).stdin(Stdio::null()).spawn();
        rustix::io::fcntl_setfd(end, FdFlags::CLOEXEC).unwrap();
        Ended(child.unwrap())
    }

    /// Starts a second program with the same state directory; gives its exit code and its words.
    pub(crate) fn second(&self) -> (Option<i32>, String) {
        let (_, end) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::empty(),
            None,
        )
        .unwrap();
        let mut args = self.args.clone();
        args[2] = end.as_raw_fd().to_string();
        let done = Command::new(program("pvtcoms-tor")).args(args).output().unwrap();
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    }

    /// Kills it and waits for its end.
    pub(crate) fn kill(&mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    /// Cuts its connections to the network, as a router that loses its state does; gives how many.
    pub(crate) fn cut(&self) -> usize {
        let process = Pid::from_child(&self.child.0);
        let handle = pidfd_open(process, PidfdFlags::empty()).unwrap();
        let open = format!("/proc/{}/fd", process.as_raw_nonzero());
        let numbers = std::fs::read_dir(open).unwrap();
        let numbers = numbers.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
        let sockets = numbers.filter_map(|number| {
            let socket = pidfd_getfd(&handle, number, PidfdGetfdFlags::empty()).ok()?;
            (sockopt::socket_domain(&socket) == Ok(AddressFamily::INET)).then_some(socket)
        });
        sockets.filter(|socket| rustix::net::shutdown(socket, Shutdown::Both).is_ok()).count()
    }

    /// Puts a new process in the dead one's place.
    pub(crate) fn restart(&mut self) {
        self.child = Self::spawn(&self.end, &self.args);
    }

    pub(crate) async fn ready(&self) -> GateStatus {
        let mut status = self.core.status();
        let ready = |s: &GateStatus| matches!(s.stage, Stage::Ready | Stage::Waiting);
        *tokio::time::timeout(LONG, status.wait_for(ready)).await.unwrap().unwrap()
    }

    /// Sends bytes to an echoing onion service, and checks that they come back.
    pub(crate) async fn echo(&self, key: [u8; 32]) {
        let mut stream = self.core.dial(key, PORT, token(), LONG).await.unwrap();
        let sent: Vec<u8> = (0..4160_u32).map(|i| i.to_be_bytes()[3]).collect();
        stream.write_all(&sent).await.unwrap();
        let mut got = vec![0; sent.len()];
        tokio::time::timeout(LONG, stream.read_exact(&mut got)).await.unwrap().unwrap();
        assert_eq!(got, sent);
    }
}

/// `pvtcoms-tor host` in front of a socket that echoes.
pub(crate) struct Host {
    pub(crate) key: [u8; 32],
    child: Ended,
    echo: tokio::task::JoinHandle<()>,
    dir: tempfile::TempDir,
}

impl Host {
    /// Returns when the host has reached itself through Tor (TOR-22).
    pub(crate) async fn start(net_json: &Path) -> Self {
        Self::start_in(folder(), net_json).await
    }

    /// Ends it and starts it anew with the same state.
    pub(crate) async fn restarted(mut self, net_json: &Path) -> Self {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
        let dir = std::mem::replace(&mut self.dir, folder());
        std::fs::remove_file(dir.path().join("mailbox.sock")).unwrap();
        Self::start_in(dir, net_json).await
    }

    async fn start_in(dir: tempfile::TempDir, net_json: &Path) -> Self {
        let socket = dir.path().join("mailbox.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let echo = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream));
            }
        });
        let mut child = Command::new(program("pvtcoms-tor"))
            .arg("host")
            .arg("--json")
            .arg("--to")
            .arg(format!("unix:{}", socket.display()))
            .arg("--state")
            .arg(dir.path().join("state"))
            .arg("--cache")
            .arg(dir.path().join("cache"))
            .arg("--network")
            .arg(net_json)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = child.stdout.take().unwrap();
        let key = tokio::task::spawn_blocking(move || reached(BufReader::new(out)));
        let child = Ended(child);
        let key = tokio::time::timeout(2 * LONG, key).await.unwrap().unwrap();
        Self { key, child, echo, dir }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.echo.abort();
    }
}

fn reached(out: impl BufRead) -> [u8; 32] {
    let mut key = None;
    for line in out.lines() {
        let event: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        eprintln!("host: {event}");
        match event["event"].as_str().unwrap() {
            "published" => key = Some(unhex(event["key"].as_str().unwrap())),
            "reachable" => return key.unwrap(),
            _ => {}
        }
    }
    panic!("the host ended");
}

fn unhex(hex: &str) -> [u8; 32] {
    let byte = |i: usize| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap();
    std::array::from_fn(byte)
}

async fn echo(mut stream: UnixStream) {
    let (mut read, mut write) = stream.split();
    let _ = tokio::io::copy(&mut read, &mut write).await;
}
