//! The message on the wire (RAT-1).

use crate::chain::Peer;
use crate::session::DecryptError;
use crypto::aead::{MessageKey, NotAuthentic, SIV_LEN, TAG_LEN, siv_open, siv_seal};
use crypto::kdf::{HASH_LEN, hash};
use crypto::{Zeroizing, dh, kem, labels};
use wire::{Malformed, Reader, Writer};

/// Length of every ratchet message: the body of one envelope.
pub const CIPHERTEXT_LEN: usize = 4000;
/// Most bytes of content in one message.
pub const MAX_CONTENT: usize = 1634;
/// Messages of one chain are numbered below this (RAT-6).
pub(crate) const MAX_N: u32 = 1 << 24;

const VERSION: u8 = 1;
const TYPE_MESSAGE: u8 = 1;
const FRONT_LEN: usize = 1 + 1 + 2 + 4 + 4;
const KEYS_LEN: usize = 32 + kem::EK_LEN + kem::CT_LEN;
const HEADER_LEN: usize = FRONT_LEN + KEYS_LEN;
const BODY_LEN: usize = 2 + MAX_CONTENT;
const SEALED_LEN: usize = SIV_LEN + BODY_LEN + TAG_LEN;

// RAT-1: the ledger.
const _: () = assert!(FRONT_LEN == 12 && HEADER_LEN == 2316 && BODY_LEN == 1636);
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
    pub(crate) fn seal(
        mk: &MessageKey,
        sid: &[u8; 32],
        (n, pn): (u32, u32),
        keys: &StepKeys,
        body: &Body,
    ) -> Self {
        let mut front = Writer::with_capacity(FRONT_LEN);
        front.u8(VERSION).u8(TYPE_MESSAGE).zeros(2).u32(n).u32(pn);
        let sealed = siv_seal(mk, sid, &[front.as_slice(), &keys.digest].concat(), &body.0);
        let mut out = Box::new([0; CIPHERTEXT_LEN]);
        let (header, to_sealed) = out.split_at_mut(HEADER_LEN);
        let (to_front, to_keys) = header.split_at_mut(FRONT_LEN);
        to_front.copy_from_slice(front.as_slice());
        to_keys.copy_from_slice(keys.bytes.as_slice());
        to_sealed.copy_from_slice(&sealed);
        Self(out)
    }

    /// Parses. What stands in the header is a claim until [`Parsed::open`] has succeeded.
    pub(crate) fn parse(&self) -> Result<Parsed<'_>, Malformed> {
        let mut r = Reader::new(self.0.as_slice());
        let (front, keys) = (r.array_ref()?, r.array_ref()?);
        let sealed = r.take(SEALED_LEN)?;
        r.finish()?;
        let mut r = Reader::new(front);
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
        let mut r = Reader::new(keys);
        let (dh, ek, ct) = (dh::Public(r.array()?), r.array_ref()?, r.array_ref()?);
        Ok(Parsed { n, pn, dh, ek, ct, front, keys, sealed })
    }
}

/// A message by its parts. The header is not encrypted by the ratchet: the envelope around it is
/// (BRD-9).
///
/// `ver(1) ‖ type(1) ‖ zero(2) ‖ n u32 ‖ pn u32 ‖ dh(32) ‖ ek(1184) ‖ ct(1088)` = 12 + 2304.
pub(crate) struct Parsed<'a> {
    pub(crate) n: u32,
    pub(crate) pn: u32,
    pub(crate) dh: dh::Public,
    ek: &'a [u8; kem::EK_LEN],
    ct: &'a [u8; kem::CT_LEN],
    front: &'a [u8; FRONT_LEN],
    keys: &'a [u8; KEYS_LEN],
    sealed: &'a [u8],
}

impl Parsed<'_> {
    /// The sender's pair, to which the next chain of the other side steps.
    pub(crate) fn peer(&self) -> Result<Peer, DecryptError> {
        let ek = kem::EncapsulationKey::from_bytes(self.ek)
            .map_err(|_| DecryptError::Malformed(Malformed::Field("ek")))?;
        Ok(Peer { dh: self.dh, ek })
    }

    /// What is encapsulated to the pair that the chain answers.
    pub(crate) fn ciphertext(&self) -> kem::Ciphertext {
        kem::Ciphertext::from_bytes(self.ct)
    }

    /// Digest of the keys, which are hashed only if they are not those that are `known`.
    pub(crate) fn digest(&self, known: Option<&StepKeys>) -> [u8; HASH_LEN] {
        match known {
            Some(known) if known.bytes.as_slice() == self.keys => known.digest,
            _ => digest(self.keys),
        }
    }

    /// The keys, with a digest that [`digest`](Self::digest) gave.
    pub(crate) fn step_keys(&self, digest: [u8; HASH_LEN]) -> StepKeys {
        StepKeys { bytes: Box::new(*self.keys), digest }
    }

    /// Opens the body under `mk`.
    pub(crate) fn open(
        &self,
        mk: &MessageKey,
        sid: &[u8; 32],
        digest: &[u8; HASH_LEN],
    ) -> Result<Body, NotAuthentic> {
        siv_open(mk, sid, &[self.front.as_slice(), digest].concat(), self.sealed).map(Body)
    }
}

/// What a chain brings, and each message of it repeats: `dh(32) ‖ ek(1184) ‖ ct(1088)`, 2304 bytes.
/// Public. Hashed once for the whole chain, as a message is bound to the digest (RAT-5).
pub(crate) struct StepKeys {
    bytes: Box<[u8; KEYS_LEN]>,
    digest: [u8; HASH_LEN],
}

impl StepKeys {
    pub(crate) fn new(dh: &dh::Public, ek: &kem::EncapsulationKey, ct: &kem::Ciphertext) -> Self {
        let mut bytes = Box::new([0; KEYS_LEN]);
        let (to_dh, rest) = bytes.split_at_mut(32);
        let (to_ek, to_ct) = rest.split_at_mut(kem::EK_LEN);
        to_dh.copy_from_slice(&dh.0);
        to_ek.copy_from_slice(ek.as_bytes());
        to_ct.copy_from_slice(ct.as_bytes());
        let digest = digest(&bytes);
        Self { bytes, digest }
    }
}

/// `H("pvtcoms v1 step keys" ‖ keys)` (RAT-5).
fn digest(keys: &[u8; KEYS_LEN]) -> [u8; HASH_LEN] {
    hash(&[labels::STEP_KEYS, keys])
}

/// The ciphertext of a first chain, which answers no pair: zeros.
pub(crate) fn no_ciphertext() -> kem::Ciphertext {
    kem::Ciphertext::from_bytes(&[0; kem::CT_LEN])
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
