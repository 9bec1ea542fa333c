//! The mailbox protocol: tags, envelopes, frames, pages, digests, proof of work.
