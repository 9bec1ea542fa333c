//! Hosting: one onion service, one port, one stream on each circuit.

use std::sync::Arc;

use arti_client::HasKind;
use arti_client::config::onion_service::OnionServiceConfigBuilder;
use futures::StreamExt;
use safelog::DisplayRedacted;
use tokio::sync::mpsc;
use tor_cell::relaycell::msg::{Connected, End, EndReason};
use tor_hsservice::config::TokenBucketConfig;
use tor_hsservice::status::State;
use tor_hsservice::{HsNickname, RunningOnionService, StreamRequest, handle_rend_requests};
use tor_proto::stream::IncomingStreamRequest;

use super::Arti;
use crate::cli::Fault;
use crate::onion;
use crate::splice::Stream;

/// Introductions a second, and in one burst, that an introduction point lets through.
const INTRODUCTIONS: (u32, u32) = (10, 20);

/// Streams that wait to be looked at.
const WAITING: usize = 32;

/// A published onion service; ends when dropped.
pub(crate) struct Service {
    running: Arc<RunningOnionService>,
    /// The service's public key.
    pub(crate) key: [u8; 32],
    visitors: mpsc::Receiver<Visitor>,
    task: tokio::task::JoinHandle<()>,
}

/// A stream to our port that nobody has answered yet.
pub(crate) struct Visitor(StreamRequest);

impl Arti {
    /// Publishes the service that the state directory knows by `nickname`.
    pub(crate) fn publish(&self, nickname: &str, port: u16) -> Result<Service, Fault> {
        let nickname: HsNickname = nickname
            .parse()
            .map_err(|_| Fault::Use("--nickname: letters, digits, `-` and `_` only".into()))?;
        let mut config = OnionServiceConfigBuilder::default();
        config.nickname(nickname);
        let (rate, burst) = INTRODUCTIONS;
        config.rate_limit_at_intro(Some(TokenBucketConfig::new(rate, burst)));
        config.max_concurrent_streams_per_circuit(1); // BRD-17
        let config = config.build().map_err(|error| Fault::Tor(error.to_string()))?;

        let (running, rendezvous) = self
            .tor
            .launch_onion_service(config)
            .map_err(|error| Fault::Tor(error.kind().to_string()))?
            .ok_or(Fault::Internal("the service is disabled"))?;
        let address = running.onion_address().ok_or(Fault::Internal("the service has no key"))?;
        let key = onion::key(&address.display_unredacted().to_string())
            .ok_or(Fault::Internal("the service's address is not understood"))?;

        let (sender, visitors) = mpsc::channel(WAITING);
        let mut requests = Box::pin(handle_rend_requests(rendezvous));
        let task = tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                if is_ours(&request, port) {
                    if sender.send(Visitor(request)).await.is_err() {
                        return;
                    }
                } else {
                    let _ = request.shutdown_circuit(); // or it is closed already
                }
            }
        });
        Ok(Service { running, key, visitors, task })
    }
}

fn is_ours(request: &StreamRequest, port: u16) -> bool {
    matches!(request.request(), IncomingStreamRequest::Begin(begin) if begin.port() == port)
}

impl Service {
    /// Waits for the next stream; `None` when the service has ended by itself.
    pub(crate) async fn visitor(&mut self) -> Option<Visitor> {
        self.visitors.recv().await
    }

    /// Resolves when a descriptor was sent out, so that a dial of our own can show whether it
    /// arrived. Tor's word for it is no evidence either way: with a single time period (a private
    /// network) it stays "degraded, unreachable" for a service that every client reaches.
    pub(crate) fn uploaded(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let first = self.running.status();
        let mut events = self.running.status_events();
        async move {
            let sent = |state| {
                matches!(
                    state,
                    State::Running | State::DegradedReachable | State::DegradedUnreachable
                )
            };
            if sent(first.state()) {
                return;
            }
            while let Some(status) = events.next().await {
                if sent(status.state()) {
                    return;
                }
            }
            std::future::pending().await // the service ended; `visitor` tells
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Visitor {
    /// Lets the visitor in.
    pub(crate) async fn accept(self) -> Option<impl Stream> {
        // The visitor may have left: then there is nobody to tell.
        self.0.accept(Connected::new_empty()).await.ok()
    }

    /// Sends the visitor away, with the reason that every onion service gives.
    pub(crate) async fn refuse(self) {
        let _ = self.0.reject(End::new_with_reason(EndReason::DONE)).await; // or it has left
    }
}
