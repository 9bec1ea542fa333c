//! The formulas of the specification once more, with every intermediate value in the open. The
//! transcript is made by the crates; what stands beside it comes from here, and where both know a
//! value they must agree.

use crate::hexed::hex;
use crypto::aead::{MessageKey, OneTimeKey};
use crypto::kdf::{Prk, extract, hmac, lp};
use crypto::{dh, hash, kem};
use serde_json::{Value, json};

/// One combiner step (HS-2): what goes in.
pub(crate) struct Mix<'a> {
    /// The step's number.
    pub(crate) step: u8,
    /// The encapsulated secret.
    pub(crate) kem_ss: kem::Shared,
    /// The Diffie-Hellman secret.
    pub(crate) x_ss: dh::Shared,
    /// Key of the side that encapsulates.
    pub(crate) x_enc: dh::Public,
    /// Key of the other side.
    pub(crate) x_dec: dh::Public,
    /// What was encapsulated to.
    pub(crate) ek: &'a kem::EncapsulationKey,
    /// What came of it.
    pub(crate) ct: &'a kem::Ciphertext,
}

/// What comes out of a combiner step.
pub(crate) struct Mixed {
    /// The next chaining or root key.
    pub(crate) next: [u8; 32],
    /// The key of the step.
    pub(crate) key: [u8; 32],
    /// All values on the way.
    pub(crate) shown: Value,
}

/// HS-2, by the letter.
#[must_use]
pub(crate) fn mix(salt: &[u8; 32], transcript: &[u8; 32], m: &Mix<'_>) -> Mixed {
    let (kem_ss, x_ss) = (m.kem_ss.expose_secret(), m.x_ss.expose_secret());
    let parts: [&[u8]; 5] = [transcript, &m.x_enc.0, &m.x_dec.0, m.ek.as_bytes(), m.ct.as_bytes()];
    let prefixed: Vec<u8> = parts.iter().flat_map(|p| [&lp(p), *p].concat()).collect();
    let ctx = hash(&[b"pvtcoms v1 combiner", &[m.step], &prefixed]);
    // Extract is HMAC with the salt as key (RFC 5869, 2.2); here the PRK itself is shown.
    let mut prk = [0; 32];
    hmac(salt, &[kem_ss, x_ss, &ctx], &mut prk);
    let mut out = [0; 64];
    Prk::from_key(&prk).expand(&[b"pvtcoms v1 mix", &[m.step]], &mut out);
    let (next, key) = (*out.first_chunk().unwrap(), *out.last_chunk().unwrap());
    let shown = json!({
        "step": m.step, "salt": hex(salt), "h": hex(transcript), "kem_ss": hex(kem_ss),
        "x_ss": hex(x_ss), "ctx": hex(&ctx), "prk": hex(&prk), "next": hex(&next), "k": hex(&key),
    });
    Mixed { next, key, shown }
}

/// Root key and first chain key of a session (RAT-3).
pub(crate) fn begin(root: &[u8; 32], sid: &[u8; 32]) -> ([u8; 32], [u8; 32]) {
    let mut out = [0; 64];
    Prk::from_key(root).expand(&[b"pvtcoms v1 ratchet first", sid], &mut out);
    (*out.first_chunk().unwrap(), *out.last_chunk().unwrap())
}

/// `h` and `ck` of a handshake (HS-1).
#[derive(Clone)]
pub(crate) struct Chain {
    /// The transcript hash.
    pub(crate) h: [u8; 32],
    /// The chaining key.
    pub(crate) ck: [u8; 32],
}

impl Chain {
    /// A pairing's beginning.
    #[must_use]
    pub(crate) fn pairing(m1: &[u8], invite_secret: &[u8; 32]) -> Self {
        let mut psk = [0; 32];
        extract(&[], &[invite_secret]).expand(&[b"pvtcoms v1 psk"], &mut psk);
        Self::start(b"pvtcoms v1 xx", &[m1], &psk)
    }

    /// `h = H(label ‖ LP(part) ‖ ..)`, `ck = HKDF-Extract(h, psk)`.
    #[must_use]
    pub(crate) fn start(label: &[u8], parts: &[&[u8]], psk: &[u8; 32]) -> Self {
        let prefixed: Vec<u8> = parts.iter().flat_map(|p| [&lp(p), *p].concat()).collect();
        let h = hash(&[label, &prefixed]);
        let mut ck = [0; 32];
        hmac(&h, &[psk], &mut ck);
        Self { h, ck }
    }

    /// `h <- H(LP(h) ‖ LP(bytes))`.
    pub(crate) fn absorb(&mut self, bytes: &[u8]) {
        self.h = hash(&[&lp(&self.h), &self.h, &lp(bytes), bytes]);
    }

    /// A step: moves `ck`, gives the key and what to show.
    pub(crate) fn mix(&mut self, m: &Mix<'_>) -> (OneTimeKey, Value) {
        let mixed = mix(&self.ck, &self.h, m);
        self.ck = mixed.next;
        (OneTimeKey::copy_of(&mixed.key), mixed.shown)
    }

    /// Seals under `h` and absorbs.
    pub(crate) fn seal(&mut self, key: OneTimeKey, plain: &[u8]) -> Vec<u8> {
        let sealed = key.seal(&self.h, plain);
        self.absorb(&sealed);
        sealed
    }

    /// The session's secret.
    #[must_use]
    pub(crate) fn session(&self) -> [u8; 32] {
        let mut out = [0; 32];
        Prk::from_key(&self.ck).expand(&[b"pvtcoms v1 session", &self.h], &mut out);
        out
    }
}

/// A ratchet chain's key and the keys of one message (RAT-3, RAT-5).
#[must_use]
pub(crate) fn message_key(ck: &[u8; 32]) -> (MessageKey, [u8; 32]) {
    let mut next = [0; 32];
    hmac(ck, &[&[2]], &mut next);
    (MessageKey::filled(|out| hmac(ck, &[&[1]], out)), next)
}

/// What a body is bound to of its header: its first 12 bytes, and a digest of the others (RAT-5).
#[must_use]
pub(crate) fn bound(header: &[u8]) -> Vec<u8> {
    let (front, keys) = header.split_at(12);
    [front, &hash(&[b"pvtcoms v1 step keys", keys])].concat()
}

/// `siv`, key and nonce of a body, as they are shown.
#[must_use]
pub(crate) fn body_keys(
    mk: &MessageKey,
    sid: &[u8; 32],
    header: &[u8],
    body: &[u8],
) -> ([u8; 32], [u8; 44]) {
    let (mut siv, mut keys) = ([0; 32], [0; 44]);
    hmac(mk.expose_secret(), &[b"pvtcoms v1 siv", sid, &bound(header), body], &mut siv);
    extract(&siv, &[mk.expose_secret()]).expand(&[b"pvtcoms v1 body"], &mut keys);
    (siv, keys)
}
