//! A socket pair with a client at one end.

use std::os::fd::OwnedFd;
use std::time::Duration;

use gate::{Backend, Dial, GateClient, GateServer, Hello, Request, Vanguards};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) fn pair(kind: SocketType) -> (OwnedFd, OwnedFd) {
    rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap()
}

pub(crate) fn hello(epoch: u8) -> Hello {
    Hello {
        epoch: [epoch; 16],
        version: gate::VERSION,
        backend: Backend::Arti,
        vanguards: Vanguards::Full,
        private_network: true,
    }
}

/// A client and the gate's end, of which the supervisor keeps a copy.
pub(crate) fn client() -> (GateClient, OwnedFd) {
    let (core, gate) = pair(SocketType::SEQPACKET);
    (GateClient::new(core).unwrap(), gate)
}

pub(crate) async fn start_gate(end: &OwnedFd, epoch: u8) -> GateServer {
    GateServer::new(end.try_clone().unwrap(), hello(epoch)).await.unwrap()
}

pub(crate) async fn next_dial(gate: &GateServer) -> Dial {
    match gate.recv().await.unwrap() {
        Some(Request::Dial(dial)) => dial,
        Some(Request::Abort { id }) => panic!("abort of {id} where a dial was due"),
        None => panic!("the core has closed"),
    }
}

pub(crate) async fn next_abort(gate: &GateServer) -> u64 {
    match gate.recv().await.unwrap() {
        Some(Request::Abort { id }) => id,
        Some(Request::Dial(dial)) => panic!("dial {} where an abort was due", dial.id),
        None => panic!("the core has closed"),
    }
}
