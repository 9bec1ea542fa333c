//! The kinds of content (CNT-1, CNT-2).

use crate::file::{Offer, Report};
use crate::text::Part;
use crate::timer::{Timer, TimerSetting};
use crypto::{Zeroizing, secret};
use wire::{Malformed, Reader, Writer};

/// Most bytes of content in one ratchet message.
pub const MAX_CONTENT: usize = 1634;
/// Most mailboxes in an inbox set (BRD-40).
pub const MAX_MAILBOXES: usize = 2;

const PART: u8 = 1;
const RECEIPT: u8 = 2;
const NEW_GENERATION: u8 = 3;
const INBOX_SET: u8 = 4;
const TIMER: u8 = 6;
const FILE_OFFER: u8 = 7;
const FILE_REPORT: u8 = 8;
const FLOOR: u8 = 9;

secret! {
    /// `r` of a new generation, 32 fresh bytes (BRD-9).
    pub struct GenerationRandom([u8; 32]);
}

crypto::opaque!(Content);

/// What one ratchet message carries: `kind(1) ‖ fields`.
pub enum Content {
    /// 1: a part of a text message.
    Part(Part),
    /// 2: nothing. It steps the ratchet of a side that only listens (RAT-8).
    Receipt,
    /// 3: `g u16 ‖ r(32)`: the sender's tag chain goes on in generation `g` (BRD-9).
    NewGeneration {
        /// The generation that begins.
        g: u16,
        /// What it is derived from, together with the one before.
        r: GenerationRandom,
    },
    /// 4: `version u32 ‖ count(1) ‖ count × onion key(32)`: where the sender reads (BRD-48).
    InboxSet {
        /// The higher version wins.
        version: u32,
        /// One or two onion keys, different from each other.
        mailboxes: Vec<[u8; 32]>,
    },
    /// 6: `counter u32 ‖ seconds u32`: how long messages stay from here on (CNT-8).
    Timer(TimerSetting),
    /// 7: a file is about to come, under tags of its own (FIL-1).
    FileOffer(Offer),
    /// 8: how far a file has come, or that it ends (FIL-1).
    FileReport(Report),
    /// 9: `floor u32`, not 0: every message with a smaller number was delivered, taken back or given
    /// up (CNT-7).
    Floor {
        /// The smallest number that may still come.
        floor: u32,
    },
    /// A kind of a later version: shown as "unsupported message", never an error (CNT-2).
    Unsupported {
        /// The kind.
        kind: u8,
    },
}

impl Content {
    /// The bytes, at most [`MAX_CONTENT`] for parts of [`crate::split_text`] and for inbox sets of
    /// [`MAX_MAILBOXES`].
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(MAX_CONTENT);
        match self {
            Self::Part(part) => part.encode_into(w.u8(PART)),
            Self::Receipt => {
                w.u8(RECEIPT);
            }
            Self::NewGeneration { g, r } => {
                w.u8(NEW_GENERATION).u16(*g).bytes(r.expose_secret());
            }
            Self::InboxSet { version, mailboxes } => {
                let count = u8::try_from(mailboxes.len()).unwrap_or(u8::MAX);
                w.u8(INBOX_SET).u32(*version).u8(count).bytes(&mailboxes.concat());
            }
            Self::Timer(TimerSetting { counter, timer }) => {
                timer.encode_into(w.u8(TIMER).u32(*counter));
            }
            Self::FileOffer(offer) => offer.encode_into(w.u8(FILE_OFFER)),
            Self::FileReport(report) => report.encode_into(w.u8(FILE_REPORT)),
            Self::Floor { floor } => {
                w.u8(FLOOR).u32(*floor);
            }
            Self::Unsupported { kind } => {
                w.u8(*kind);
            }
        }
        Zeroizing::new(w.into_vec())
    }

    /// Parses what the peer encrypted.
    ///
    /// # Errors
    /// [`Malformed`] if a known kind has fields that do not exist (CNT-1); an unknown kind is no
    /// error.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let content = match r.u8()? {
            0 => return Err(Malformed::Field("kind")),
            PART => Self::Part(Part::decode(&mut r)?),
            RECEIPT => Self::Receipt,
            NEW_GENERATION => {
                Self::NewGeneration { g: r.u16()?, r: GenerationRandom::copy_of(r.array_ref()?) }
            }
            INBOX_SET => inbox_set(&mut r)?,
            TIMER => Self::Timer(TimerSetting { counter: r.u32()?, timer: Timer::decode(&mut r)? }),
            FILE_OFFER => Self::FileOffer(Offer::decode(&mut r)?),
            FILE_REPORT => Self::FileReport(Report::decode(&mut r)?),
            FLOOR => Self::Floor { floor: floor(&mut r)? },
            kind => return Ok(Self::Unsupported { kind }), // CNT-2: whatever follows
        };
        r.finish()?;
        Ok(content)
    }
}

/// Numbers begin at 0, so that a floor of 0 would say nothing (CNT-7).
fn floor(r: &mut Reader<'_>) -> Result<u32, Malformed> {
    match r.u32()? {
        0 => Err(Malformed::Field("floor")),
        floor => Ok(floor),
    }
}

fn inbox_set(r: &mut Reader<'_>) -> Result<Content, Malformed> {
    let (version, count) = (r.u32()?, usize::from(r.u8()?));
    if !(1..=MAX_MAILBOXES).contains(&count) {
        return Err(Malformed::Field("mailboxes"));
    }
    let mut mailboxes = Vec::with_capacity(count);
    for _ in 0..count {
        let mailbox = r.array()?;
        if mailboxes.contains(&mailbox) {
            return Err(Malformed::Field("mailboxes"));
        }
        mailboxes.push(mailbox);
    }
    Ok(Content::InboxSet { version, mailboxes })
}
