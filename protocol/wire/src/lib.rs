//! Reader, Writer and Codec: the only place that slices untrusted bytes.
//!
//! Everything that arrives from a peer, a mailbox, the gate or a file passes through one
//! [`Reader`]: it never reads past its end, never allocates by a length that it has not checked,
//! and leftover bytes are an error. All integers are big-endian. Rules WIR-1 to WIR-4 of
//! `docs/spec/wire.md`.
#![no_std]

extern crate alloc;

mod codec;
mod reader;
mod writer;

pub use codec::Codec;
pub use reader::{Malformed, Reader};
pub use writer::Writer;
