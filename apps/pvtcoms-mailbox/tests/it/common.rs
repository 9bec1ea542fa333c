use board::envelope::{self, Envelope};
use board::frame::{
    FETCH_ANSWER_LEN, FetchAnswer, HEAD_LEN, PutAnswer, PutRequest, Request, Window,
};
use board::header::{DigestFrame, DigestReader, PageHeader};
use board::page::Settings;
use board::pow;
use crypto::rand_core::Rng;
use mailbox::effort::Policy;
use mailbox::seal::os_rng;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const MAILBOX: [u8; 32] = [7; 32];
pub(crate) const SETTINGS: Settings =
    Settings { interval_s: 10, fill: 8, ttl_h: 24, mailbox: MAILBOX };
/// A disk without limits, and more people than any test has.
pub(crate) const POLICY: Policy =
    Policy { base: 1, max: 256, people: 1_000_000, soft: 0, reserve: 0 };
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn random() -> Envelope {
    envelope::dummy(&mut os_rng())
}

pub(crate) fn same_tag(as_this: &Envelope) -> Envelope {
    let mut bytes = *random().as_bytes();
    bytes[..16].copy_from_slice(&as_this.as_bytes()[..16]);
    Envelope::from_bytes(&bytes)
}

pub(crate) fn prefix(envelope: &Envelope) -> [u8; 8] {
    *envelope.as_bytes().first_chunk().unwrap()
}

/// A server process on a directory that outlives it.
pub(crate) struct Server {
    child: Child,
    socket: PathBuf,
    pub(crate) events: BufReader<std::process::ChildStdout>,
}

impl Server {
    pub(crate) fn command(dir: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pvtcoms-mailbox"));
        command
            .arg("serve")
            .arg("--listen")
            .arg(format!("unix:{}", dir.join("sock").display()))
            .arg("--data")
            .arg(dir.join("data"))
            .args(["--interval", "1", "--json"])
            .arg("--onion")
            .arg(board::address::encode(&MAILBOX));
        command
    }

    pub(crate) fn start(dir: &Path) -> Self {
        Self::start_with(dir, &[])
    }

    pub(crate) fn start_with(dir: &Path, more: &[&str]) -> Self {
        let mut child =
            Self::command(dir).args(more).stdout(Stdio::piped()).spawn().expect("the server");
        let mut events = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        events.read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        Self { child, socket: dir.join("sock"), events }
    }

    pub(crate) fn client(&self) -> Client {
        Client { socket: self.socket.clone() }
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap()
    }

    pub(crate) fn kill_9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives the exit code and the last line of standard output.
    pub(crate) fn terminate(mut self) -> (Option<i32>, String) {
        let pid = rustix::process::Pid::from_raw(self.pid()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let mut rest = String::new();
        self.events.read_to_string(&mut rest).unwrap();
        let last = rest.lines().last().unwrap_or_default().to_owned();
        (self.child.wait().unwrap().code(), last)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// Speaks the protocol, one connection an operation.
#[derive(Clone)]
pub(crate) struct Client {
    socket: PathBuf,
}

impl Client {
    pub(crate) fn open(&self) -> std::io::Result<UnixStream> {
        let stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Sends bytes and reads until the server closes.
    pub(crate) fn exchange(&self, bytes: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut stream = self.open()?;
        let mut answer = Vec::new();
        // A server that closes early may do so before all is written.
        let _early = stream.write_all(bytes);
        match stream.read_to_end(&mut answer) {
            // Closed before it had read all: a close without a byte.
            Err(e) if e.kind() == ErrorKind::ConnectionReset && answer.is_empty() => Ok(answer),
            Err(e) => Err(e),
            Ok(_) => Ok(answer),
        }
    }

    pub(crate) fn digest(&self, window: Window) -> Vec<DigestFrame> {
        let bytes = self.exchange(&Request::Digest(window).encode()).unwrap();
        let mut reader = DigestReader::new(MAILBOX);
        let frames = reader.push(&bytes).unwrap();
        reader.finish().unwrap();
        frames
    }

    pub(crate) fn header(&self) -> PageHeader {
        self.digest(Window::Day { back: 0 }).last().unwrap().header
    }

    pub(crate) fn paid(&self, header: &PageHeader, envelope: &Envelope) -> Vec<u8> {
        let nonces = || {
            let mut nonce = [0; 16];
            os_rng().fill_bytes(&mut nonce);
            nonce
        };
        let (nonce, solution) =
            pow::solve(&header.seed, &MAILBOX, envelope, header.effort, nonces).unwrap();
        let put = PutRequest { epoch: header.epoch, nonce, solution, envelope: envelope.clone() };
        Request::Put(put).encode()
    }

    pub(crate) fn put(&self, header: &PageHeader, envelope: &Envelope) -> PutAnswer {
        let answer = self.exchange(&self.paid(header, envelope)).unwrap();
        assert_eq!(answer.len(), HEAD_LEN);
        PutAnswer::decode(&answer).unwrap()
    }

    pub(crate) fn fetch(&self, page: u64, chunk: u16) -> FetchAnswer {
        let answer = self.exchange(&Request::Fetch { page, chunk }.encode()).unwrap();
        assert_eq!(answer.len(), FETCH_ANSWER_LEN);
        FetchAnswer::decode(&answer).unwrap()
    }

    /// Reads back every envelope of a page, each chunk verified.
    pub(crate) fn page(&self, frame: &DigestFrame) -> Vec<Envelope> {
        let header = &frame.header;
        (0..u16::try_from(header.chunks()).unwrap())
            .flat_map(|chunk| {
                self.fetch(header.page, chunk).verify(header, header.page, chunk).ok().unwrap()
            })
            .collect()
    }

    /// Waits until a page holds the envelope, and gives its frame and position.
    pub(crate) fn wait_for(&self, envelope: &Envelope) -> (DigestFrame, usize) {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            for frame in self.digest(Window::LastTenMinutes) {
                if let Some(at) = frame.find(&prefix(envelope)).next() {
                    return (frame, at);
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no page came with the envelope");
    }
}

pub(crate) fn dir() -> TempDir {
    TempDir::with_prefix("pvtcoms-mailbox-").unwrap()
}
