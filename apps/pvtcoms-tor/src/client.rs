//! `pvtcoms-tor client`: serves the core over the inherited socket.

mod dials;
mod tokens;

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use gate::{Backend, GateServer, Hello, Reason, Request, Status, Vanguards};
use tokio::sync::watch;

use crate::arti::{Arti, Bridges, Circuit};
use crate::cli::{ClientArgs, Fault};
use crate::private::PrivateNetwork;
use crate::socks::Socks;
use crate::splice::Stream;
use dials::Dials;
use tokens::Tokens;

/// The status is repeated this often, so that the core notices a gate that hangs.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// What carries the bytes. There is no third way and no fallback from one to the other (TOR-2).
pub(crate) enum Way {
    /// The embedded client.
    Arti(Arc<Arti>),
    /// A SOCKS port that the user runs.
    Socks(Arc<Socks>),
}

/// Serves until the core closes its end.
pub(crate) async fn run(args: ClientArgs, link: OwnedFd) -> Result<(), Fault> {
    let network = PrivateNetwork::load(args.tor.network.as_deref())?;
    let (way, backend, vanguards) = match args.socks {
        Some(address) => {
            let socks = Socks::start(address, args.socks_legacy);
            (Way::Socks(socks), Backend::Socks, Vanguards::Lite)
        }
        None => {
            let bridges = Bridges::parse(&args.bridges, args.transport.as_deref())?;
            let arti = Arti::start(&args.tor, network.as_ref(), bridges.as_ref()).await?;
            (Way::Arti(arti), Backend::Arti, Vanguards::Full)
        }
    };
    let hello = Hello {
        epoch: random()?,
        version: gate::VERSION,
        backend,
        vanguards,
        private_network: network.is_some(),
    };
    let server = Arc::new(GateServer::new(link, hello).await?);
    let status = way.status();
    tokio::select! {
        end = serve(&server, Arc::new(way)) => end,
        end = report(&server, status) => end,
    }
}

/// Answers requests until the core closes its end.
async fn serve(server: &Arc<GateServer>, way: Arc<Way>) -> Result<(), Fault> {
    let dials = Dials::new(Arc::clone(server), way);
    let mut tokens = Tokens::default();
    while let Some(request) = server.recv().await? {
        match request {
            Request::Abort { id } => {
                dials.abort(id);
                server.failed(id, Reason::Aborted).await?;
            }
            // TOR-6: a token is good for one request, whatever became of it.
            Request::Dial(dial) if !tokens.is_fresh(dial.token)? => {
                server.failed(dial.id, Reason::ReusedToken).await?;
            }
            Request::Dial(dial) => {
                let id = dial.id;
                if !dials.start(dial) {
                    server.failed(id, Reason::Internal).await?;
                }
            }
        }
    }
    Ok(())
}

/// Pushes the status on every change, and as a sign of life.
async fn report(server: &GateServer, mut status: watch::Receiver<Status>) -> Result<(), Fault> {
    loop {
        let now = *status.borrow_and_update();
        server.status(now).await?;
        if let Ok(Err(_)) = tokio::time::timeout(HEARTBEAT, status.changed()).await {
            return Err(Fault::Internal("nobody reports the status any more"));
        }
    }
}

impl Way {
    fn status(&self) -> watch::Receiver<Status> {
        match self {
            Self::Arti(arti) => arti.status(),
            Self::Socks(socks) => socks.status(),
        }
    }

    async fn dial(
        &self,
        onion: &[u8; 32],
        port: u16,
        token: &[u8; 16],
    ) -> Result<(Box<dyn Stream>, Option<Circuit>), Reason> {
        match self {
            Self::Arti(arti) => {
                let connection = arti.dial(onion, port).await?;
                Ok((Box::new(connection.stream), Some(connection.circuit)))
            }
            Self::Socks(socks) => Ok((Box::new(socks.dial(onion, port, token).await?), None)),
        }
    }

    /// Why a dial that ran into its deadline did.
    fn stuck(&self) -> Reason {
        match self {
            Self::Arti(arti) => arti.stuck(),
            Self::Socks(_) => Reason::Timeout,
        }
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| Fault::Internal("no randomness"))?;
    Ok(bytes)
}
