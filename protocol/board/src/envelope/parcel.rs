//! The plaintext of an envelope (BRD-4, BRD-7).

use super::SealError;
use crypto::Zeroizing;
use wire::{Malformed, Reader, Writer};

/// Most bytes in the body of one parcel.
pub const BODY_LEN: usize = 4000;
/// Most parts of a handshake message (BRD-6).
pub const MAX_HANDSHAKE_PARTS: u8 = 8;
/// Most parts of a resync message (BRD-6).
pub const MAX_RESYNC_PARTS: u8 = 4;

const HEAD_LEN: usize = 1 + 1 + 1 + 1 + 2 + 2 + 4 + 4 + 8 + 16;
pub(super) const PLAIN_LEN: usize = HEAD_LEN + BODY_LEN;
const VERSION: u8 = 1;

// BRD-4: the ledger.
const _: () = assert!(HEAD_LEN == 40 && PLAIN_LEN == 4040);

/// What an envelope carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A ratchet message.
    Message = 1,
    /// A part of a handshake message.
    Handshake = 2,
    /// A part of a re-key message.
    Resync = 3,
    /// A part of a file.
    FilePart = 4,
    /// Nothing: a profile sends it to itself.
    Loop = 5,
    /// A sign of life, for other copies of the profile that sends it (ENG-9).
    Beacon = 6,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::Message => 1,
            Self::Handshake => 2,
            Self::Resync => 3,
            Self::FilePart => 4,
            Self::Loop => 5,
            Self::Beacon => 6,
        }
    }

    pub(super) const fn from_byte(kind: u8) -> Result<Self, Malformed> {
        match kind {
            1 => Ok(Self::Message),
            2 => Ok(Self::Handshake),
            3 => Ok(Self::Resync),
            4 => Ok(Self::FilePart),
            5 => Ok(Self::Loop),
            6 => Ok(Self::Beacon),
            _ => Err(Malformed::Field("kind")),
        }
    }

    /// Most parts of one item of this kind (BRD-6, BRD-7).
    #[must_use]
    pub const fn max_parts(self) -> u8 {
        match self {
            Self::Handshake => MAX_HANDSHAKE_PARTS,
            Self::Resync => MAX_RESYNC_PARTS,
            Self::Message | Self::FilePart | Self::Loop | Self::Beacon => 1,
        }
    }

    const fn has(self, part: u8, parts: u8) -> bool {
        part < parts && parts <= self.max_parts()
    }
}

/// What has arrived of one generation (BRD-42).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The generation.
    pub g: u16,
    /// All indices below have arrived, or are below the sender's floor.
    pub base: u32,
    /// Bit `j`: index `base + 1 + j` has arrived.
    pub map: u64,
}

impl Ack {
    /// Whether it says that index `n` has arrived or was given up.
    #[must_use]
    pub fn covers(&self, n: u32) -> bool {
        let bit = n.checked_sub(self.base).and_then(|above| above.checked_sub(1));
        n < self.base || bit.and_then(|j| 1_u64.checked_shl(j)).is_some_and(|b| self.map & b != 0)
    }
}

/// The plaintext of an envelope, 4040 bytes:
/// `ver(1)=1 ‖ kind(1) ‖ part(1) ‖ parts(1) ‖ len(2) ‖ ack_g(2) ‖ ack_base(4) ‖ floor(4) ‖
/// ack_map(8) ‖ mid(16) ‖ body(4000)`.
pub struct Parcel {
    /// What the body is.
    pub kind: Kind,
    /// Which part this is, from 0.
    pub part: u8,
    /// How many parts there are.
    pub parts: u8,
    /// What has arrived from the other side. An ack of nothing (all zero) is none.
    pub ack: Option<Ack>,
    /// Lowest index that the sender still pursues.
    pub floor: u32,
    /// The item, 16 random bytes: the same on both mailboxes and in every repetition.
    pub mid: [u8; 16],
    /// At most [`BODY_LEN`] bytes.
    pub body: Zeroizing<Vec<u8>>,
}

impl Parcel {
    pub(super) fn encode(&self) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let len = u16::try_from(self.body.len()).map_err(|_| SealError::TooLong)?;
        if self.body.len() > BODY_LEN {
            return Err(SealError::TooLong);
        }
        // BRD-7
        if !self.kind.has(self.part, self.parts) {
            return Err(SealError::Parts);
        }
        let ack = self.ack.unwrap_or(Ack { g: 0, base: 0, map: 0 });
        let mut w = Writer::with_capacity(PLAIN_LEN);
        w.u8(VERSION).u8(self.kind.byte()).u8(self.part).u8(self.parts).u16(len);
        w.u16(ack.g).u32(ack.base).u32(self.floor).u64(ack.map).bytes(&self.mid);
        w.bytes(&self.body).pad_to(PLAIN_LEN);
        Ok(Zeroizing::new(w.into_vec()))
    }

    pub(super) fn decode(plain: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(plain);
        if r.u8()? != VERSION {
            return Err(Malformed::Field("version"));
        }
        let (kind, part, parts) = (Kind::from_byte(r.u8()?)?, r.u8()?, r.u8()?);
        let len = usize::from(r.u16()?);
        // BRD-7
        if !kind.has(part, parts) {
            return Err(Malformed::Field("part"));
        }
        let (g, base, floor, map) = (r.u16()?, r.u32()?, r.u32()?, r.u64()?);
        let mid = r.array()?;
        let mut body = r.sub(BODY_LEN)?;
        r.finish()?;
        let used = Zeroizing::new(body.take(len)?.to_vec());
        body.zeros(body.remaining())?; // BRD-7
        let ack = Some(Ack { g, base, map }).filter(|a| (a.g, a.base, a.map) != (0, 0, 0));
        Ok(Self { kind, part, parts, ack, floor, mid, body: used })
    }
}
