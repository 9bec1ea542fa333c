//! The embedded Tor client. Arti is named in this module alone.

mod circuit;
mod config;
mod reason;
mod service;
mod status;

use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arti_client::{DataStream, HasKind, TorClient, TorClientConfig};
use futures::StreamExt;
use gate::{Reason, Status};
use rustix::fs::FlockOperation;
use tokio::sync::watch;
use tor_rtcompat::PreferredRuntime;

use crate::cli::{Fault, TorArgs};
use crate::private::PrivateNetwork;

pub(crate) use circuit::Circuit;
pub(crate) use config::Bridges;
pub(crate) use service::{Service, Visitor};

/// A running Tor client.
pub(crate) struct Arti {
    tor: Arc<TorClient<PreferredRuntime>>,
    /// What it was made with.
    config: TorClientConfig,
    status: watch::Sender<Status>,
    /// Held for as long as the state directory is in use.
    _lock: File,
}

impl Arti {
    /// Makes the client and starts to bootstrap; never waits for the network.
    pub(crate) async fn start(
        args: &TorArgs,
        network: Option<&PrivateNetwork>,
        bridges: Option<&Bridges>,
    ) -> Result<Arc<Self>, Fault> {
        for dir in [&args.state, &args.cache] {
            private_dir(dir)?;
        }
        let lock = lock(&args.state)?;
        let config = config::build(args, network, bridges)?;
        Self::launch(config, lock).await
    }

    async fn launch(config: TorClientConfig, lock: File) -> Result<Arc<Self>, Fault> {
        // `kind` and not the error itself: its text may name a place.
        let tor = TorClient::builder()
            .config(config.clone())
            .create_unbootstrapped_async()
            .await
            .map_err(|error| Fault::Tor(error.kind().to_string()))?;
        let (status, _) = watch::channel(status::STARTING);
        let arti = Arc::new(Self { tor, config, status, _lock: lock });
        tokio::spawn(Arc::clone(&arti).follow_status());
        tokio::spawn(Arc::clone(&arti).keep_bootstrapping());
        Ok(arti)
    }

    /// What Tor says about itself.
    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// A stream to port `port` of `onion`, on a circuit of its own. Waits for the bootstrap; the
    /// caller keeps the deadline and asks [`Arti::stuck`] when it passes.
    pub(crate) async fn dial(&self, onion: &[u8; 32], port: u16) -> Result<Connection, Reason> {
        self.bootstrapped().await;
        let dialled = async {
            let circuit = Circuit::make(self, onion).await?;
            let stream = circuit.open(port).await?;
            Ok(Connection { stream, circuit })
        };
        dialled.await.map_err(|kind| {
            tracing::info!("a dial failed: {kind}");
            reason::of(kind, &self.status.borrow())
        })
    }

    /// Why a dial that ran into its deadline did.
    pub(crate) fn stuck(&self) -> Reason {
        reason::of_timeout(&self.status.borrow())
    }

    /// Resolves when Tor could build a circuit.
    pub(crate) async fn bootstrapped(&self) {
        let mut status = self.status.subscribe();
        // The sender lives as long as `self`.
        let _ = status.wait_for(|status| status.stage == gate::Stage::Ready).await;
    }

    async fn follow_status(self: Arc<Self>) {
        let mut events = self.tor.bootstrap_events();
        while let Some(event) = events.next().await {
            let now = status::of(&event);
            self.status.send_if_modified(|old| std::mem::replace(old, now) != now);
        }
    }

    /// Tries for ever: being offline is no reason to end (TOR-2).
    async fn keep_bootstrapping(self: Arc<Self>) {
        let mut pause = Duration::from_secs(1);
        while let Err(error) = self.tor.bootstrap().await {
            tracing::warn!("Tor reports: {}; trying again", error.kind());
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(Duration::from_secs(30));
        }
        // Readiness can come without another event.
        let now = status::of(&self.tor.bootstrap_status());
        self.status.send_if_modified(|old| std::mem::replace(old, now) != now);
        tracing::info!("Tor is ready");
    }
}

/// A stream and the circuit that exists for it alone.
pub(crate) struct Connection {
    /// The stream.
    pub(crate) stream: DataStream,
    /// Its circuit.
    pub(crate) circuit: Circuit,
}

fn private_dir(dir: &Path) -> Result<(), Fault> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|error| Fault::Tor(format!("{}: {error}", dir.display())))
}

/// TOR-14: one program a state directory; the system lets go of it however the program ends.
fn lock(state: &Path) -> Result<File, Fault> {
    let path = state.join("pvtcoms-tor.lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| Fault::Tor(format!("{}: {error}", path.display())))?;
    rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| Fault::InUse)?;
    Ok(file)
}
