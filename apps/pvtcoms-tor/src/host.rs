//! `pvtcoms-tor host`: a mailbox on a Unix socket becomes an onion service.

mod events;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::arti::{Arti, Service, Visitor};
use crate::cli::{Fault, HostArgs};
use crate::private::PrivateNetwork;
use crate::splice::{Limits, splice};
use events::Reporter;

/// How often the host dials its own address (TOR-22).
const CHECK: Duration = Duration::from_secs(300);

/// How often, until the first check succeeds.
const FIRST_CHECK: Duration = Duration::from_secs(2);

/// How long one check may take.
const CHECK_LIMIT: Duration = Duration::from_secs(60);

/// Failed checks in a row after which the service is restarted.
const PATIENCE: u32 = 3;

/// Streams at once.
const STREAMS: usize = 512;

/// The mailbox has its own, closer limits; these end what it forgets.
const LIMITS: Limits = Limits {
    life: Duration::from_secs(6 * 3600 + 1200),
    silence: Duration::from_secs(900),
    out: 2 * 1024 * 1024 * 1024,
    back: 64 * 1024,
};

/// Serves until the program is ended.
pub(crate) async fn run(args: HostArgs) -> Result<(), Fault> {
    let network = PrivateNetwork::load(args.tor.network.as_deref())?;
    let arti = Arti::start(&args.tor, network.as_ref(), None).await?;
    let mut reporter = Reporter::new(args.json, network.is_some());
    let streams = Arc::new(Semaphore::new(STREAMS));
    let mut first = true;
    loop {
        let mut service = publish(&arti, &args).await?;
        if first {
            reporter.starting(&service.key, args.port, &args.tor.state);
            first = false;
        }
        serve(&arti, &mut service, &args, &mut reporter, &streams).await;
        drop(service);
        reporter.restarting();
    }
}

/// Publishes the service; a predecessor that has just been dropped may take a moment to end.
async fn publish(arti: &Arti, args: &HostArgs) -> Result<Service, Fault> {
    let mut tries = 0_u32;
    loop {
        match arti.publish(&args.nickname, args.port) {
            Err(Fault::Tor(_)) if tries < 10 => {
                tries = tries.saturating_add(1);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            outcome => return outcome,
        }
    }
}

/// Forwards streams until the service must be restarted (TOR-22).
async fn serve(
    arti: &Arc<Arti>,
    service: &mut Service,
    args: &HostArgs,
    reporter: &mut Reporter,
    streams: &Arc<Semaphore>,
) {
    let key = service.key;
    let uploaded = service.uploaded();
    tokio::pin!(uploaded);
    let mut sent = false;
    let mut failures = 0_u32;
    let mut reached = false;
    let mut next_check = Instant::now();
    let mut check: Option<JoinHandle<bool>> = None;
    loop {
        tokio::select! {
            visitor = service.visitor() => {
                let Some(visitor) = visitor else { return };
                match Arc::clone(streams).try_acquire_owned() {
                    Ok(place) => {
                        tokio::spawn(forward(visitor, args.to.clone(), place));
                    }
                    Err(_) => visitor.refuse().await,
                }
            }
            () = &mut uploaded, if !sent => {
                sent = true;
                next_check = Instant::now();
            }
            () = tokio::time::sleep_until(next_check), if sent && check.is_none() => {
                check = Some(tokio::spawn(is_reachable(Arc::clone(arti), key, args.port)));
            }
            outcome = finished(&mut check) => {
                check = None;
                if outcome {
                    failures = 0;
                    if !reached {
                        reporter.published(&key, args.port);
                    }
                    reached = true;
                    reporter.reachable();
                } else {
                    failures = failures.saturating_add(1);
                    reporter.unreachable(failures);
                    if failures >= PATIENCE && reached {
                        return;
                    }
                }
                let pause = if reached { CHECK } else { FIRST_CHECK };
                let now = Instant::now();
                next_check = now.checked_add(pause).unwrap_or(now);
            }
        }
    }
}

/// Waits for the running check; for ever if there is none.
async fn finished(check: &mut Option<JoinHandle<bool>>) -> bool {
    match check {
        Some(check) => check.await.unwrap_or(false),
        None => std::future::pending().await,
    }
}

/// Dials our own address as a stranger would, on circuits of its own.
async fn is_reachable(arti: Arc<Arti>, key: [u8; 32], port: u16) -> bool {
    matches!(tokio::time::timeout(CHECK_LIMIT, arti.dial(&key, port)).await, Ok(Ok(_)))
}

/// Carries one visitor's bytes to the mailbox and back.
async fn forward(visitor: Visitor, to: impl AsRef<Path> + Send, place: OwnedSemaphorePermit) {
    // The mailbox first: a visitor is let in only if somebody is there.
    let Ok(mailbox) = UnixStream::connect(to).await else {
        tracing::warn!("the mailbox does not listen on its socket");
        return visitor.refuse().await;
    };
    if let Some(stream) = visitor.accept().await {
        splice(mailbox, stream, LIMITS).await;
    }
    drop(place);
}
