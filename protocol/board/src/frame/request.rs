use super::{HEAD_LEN, PUT_LEN, VERSION};
use crate::envelope::Envelope;
use crate::pow::{NONCE_LEN, SOLUTION_LEN};
use wire::{Malformed, Reader, Writer};

const OP_PUT: u8 = 1;
const OP_DIGEST: u8 = 2;
const OP_FETCH: u8 = 3;
/// The oldest UTC day that a DIGEST can ask for, counted back from today.
const OLDEST_DAY: u8 = 13;

/// Which pages a DIGEST asks for. There are no others: no cursor, no `since` (BRD-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// The last ten minutes, then every page as it closes.
    Stream,
    /// The last ten minutes.
    LastTenMinutes,
    /// The last hour.
    LastHour,
    /// The UTC day `today − back`, `back` from 0 to 13.
    Day {
        /// Days before today.
        back: u8,
    },
}

/// One envelope to be stored.
pub struct PutRequest {
    /// The epoch whose seed the proof of work answers.
    pub epoch: u64,
    /// The nonce of the proof of work; no cipher's.
    pub nonce: [u8; NONCE_LEN],
    /// The solution.
    pub solution: [u8; SOLUTION_LEN],
    /// The envelope.
    pub envelope: Envelope,
}

/// What a client sends on one stream.
///
/// ```text
/// PUT    ver(1) op(1)=1 epoch(8) nonce(16) solution(16) zero(22) ‖ envelope(4096)   64 + 4096
/// DIGEST ver(1) op(1)=2 mode(1) back(1) zero(60)                                    64
/// FETCH  ver(1) op(1)=3 page(8) chunk(2) zero(52)                                   64
/// ```
pub enum Request {
    /// Stores an envelope.
    Put(PutRequest),
    /// Asks for the digest frames of a window.
    Digest(Window),
    /// Asks for eight envelopes.
    Fetch {
        /// Number of the page.
        page: u64,
        /// Number of the chunk in it.
        chunk: u16,
    },
}

impl Request {
    /// The bytes of the request: 4160 for a PUT, else 64 (BRD-11).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(PUT_LEN);
        w.u8(VERSION);
        match self {
            Self::Put(put) => {
                w.u8(OP_PUT).u64(put.epoch).bytes(&put.nonce).bytes(&put.solution);
                w.pad_to(HEAD_LEN).bytes(put.envelope.as_bytes());
            }
            Self::Digest(window) => {
                let (mode, back) = match window {
                    Window::Stream => (0, 0),
                    Window::LastTenMinutes => (1, 0),
                    Window::LastHour => (2, 0),
                    Window::Day { back } => (3, *back),
                };
                w.u8(OP_DIGEST).u8(mode).u8(back).pad_to(HEAD_LEN);
            }
            Self::Fetch { page, chunk } => {
                w.u8(OP_FETCH).u64(*page).u16(*chunk).pad_to(HEAD_LEN);
            }
        }
        w.into_vec()
    }
}

/// The first 64 bytes of a request, as the server reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestHead {
    /// 4096 bytes of envelope follow.
    Put {
        /// The epoch whose seed was used.
        epoch: u64,
        /// The nonce of the proof of work.
        nonce: [u8; NONCE_LEN],
        /// The solution.
        solution: [u8; SOLUTION_LEN],
    },
    /// A digest is asked for.
    Digest(Window),
    /// A chunk is asked for; it need not exist.
    Fetch {
        /// Number of the page.
        page: u64,
        /// Number of the chunk in it.
        chunk: u16,
    },
}

impl RequestHead {
    /// Reads a head. Wrong version, operation, mode, or a reserved byte that is not zero: refused.
    ///
    /// # Errors
    /// [`Malformed`]; the server closes without a byte then (BRD-16).
    pub fn decode(bytes: &[u8; HEAD_LEN]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        if r.u8()? != VERSION {
            return Err(Malformed::Field("ver"));
        }
        let head = match r.u8()? {
            OP_PUT => Self::Put { epoch: r.u64()?, nonce: r.array()?, solution: r.array()? },
            OP_DIGEST => Self::Digest(window(r.u8()?, r.u8()?)?),
            OP_FETCH => Self::Fetch { page: r.u64()?, chunk: r.u16()? },
            _ => return Err(Malformed::Field("op")),
        };
        r.zeros(r.remaining())?; // BRD-11
        Ok(head)
    }
}

const fn window(mode: u8, back: u8) -> Result<Window, Malformed> {
    match (mode, back) {
        (0, 0) => Ok(Window::Stream),
        (1, 0) => Ok(Window::LastTenMinutes),
        (2, 0) => Ok(Window::LastHour),
        (3, 0..=OLDEST_DAY) => Ok(Window::Day { back }),
        (0..=3, _) => Err(Malformed::Field("back")),
        _ => Err(Malformed::Field("mode")),
    }
}
