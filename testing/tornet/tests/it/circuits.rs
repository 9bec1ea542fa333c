//! What the host of a mailbox sees of circuits (BRD-36, TOR-6, TOR-7): C tor tells the program
//! behind an onion service the number of the circuit that each stream came on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tornet::{Options, Profile, TorProcess, Tornet};

use super::programs::{Gate, LONG, PORT, folder, token};

/// Operations of the test, and how many of them are under way at once (BRD-32).
const OPERATIONS: usize = 200;
const AT_ONCE: usize = 8;

/// An echoing onion service of C tor that writes down the circuit of each stream.
struct Service {
    key: [u8; 32],
    seen: Arc<Mutex<Vec<u32>>>,
    control: PathBuf,
    _tor: TorProcess,
    dir: tempfile::TempDir,
}

impl Service {
    async fn start(network: &Tornet) -> Self {
        let dir = folder();
        let path = |name: &str| dir.path().join(name);
        let (socket, service, control) = (path("mailbox.sock"), path("service"), path("control"));
        let listener = UnixListener::bind(&socket).unwrap();
        let lines = format!(
            "SocksPort 0\nControlSocket {}\nCookieAuthentication 0\nHiddenServiceDir {}\n\
             HiddenServicePort {PORT} unix:{}\nHiddenServiceExportCircuitID haproxy\n",
            control.display(),
            service.display(),
            socket.display()
        );
        let tor = TorProcess::client(network.net(), &path("tor"), &lines).unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(echo(stream, Arc::clone(&all)));
            }
        });
        let file = service.join("hs_ed25519_public_key");
        let key = soon(|| async { std::fs::read(&file).ok()?.get(32..64)?.try_into().ok() }).await;
        Self { key, seen, control, _tor: tor, dir }
    }

    fn circuits(&self) -> Vec<u32> {
        self.seen.lock().unwrap().clone()
    }

    /// Clients' circuits that are joined to the service at this moment.
    async fn joined(&self) -> BTreeSet<u32> {
        let mut control = UnixStream::connect(&self.control).await.unwrap();
        control.write_all(b"AUTHENTICATE\r\nGETINFO circuit-status\r\nQUIT\r\n").await.unwrap();
        let mut said = String::new();
        control.read_to_string(&mut said).await.unwrap();
        assert!(said.contains("250 closing connection"), "{said}");
        let joined = said.lines().filter(|line| line.contains("HS_STATE=HSSR_JOINED"));
        joined.map(|line| line.trim_start_matches("250-circuit-status=")).map(number).collect()
    }

    /// Waits until none of these is joined any more. A dial that was given up half-way may leave a
    /// circuit for a while (TOR-7), on which nothing was ever done.
    async fn ended(&self, circuits: &[u32]) {
        soon(|| async {
            let joined = self.joined().await;
            circuits.iter().all(|circuit| !joined.contains(circuit)).then_some(())
        })
        .await;
    }
}

/// The number that a line of the control port begins with.
fn number(line: &str) -> u32 {
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Reads the line that names the circuit, `PROXY TCP6 fc00:dead:beef:4dad::<high>:<low> ..`, and
/// echoes what follows.
async fn echo(mut stream: UnixStream, seen: Arc<Mutex<Vec<u32>>>) {
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        let Ok(byte) = stream.read_u8().await else { return };
        line.push(byte);
    }
    let line = String::from_utf8(line).unwrap();
    let address = line.strip_prefix("PROXY TCP6 ").and_then(|rest| rest.split(' ').next());
    let address: std::net::Ipv6Addr = address.unwrap().parse().unwrap();
    let circuit = u32::try_from(u128::from(address) & u128::from(u32::MAX)).unwrap();
    seen.lock().unwrap().push(circuit);
    let (mut read, mut write) = stream.split();
    let _ = tokio::io::copy(&mut read, &mut write).await;
}

/// Waits until something is so.
async fn soon<T, F: Future<Output = Option<T>>>(mut so: impl FnMut() -> F) -> T {
    let waiting = async {
        loop {
            if let Some(found) = so().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(2 * LONG, waiting).await.unwrap()
}

/// A stream through a SOCKS port of C tor, isolated by this name.
async fn socks(port: &Path, name: &str, host: &str) -> std::io::Result<UnixStream> {
    let mut stream = UnixStream::connect(port).await?;
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    stream.write_all(&[5, 1, 2]).await?;
    stream.read_exact(&mut [0; 2]).await?;
    stream.write_all(&[vec![1], text(name), text("x")].concat()).await?;
    stream.read_exact(&mut [0; 2]).await?;
    stream.write_all(&[vec![5, 1, 0, 3], text(host), PORT.to_be_bytes().to_vec()].concat()).await?;
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).await?;
    if answer[1] == 0 { Ok(stream) } else { Err(std::io::ErrorKind::ConnectionRefused.into()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn tor_6_tor_7_brd_36_two_hundred_operations_share_no_circuit_and_leave_none() {
    let options = Options { profile: Profile::Interop, ..Options::default() };
    let network = tokio::task::block_in_place(|| Tornet::start(&options).unwrap());
    let service = Service::start(&network).await;
    let mut gate = Gate::in_network(network.net_json());
    gate.ready().await;
    let key = service.key;
    let dial = || gate.core.dial(key, PORT, token(), LONG);
    drop(soon(|| async { dial().await.ok() }).await); // its descriptor is out

    let before = service.circuits().len();
    let mut done = 0;
    while done < OPERATIONS {
        futures::future::join_all((0..AT_ONCE).map(|_| gate.echo(key))).await;
        done += AT_ONCE;
    }
    let circuits = service.circuits().split_off(before);
    assert_eq!(circuits.len(), OPERATIONS);
    assert_eq!(circuits.iter().collect::<BTreeSet<_>>().len(), OPERATIONS, "each has its own");
    // Nothing is left that would end with the client and so link what it did.
    service.ended(&circuits).await;

    // A client that is killed takes with it what is under way at that moment, and nothing else.
    let before = service.circuits().len();
    let open = futures::future::join_all((0..3).map(|_| dial())).await;
    assert!(open.iter().all(Result::is_ok));
    soon(|| async { (service.circuits().len() == before + 3).then_some(()) }).await;
    futures::future::join_all((0..AT_ONCE).map(|_| gate.echo(key))).await;
    let circuits = service.circuits().split_off(before);
    let (open_ones, done_ones) = circuits.split_at(3);
    service.ended(done_ones).await;
    let joined = service.joined().await;
    assert!(open_ones.iter().all(|circuit| joined.contains(circuit)), "control: they are seen");
    gate.kill();
    service.ended(open_ones).await;

    // Control: streams of one isolation name share a circuit, and the service is told so.
    let port = service.dir.path().join("socks");
    let lines = format!("SocksPort unix:{}\n", port.display());
    let client = service.dir.path().join("client");
    let client = TorProcess::client(network.net(), &client, &lines).unwrap();
    soon(|| async { (client.bootstrapped() == 100).then_some(()) }).await;
    let host = std::fs::read_to_string(service.dir.path().join("service/hostname")).unwrap();
    let mut streams = Vec::new();
    let before = service.circuits().len();
    for name in ["one", "one", "another"] {
        // A request that came before the descriptor was fetched may wait for two minutes.
        let open = || tokio::time::timeout(LONG / 3, socks(&port, name, host.trim()));
        streams.push(soon(|| async { open().await.ok()?.ok() }).await);
    }
    soon(|| async { (service.circuits().len() == before + 3).then_some(()) }).await;
    let circuits = service.circuits().split_off(before);
    assert_eq!(circuits[0], circuits[1], "one token, one circuit");
    assert_ne!(circuits[0], circuits[2]);
}
