//! The running transcript hash `h` and chaining key `ck` of a handshake (HS-1, HS-2).

use crate::{HandshakeError, SessionSecret};
use crypto::aead::OneTimeKey;
use crypto::hybrid::Step;
use crypto::kdf::{Prk, extract, hmac, lp};
use crypto::{Zeroizing, dh, hash, kem, labels, secret};
use wire::Writer;

secret! {
    /// Chaining key `ck`.
    pub(crate) struct ChainKey([u8; 32]);
}

/// `h` and `ck` at one point of a handshake.
pub(crate) struct Chain {
    h: [u8; 32],
    ck: ChainKey,
}

/// The two exchanges of one step. `enc` is the side that encapsulates.
pub(crate) struct Exchange<'a> {
    pub(crate) kem_ss: &'a kem::Shared,
    pub(crate) x_ss: &'a dh::Shared,
    pub(crate) x_enc: &'a dh::Public,
    pub(crate) x_dec: &'a dh::Public,
    pub(crate) ek: &'a kem::EncapsulationKey,
    pub(crate) ct: &'a kem::Ciphertext,
}

crypto::opaque!(Chain);

impl Chain {
    /// `h = H(label ‖ LP(part) ‖ ..)`, `ck = HKDF-Extract(h, psk)` (HS-1).
    pub(crate) fn start(label: &[u8], parts: &[&[u8]], psk: &[u8; 32]) -> Self {
        let mut prefixed = Writer::new();
        for part in parts {
            prefixed.bytes(&lp(part)).bytes(part);
        }
        let h = hash(&[label, prefixed.as_slice()]);
        // The PRK is wanted as bytes: HMAC with the salt as key is Extract (RFC 5869, 2.2).
        Self { h, ck: ChainKey::filled(|out| hmac(&h, &[psk], out)) }
    }

    /// Goes on from a stored point.
    pub(crate) fn resume(h: &[u8; 32], ck: &ChainKey) -> Self {
        Self { h: *h, ck: ChainKey::copy_of(ck.expose_secret()) }
    }

    /// `h <- H(LP(h) ‖ LP(bytes))`.
    pub(crate) fn absorb(&mut self, bytes: &[u8]) {
        self.h = hash(&[&lp(&self.h), &self.h, &lp(bytes), bytes]);
    }

    /// One hybrid step: `ck <- ck'`, gives `k` (HS-2).
    pub(crate) fn mix(&mut self, step: u8, exchange: &Exchange<'_>) -> OneTimeKey {
        let &Exchange { kem_ss, x_ss, x_enc, x_dec, ek, ct } = exchange;
        let (salt, transcript) = (self.ck.expose_secret(), &self.h);
        let out = Step { salt, transcript, step, kem_ss, x_ss, x_enc, x_dec, ek, ct }.mix();
        self.ck = ChainKey::copy_of(out.first());
        OneTimeKey::copy_of(out.second())
    }

    /// Seals under `h`, absorbs the ciphertext.
    pub(crate) fn seal(&mut self, key: OneTimeKey, plain: &[u8]) -> Vec<u8> {
        let sealed = key.seal(&self.h, plain);
        self.absorb(&sealed);
        sealed
    }

    /// Opens under `h`, absorbs the ciphertext.
    pub(crate) fn open(
        &mut self,
        key: &OneTimeKey,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, HandshakeError> {
        let plain = key.open(&self.h, sealed)?;
        self.absorb(sealed);
        Ok(plain)
    }

    /// The transcript hash.
    pub(crate) const fn h(&self) -> &[u8; 32] {
        &self.h
    }

    /// The chaining key, for the state that waits.
    pub(crate) fn into_key(self) -> ChainKey {
        self.ck
    }

    /// `SessionSecret = HKDF-Expand(ck, "pvtcoms v1 session" ‖ h, 32)` (HS-4).
    pub(crate) fn session(&self) -> SessionSecret {
        let prk = Prk::from_key(self.ck.expose_secret());
        SessionSecret::filled(|out| prk.expand(&[labels::SESSION, &self.h], out))
    }
}

/// `psk = HKDF(I, "pvtcoms v1 psk")` with an empty salt, the first input of a pairing's chain.
pub(crate) fn start_pairing(m1: &[u8], invite_secret: &[u8; 32]) -> Chain {
    let mut psk = Zeroizing::new([0; 32]);
    extract(&[], &[invite_secret]).expand(&[labels::PSK], &mut psk);
    Chain::start(labels::XX, &[m1], &psk)
}
