//! The message on the wire (RAT-1).

use crate::chain::Peer;
use crate::session::DecryptError;
use crypto::aead::{MessageKey, NotAuthentic, SIV_LEN, TAG_LEN, siv_open, siv_seal};
use crypto::{Zeroizing, dh, kem};
use wire::{Malformed, Reader, Writer};

/// Length of every ratchet message: the body of one envelope.
pub const CIPHERTEXT_LEN: usize = 4000;
/// Most bytes of content in one message.
pub const MAX_CONTENT: usize = 1634;
/// Messages of one chain are numbered below this (RAT-6).
pub(crate) const MAX_N: u32 = 1 << 24;

const VERSION: u8 = 1;
const TYPE_MESSAGE: u8 = 1;
const HEADER_LEN: usize = 1 + 1 + 2 + 4 + 4 + 32 + kem::EK_LEN + kem::CT_LEN;
const BODY_LEN: usize = 2 + MAX_CONTENT;
const SEALED_LEN: usize = SIV_LEN + BODY_LEN + TAG_LEN;

// RAT-1: the ledger.
const _: () = assert!(HEADER_LEN == 2316 && BODY_LEN == 1636);
const _: () = assert!(HEADER_LEN + SIV_LEN + BODY_LEN + TAG_LEN == CIPHERTEXT_LEN);

/// One ratchet message, always 4000 bytes:
/// `header(2316) ‖ siv(32) ‖ encrypted body(1636) ‖ tag(16)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext(Box<[u8; CIPHERTEXT_LEN]>);

impl Ciphertext {
    /// Takes 4000 bytes from the board; they are judged by [`crate::Ratchet::decrypt`].
    #[must_use]
    pub fn from_bytes(bytes: &[u8; CIPHERTEXT_LEN]) -> Self {
        Self(Box::new(*bytes))
    }

    /// The 4000 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; CIPHERTEXT_LEN] {
        &self.0
    }

    /// Seals `body` under `mk`, bound to the session and the header (RAT-5).
    pub(crate) fn seal(mk: &MessageKey, sid: &[u8; 32], header: &Header, body: &Body) -> Self {
        let head = header.to_bytes();
        let sealed = siv_seal(mk, sid, &head, &body.0);
        let mut out = Box::new([0; CIPHERTEXT_LEN]);
        let (to_head, to_sealed) = out.split_at_mut(HEADER_LEN);
        to_head.copy_from_slice(&head);
        to_sealed.copy_from_slice(&sealed);
        Self(out)
    }

    /// Parses the header. What stands in it is a claim until [`open`](Self::open) has succeeded.
    pub(crate) fn header(&self) -> Result<Header, Malformed> {
        let mut r = Reader::new(self.0.as_slice());
        let header = Header::decode(&mut r)?;
        r.take(SEALED_LEN)?;
        r.finish()?;
        Ok(header)
    }

    /// Opens the body under `mk`.
    pub(crate) fn open(&self, mk: &MessageKey, sid: &[u8; 32]) -> Result<Body, NotAuthentic> {
        let (head, sealed) = self.0.split_at_checked(HEADER_LEN).ok_or(NotAuthentic)?;
        siv_open(mk, sid, head, sealed).map(Body)
    }
}

/// Header of a message. Not encrypted by the ratchet: the envelope around it is (BRD-9).
///
/// `ver(1) ‖ type(1) ‖ zero(2) ‖ n u32 ‖ pn u32 ‖ dh(32) ‖ ek(1184) ‖ ct(1088)` = 2316.
pub(crate) struct Header {
    pub(crate) n: u32,
    pub(crate) pn: u32,
    pub(crate) dh: dh::Public,
    pub(crate) ek: [u8; kem::EK_LEN],
    pub(crate) ct: kem::Ciphertext,
}

impl Header {
    /// The ciphertext of a first chain, which answers no pair: zeros.
    pub(crate) fn no_ciphertext() -> kem::Ciphertext {
        kem::Ciphertext::from_bytes(&[0; kem::CT_LEN])
    }

    /// The sender's pair, to which the next chain of the other side steps.
    pub(crate) fn peer(&self) -> Result<Peer, DecryptError> {
        let ek = kem::EncapsulationKey::from_bytes(&self.ek)
            .map_err(|_| DecryptError::Malformed(Malformed::Field("ek")))?;
        Ok(Peer { dh: self.dh, ek })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(HEADER_LEN);
        w.u8(VERSION).u8(TYPE_MESSAGE).zeros(2).u32(self.n).u32(self.pn);
        w.bytes(&self.dh.0).bytes(&self.ek).bytes(self.ct.as_bytes());
        w.into_vec()
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        if r.u8()? != VERSION {
            return Err(Malformed::Field("version"));
        }
        if r.u8()? != TYPE_MESSAGE {
            return Err(Malformed::Field("type"));
        }
        r.zeros(2)?;
        let (n, pn) = (r.u32()?, r.u32()?);
        // RAT-6
        if n >= MAX_N || pn > MAX_N {
            return Err(Malformed::Field("n"));
        }
        let dh = dh::Public(r.array()?);
        let ek = r.array()?;
        let ct = kem::Ciphertext::from_bytes(&r.array()?);
        Ok(Self { n, pn, dh, ek, ct })
    }
}

/// The padded plaintext: `len u16 ‖ content ‖ zeros`, always 1636 bytes.
pub(crate) struct Body(Zeroizing<Vec<u8>>);

impl Body {
    /// Pads; `None` above [`MAX_CONTENT`].
    pub(crate) fn pad(content: &[u8]) -> Option<Self> {
        let len = u16::try_from(content.len()).ok().filter(|_| content.len() <= MAX_CONTENT)?;
        let mut w = Writer::with_capacity(BODY_LEN);
        w.u16(len).bytes(content).pad_to(BODY_LEN);
        Some(Self(Zeroizing::new(w.into_vec())))
    }

    /// Unpads (RAT-1): the length fits and what follows is zero.
    pub(crate) fn unpad(&self) -> Result<Authentic, Malformed> {
        let mut r = Reader::new(&self.0);
        let len = usize::from(r.u16()?);
        let content = Zeroizing::new(r.take(len)?.to_vec());
        r.zeros(r.remaining())?;
        Ok(Authentic { content })
    }
}

/// Content that the peer of this session wrote, and nobody else: only
/// [`crate::Ratchet::decrypt`] makes one.
pub struct Authentic {
    content: Zeroizing<Vec<u8>>,
}

impl Authentic {
    /// What the peer encrypted, at most [`MAX_CONTENT`] bytes.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}
