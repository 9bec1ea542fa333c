//! An onion service of C tor whose host writes down what it sees of circuits.

use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tornet::{TorProcess, Tornet};

use super::programs::{LONG, PORT, folder};

/// A port of the service behind which nobody listens.
pub(crate) const DEAD: u16 = PORT + 1;

/// What the host has seen. A circuit is the number that C tor gives it.
#[derive(Default, Clone)]
pub(crate) struct Seen {
    /// Each stream that brought a byte, in their order: its circuit, and that byte.
    pub(crate) streams: Vec<(u32, u8)>,
    /// Circuits of clients that were joined to the service.
    pub(crate) joined: BTreeSet<u32>,
    /// Those of them that have ended, in their order.
    pub(crate) ended: Vec<u32>,
}

impl Seen {
    /// Circuits of clients that have not ended.
    pub(crate) fn left(&self) -> BTreeSet<u32> {
        let mut left = self.joined.clone();
        left.retain(|circuit| !self.ended.contains(circuit));
        left
    }

    /// How many circuits of clients have had no stream that brought a byte.
    pub(crate) fn unused(&self) -> usize {
        let used: BTreeSet<_> = self.streams.iter().map(|(circuit, _)| *circuit).collect();
        self.joined.difference(&used).count()
    }

    /// Circuits of the streams whose first byte was this one, in their order.
    pub(crate) fn of(&self, who: u8) -> Vec<u32> {
        let theirs = self.streams.iter().filter(|(_, first)| *first == who);
        theirs.map(|(circuit, _)| *circuit).collect()
    }
}

/// The service: it echoes.
pub(crate) struct Service {
    pub(crate) key: [u8; 32],
    seen: watch::Receiver<Seen>,
    _tor: TorProcess,
    dir: tempfile::TempDir,
}

impl Service {
    pub(crate) async fn start(network: &Tornet) -> Self {
        let dir = folder();
        let path = |name: &str| dir.path().join(name);
        let (socket, service, control) = (path("mailbox.sock"), path("service"), path("control"));
        let listener = UnixListener::bind(&socket).unwrap();
        let lines = format!(
            "SocksPort 0\nControlSocket {}\nCookieAuthentication 0\nHiddenServiceDir {}\n\
             HiddenServicePort {PORT} unix:{}\nHiddenServicePort {DEAD} unix:{}\n\
             HiddenServiceExportCircuitID haproxy\n",
            control.display(),
            service.display(),
            socket.display(),
            path("nobody").display()
        );
        let tor = TorProcess::client(network.net(), &path("tor"), &lines).unwrap();
        let (all, seen) = watch::channel(Seen::default());
        let all = Arc::new(all);
        let streams = Arc::clone(&all);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream, Arc::clone(&streams)));
            }
        });
        let control = soon("the control socket", || UnixStream::connect(&control)).await;
        tokio::spawn(follow(control, all));
        let file = service.join("hs_ed25519_public_key");
        let key = soon("the service's key", || async { std::fs::read(&file) }).await;
        Self { key: key[32..64].try_into().unwrap(), seen, _tor: tor, dir }
    }

    /// What was seen until this moment.
    pub(crate) fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until what was seen is so.
    pub(crate) async fn until(&self, what: &str, so: impl FnMut(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.clone();
        let waited = tokio::time::timeout(LONG, seen.wait_for(so)).await;
        if let Ok(now) = waited {
            return now.unwrap().clone();
        }
        let now = self.seen();
        panic!("not seen: {what}; left: {:?}; streams: {:?}", now.left(), now.streams);
    }

    /// Its address.
    pub(crate) fn address(&self) -> String {
        let name = std::fs::read_to_string(self.dir.path().join("service/hostname")).unwrap();
        name.trim().to_owned()
    }
}

/// Reads the line that names the circuit, `PROXY TCP6 fc00:dead:beef:4dad::<high>:<low> ..`, and
/// echoes what follows.
async fn echo(stream: UnixStream, seen: Arc<watch::Sender<Seen>>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
        return;
    }
    let address = line.strip_prefix("PROXY TCP6 ").and_then(|rest| rest.split(' ').next());
    let address: Ipv6Addr = address.unwrap().parse().unwrap();
    let circuit = u32::try_from(u128::from(address) & u128::from(u32::MAX)).unwrap();
    let Ok([first, ..]) = stream.fill_buf().await else { return };
    let first = *first;
    seen.send_modify(|seen| seen.streams.push((circuit, first)));
    let (mut read, mut write) = tokio::io::split(stream);
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

/// Writes down which circuits of clients are joined, and which end.
async fn follow(mut control: UnixStream, seen: Arc<watch::Sender<Seen>>) {
    control.write_all(b"AUTHENTICATE\r\nSETEVENTS CIRC CIRC_MINOR\r\n").await.unwrap();
    let mut lines = BufReader::new(control).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let mut words = line.split(' ');
        if words.next() != Some("650") {
            assert!(line.starts_with("250"), "{line}");
            continue;
        }
        let (_, circuit) = (words.next(), words.next().unwrap().parse().unwrap());
        if line.contains(" HS_STATE=HSSR_JOINED") {
            seen.send_if_modified(|seen| seen.joined.insert(circuit));
        }
        if words.next() == Some("CLOSED") && seen.borrow().joined.contains(&circuit) {
            seen.send_modify(|seen| seen.ended.push(circuit));
        }
    }
}

/// Waits until something succeeds.
pub(crate) async fn soon<T, E, F: Future<Output = Result<T, E>>>(
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> T {
    let waiting = async {
        loop {
            if let Ok(found) = attempt().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let found = tokio::time::timeout(LONG, waiting).await;
    found.unwrap_or_else(|_| panic!("{what} did not come in time"))
}

/// A client of C tor. It keeps a circuit for ten minutes after its last stream.
pub(crate) struct Other {
    port: PathBuf,
    pub(crate) tor: TorProcess,
    _dir: tempfile::TempDir,
}

impl Other {
    pub(crate) async fn start(network: &Tornet) -> Self {
        let dir = folder();
        let port = dir.path().join("socks");
        let lines = format!("SocksPort unix:{}\n", port.display());
        let tor = TorProcess::client(network.net(), &dir.path().join("tor"), &lines).unwrap();
        let ready = || async { if tor.bootstrapped() == 100 { Ok(()) } else { Err(()) } };
        soon("the bootstrap of a C tor client", ready).await;
        Self { port, tor, _dir: dir }
    }

    /// A stream that is isolated by this name, and has brought this byte.
    pub(crate) async fn stream(&self, name: &str, host: &str, who: u8) -> UnixStream {
        // A request that came before the descriptor was fetched may wait for two minutes.
        let open = || tokio::time::timeout(LONG / 6, socks(&self.port, name, host));
        let open = || async { open().await.map_err(drop)?.map_err(drop) };
        let mut stream = soon("a stream through C tor", open).await;
        stream.write_all(&[who]).await.unwrap();
        tokio::time::timeout(LONG, stream.read_exact(&mut [0])).await.unwrap().unwrap();
        stream
    }
}

async fn socks(port: &Path, name: &str, host: &str) -> std::io::Result<UnixStream> {
    let mut stream = UnixStream::connect(port).await?;
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    stream.write_all(&[5, 1, 2]).await?;
    stream.read_exact(&mut [0; 2]).await?;
    stream.write_all(&[vec![1], text(name), text("x")].concat()).await?;
    stream.read_exact(&mut [0; 2]).await?;
    stream.write_all(&[vec![5, 1, 0, 3], text(host), PORT.to_be_bytes().to_vec()].concat()).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    // An address and a port follow, of whose length the last byte speaks.
    stream.read_exact(&mut vec![0; if answer[3] == 4 { 18 } else { 6 }]).await?;
    if answer[1] == 0 { Ok(stream) } else { Err(std::io::ErrorKind::ConnectionRefused.into()) }
}
