//! A private Tor network on loopback: six real `tor` processes, all of them directory authority
//! and relay, for tests and for the demonstration. Rules TOR-25 to TOR-30 of `docs/spec/gate.md`.
//!
//! Not anonymous, by construction: all relays are one computer.

mod block;
mod error;
mod keys;
mod net;
mod network;
mod process;
mod torrc;

pub use error::Error;
pub use net::{FallbackCache, Net};
pub use network::{Options, Tornet};
pub use process::{TorProcess, tor_binary};
pub use torrc::Profile;

/// Environment variable with the path of a running network's `net.json` (TOR-28).
pub const NET_VARIABLE: &str = "PVTCOMS_TORNET";

/// Environment variable with the folder for keys and data of the networks (TOR-25).
pub const CACHE_VARIABLE: &str = "PVTCOMS_TORNET_CACHE";

/// How many relays a network has: vanguards full was proved on six.
pub const RELAYS: u16 = 6;
