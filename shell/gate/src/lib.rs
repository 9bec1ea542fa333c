//! The core's side of the gate, and the half that the gate's program shares with it.
//!
//! The core may open no socket. It holds one end of a `SOCK_SEQPACKET` pair and asks over it for
//! "a stream to this onion, this port, under this isolation token"; `pvtcoms-tor` answers with one
//! end of a fresh Unix socket pair, passed as a descriptor, and carries its bytes over Tor.
//! Rules TOR-2 to TOR-9 of `docs/spec/gate.md`.

mod client;
mod frame;
mod seq;
mod server;

pub use client::{DialError, GateClient, GateStatus};
pub use frame::{
    Backend, Blockage, Dial, Frame, Hello, Isolation, MAX_FRAME, Reason, Stage, Status, Vanguards,
};
pub use server::{GateServer, Request, ServerError};

/// Version of the frames, in every `Hello`.
pub const VERSION: u16 = 1;
