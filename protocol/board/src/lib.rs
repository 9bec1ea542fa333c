//! The mailbox protocol: tags, envelopes, frames, pages, digests, proof of work.

pub mod address;
pub mod chain;
pub mod envelope;
pub mod frame;
pub mod header;
pub mod merkle;
pub mod page;
pub mod pow;
pub mod tag;
