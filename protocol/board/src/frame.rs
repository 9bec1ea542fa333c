//! Requests and answers: one operation a stream, and no other lengths (BRD-11, 12).

mod answer;
mod request;

pub use answer::{FetchAnswer, FetchError, PutAnswer};
pub use request::{PutRequest, Request, RequestHead, Window};

use crate::envelope::ENVELOPE_LEN;
use crate::merkle::MAX_DEPTH;
use crate::page::CHUNK;

/// Length of a request's head, and of the answer to a PUT, in bytes.
pub const HEAD_LEN: usize = 64;
/// Length of a whole PUT in bytes: 64 + 4096.
pub const PUT_LEN: usize = HEAD_LEN + ENVELOPE_LEN;
/// Length of the answer to a FETCH in bytes: 64 + 14 × 32 + 8 × 4096.
pub const FETCH_ANSWER_LEN: usize = HEAD_LEN + MAX_DEPTH * 32 + CHUNK * ENVELOPE_LEN;
/// Length of a page header in bytes.
pub const HEADER_LEN: usize = crate::header::HEADER_LEN;
/// Version of every frame.
pub(crate) const VERSION: u8 = 1;

const _: () = assert!(PUT_LEN == 4160 && FETCH_ANSWER_LEN == 33_280 && HEADER_LEN == 256);

#[cfg(test)]
mod tests;
