//! A SOCKS port that the user already runs: system Tor, Tor Browser, Whonix, Tails.

mod address;
mod talk;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use gate::{Blockage, Isolation, Reason, Stage, Status, Vanguards};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::{Mutex, watch};

use crate::splice::Stream;
pub(crate) use address::ProxyAddress;
use talk::{Probe, Refusal};

/// How long a proxy may take to answer a probe, which costs it nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A Tor that somebody else runs.
pub(crate) struct Socks {
    address: ProxyAddress,
    /// The user accepts a proxy that cannot confirm isolation.
    legacy: bool,
    /// What the probe has found; forgotten when the proxy goes away, as another may come.
    proved: Mutex<Option<Isolation>>,
    status: watch::Sender<Status>,
}

impl Socks {
    /// Starts to probe; never waits for the proxy.
    pub(crate) fn start(address: ProxyAddress, legacy: bool) -> Arc<Self> {
        let (status, _) = watch::channel(Status {
            stage: Stage::Starting,
            fraction: 0,
            blockage: Blockage::None,
            skew_s: None,
            isolation: Isolation::Unknown,
            vanguards: Vanguards::Lite, // TOR-20
        });
        let socks = Arc::new(Self { address, legacy, proved: Mutex::default(), status });
        tokio::spawn(Arc::clone(&socks).keep_probing());
        socks
    }

    /// What is known of the proxy.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// A stream to port `port` of `onion`, isolated by `token` (TOR-18).
    pub(crate) async fn dial(
        &self,
        onion: &[u8; 32],
        port: u16,
        token: &[u8; 16],
    ) -> Result<Box<dyn Stream>, Reason> {
        // TOR-19: no onion name is shown to a proxy that is not proved to be Tor.
        self.prove().await.map_err(|_| Reason::NoTor)?;
        let mut stream = match self.connect().await {
            Ok(stream) => stream,
            Err(_) => {
                self.forget().await;
                return Err(Reason::NoTor);
            }
        };
        match talk::connect(&mut stream, onion, port, token).await {
            Ok(()) => Ok(stream),
            Err(Refusal::Tor(reason)) => Err(reason),
            Err(Refusal::NotTor) => {
                self.forget().await;
                Err(Reason::NoTor)
            }
        }
    }

    /// Probes at start and whenever the proxy has gone, until it is proved.
    async fn keep_probing(self: Arc<Self>) {
        let mut pause = Duration::from_secs(1);
        loop {
            pause = match self.prove().await {
                Ok(_) => Duration::from_secs(1),
                Err(_) => pause.saturating_mul(2).min(Duration::from_secs(60)),
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Returns what the probe found, and probes if it has not (TOR-19).
    async fn prove(&self) -> Result<Isolation, Blockage> {
        let mut proved = self.proved.lock().await;
        if let Some(isolation) = *proved {
            return Ok(isolation);
        }
        let outcome = match tokio::time::timeout(PATIENCE, self.probe()).await {
            Ok(Ok(probe)) => self.judge(probe),
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => Err(Blockage::NotTor),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(Blockage::NotTor),
            Ok(Err(_)) => Err(Blockage::NoProxy),
            Err(_) => Err(Blockage::NotTor),
        };
        *proved = outcome.ok();
        self.show(outcome);
        outcome
    }

    const fn judge(&self, probe: Probe) -> Result<Isolation, Blockage> {
        match probe {
            Probe { isolating: true, unknown: false } => Ok(Isolation::Confirmed),
            Probe { isolating: true, unknown: true } if self.legacy => Ok(Isolation::Unconfirmed),
            _ => Err(Blockage::NotTor),
        }
    }

    async fn probe(&self) -> io::Result<Probe> {
        let isolating = talk::probe(&mut self.connect().await?, talk::ISOLATING).await?;
        let unknown = talk::probe(&mut self.connect().await?, talk::UNKNOWN).await?;
        Ok(Probe { isolating, unknown })
    }

    async fn forget(&self) {
        *self.proved.lock().await = None;
        self.show(Err(Blockage::NoProxy));
    }

    fn show(&self, outcome: Result<Isolation, Blockage>) {
        self.status.send_if_modified(|status| {
            let before = *status;
            match outcome {
                Ok(isolation) => {
                    status.stage = Stage::Waiting; // TOR-20: the bootstrap is unknown
                    status.blockage = Blockage::None;
                    status.isolation = isolation;
                }
                Err(blockage) => {
                    status.stage = Stage::Starting;
                    status.blockage = blockage;
                    status.isolation = Isolation::Unknown;
                }
            }
            *status != before
        });
    }

    #[expect(clippy::disallowed_methods, reason = "TOR-17: the user's own proxy, by IP address")]
    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.address {
            ProxyAddress::Tcp(address) => Box::new(TcpStream::connect(address).await?),
            ProxyAddress::Unix(path) => Box::new(UnixStream::connect(path).await?),
        })
    }
}

#[cfg(test)]
mod tests;
