//! The RPC server: JSON-RPC 2.0 on the inherited listener, one object a line (product.md 9).

mod connection;
mod line;
mod message;

use crate::actor::Handle;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Uid, getuid};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

/// Connections served at once (RPC-1); further ones wait to be accepted.
const CONNECTIONS: usize = 64;
/// Pause after a connection could not be accepted.
const AGAIN: Duration = Duration::from_millis(100);

/// Serves faces for as long as it is polled. Every connection is a task of its own, so that a slow
/// reader delays itself alone (PRD-17, RPC-4).
pub(crate) async fn serve(listener: UnixListener, core: Handle) {
    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&free).acquire_owned().await else { return };
        // Accepting fails when descriptors run out, or when the peer is gone again already.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AGAIN).await;
            continue;
        };
        if !peer_uid(&stream).is_some_and(|peer| admits(peer, getuid())) {
            tracing::warn!("a connection of another user was refused");
            continue;
        }
        let core = core.clone();
        tokio::spawn(async move {
            connection::serve(stream, core).await;
            drop(place);
        });
    }
}

fn peer_uid(stream: &UnixStream) -> Option<Uid> {
    socket_peercred(stream).ok().map(|peer| peer.uid)
}

/// SBX-2, RPC-1: only our own user, not even root.
fn admits(peer: Uid, own: Uid) -> bool {
    peer == own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sbx_2_rpc_1_only_our_own_user_is_served() {
        let (one, two) = (Uid::from_raw(1000), Uid::from_raw(1001));
        assert!(admits(one, one));
        assert!(!admits(two, one));
        assert!(!admits(Uid::ROOT, one));
    }
}
