//! Key pairs, root steps and symmetric chains (RAT-3, RAT-4).

use crate::message::Parsed;
use crypto::aead::MessageKey;
use crypto::hybrid::Step;
use crypto::kdf::{HmacKey, Pair, Prk};
use crypto::rand_core::CryptoRng;
use crypto::{dh, kem, labels, secret};

/// Step number of the combiner in every ratchet step.
const RATCHET_STEP: u8 = 0x10;

secret! {
    /// The key that every root step feeds on and replaces.
    pub(crate) struct RootKey([u8; 32]);
    /// The key of one chain at one index; replaced at each message.
    pub(crate) struct ChainKey([u8; 32]);
}

impl ChainKey {
    /// `mk = HMAC(ck, 0x01)`, the key of the message at this index, and `HMAC(ck, 0x02)`, the chain
    /// at the next (RAT-3).
    pub(crate) fn advance(&self) -> (MessageKey, Self) {
        let key = HmacKey::new(self.expose_secret());
        let mk = MessageKey::filled(|out| key.tag(&[0x01], out));
        (mk, Self::filled(|out| key.tag(&[0x02], out)))
    }
}

/// Our key pair of one sending chain: the peer answers to it.
pub(crate) struct Own {
    pub(crate) dh: dh::Private,
    pub(crate) public: dh::Public,
    pub(crate) seed: kem::Seed,
    pub(crate) ek: kem::EncapsulationKey,
}

/// The peer's newest public keys, to which our next chain steps.
pub(crate) struct Peer {
    pub(crate) dh: dh::Public,
    pub(crate) ek: kem::EncapsulationKey,
}

/// A root step's result.
pub(crate) struct Stepped {
    pub(crate) root: RootKey,
    pub(crate) chain: ChainKey,
}

crypto::opaque!(Own, Stepped);

impl Own {
    /// Completes a pair by its public halves.
    pub(crate) fn new(dh: dh::Private, seed: kem::Seed) -> Self {
        let (public, ek) = (dh.public(), seed.encapsulation_key());
        Self { dh, public, seed, ek }
    }

    pub(crate) fn generate(rng: &mut impl CryptoRng) -> Self {
        let (dh, public) = dh::generate(rng);
        let (seed, ek) = kem::generate(rng);
        Self { dh, public, seed, ek }
    }

    /// The receiving root step: decapsulates what `message` carries (RAT-4).
    pub(crate) fn step(
        &self,
        root: &RootKey,
        sid: &[u8; 32],
        message: &Parsed<'_>,
    ) -> Result<Stepped, dh::NotContributory> {
        let (x_ss, ct) = (self.dh.agree(&message.dh)?, message.ciphertext());
        let kem_ss = self.seed.decapsulate(&ct);
        let (x_enc, x_dec) = (&message.dh, &self.public);
        Ok(stepped(&combine(root, sid, (&kem_ss, &x_ss), (x_enc, x_dec), &self.ek, &ct)))
    }
}

impl Peer {
    /// The sending root step: a fresh pair, and a secret encapsulated to the peer (RAT-3).
    pub(crate) fn step(
        &self,
        rng: &mut impl CryptoRng,
        root: &RootKey,
        sid: &[u8; 32],
    ) -> Result<(Own, kem::Ciphertext, Stepped), dh::NotContributory> {
        let own = Own::generate(rng);
        let x_ss = own.dh.agree(&self.dh)?;
        let (ct, kem_ss) = self.ek.encapsulate(rng);
        let (x_enc, x_dec) = (&own.public, &self.dh);
        let out = stepped(&combine(root, sid, (&kem_ss, &x_ss), (x_enc, x_dec), &self.ek, &ct));
        Ok((own, ct, out))
    }
}

/// Where a session begins: the first chain answers no pair, and has its keys from the handshake
/// (RAT-3).
///
/// `rk ‖ ck = HKDF-Expand(root, "pvtcoms v1 ratchet first" ‖ sid, 64)`
pub(crate) fn begin(root: &[u8; 32], sid: &[u8; 32]) -> Stepped {
    stepped(&Pair::expand(&Prk::from_key(root), &[labels::RATCHET_FIRST, sid]))
}

fn combine(
    root: &RootKey,
    sid: &[u8; 32],
    (kem_ss, x_ss): (&kem::Shared, &dh::Shared),
    (x_enc, x_dec): (&dh::Public, &dh::Public),
    ek: &kem::EncapsulationKey,
    ct: &kem::Ciphertext,
) -> Pair {
    let salt = root.expose_secret();
    Step { salt, transcript: sid, step: RATCHET_STEP, kem_ss, x_ss, x_enc, x_dec, ek, ct }.mix()
}

fn stepped(pair: &Pair) -> Stepped {
    Stepped { root: RootKey::copy_of(pair.first()), chain: ChainKey::copy_of(pair.second()) }
}
