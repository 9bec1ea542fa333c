//! A circuit to an onion service for one stream, and its end.

use std::sync::Arc;
use std::time::Duration;

use arti_client::isolation::{IsolationToken, StreamIsolation};
use arti_client::{DataStream, ErrorKind, HasKind};
use tor_circmgr::ClientOnionServiceDataTunnel;
use tor_hsclient::{HsClientConnector, HsClientSecretKeys};
use tor_proto::client::stream::StreamParameters;

use super::Arti;

/// How long the service may take to accept a stream on a circuit that stands; Arti's own limit.
const ACCEPTANCE: Duration = Duration::from_secs(10);

/// A circuit to an onion service. Ends when dropped (TOR-7): what holds it last decides how long it
/// lives, and no stream of it outlives it.
pub(crate) struct Circuit(Arc<ClientOnionServiceDataTunnel>);

impl Circuit {
    /// Makes a circuit that nothing else uses (TOR-6).
    ///
    /// Arti makes it in a task of its own, which nobody can stop, and keeps what comes of it for ten
    /// minutes. So there is a task here too that takes it in any case: if the caller has given up by
    /// then, the circuit ends as soon as it stands.
    pub(super) async fn make(arti: &Arti, onion: &[u8; 32]) -> Result<Self, ErrorKind> {
        let tor = &arti.tor;
        let (directory, circuits) = tor
            .dirmgr()
            .and_then(|directory| Ok((directory, tor.hs_circ_pool()?)))
            .map_err(|error| error.kind())?;
        let directory = directory.timely_netdir().map_err(|error| error.kind())?;
        // One for each circuit: no descriptor and no circuit is in it that another dial left, and
        // they go with it.
        let no_chores = Box::pin(futures::stream::empty());
        let connector =
            HsClientConnector::new(tor.runtime().clone(), circuits, &arti.config, no_chores)
                .map_err(|error| error.kind())?;
        let isolation = StreamIsolation::builder()
            .owner_token(IsolationToken::new())
            .build()
            .map_err(|_| ErrorKind::Internal)?;
        let onion = (*onion).into();
        let making = tokio::spawn(async move {
            let no_keys = HsClientSecretKeys::none();
            let made = connector.get_or_launch_tunnel(&directory, onion, no_keys, isolation).await;
            made.map(Self).map_err(|error| error.kind())
        });
        making.await.map_err(|_| ErrorKind::Internal)?
    }

    /// Opens the circuit's stream.
    pub(super) async fn open(&self, port: u16) -> Result<DataStream, ErrorKind> {
        let mut parameters = StreamParameters::new();
        // An onion service is told a port and nothing else.
        parameters.suppress_hostname().suppress_begin_flags().optimistic(false);
        let opened = self.0.begin_stream("", port, Some(parameters));
        match tokio::time::timeout(ACCEPTANCE, opened).await {
            Ok(opened) => opened.map_err(|error| error.kind()),
            Err(_) => Err(ErrorKind::RemoteNetworkTimeout),
        }
    }
}

impl Drop for Circuit {
    fn drop(&mut self) {
        self.0.terminate();
    }
}
