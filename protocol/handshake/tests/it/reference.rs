//! The handshake once more, by the letter of the specification and with none of the crate's own
//! code, for a peer that says whatever it likes.

use crypto::aead::OneTimeKey;
use crypto::kdf::{Prk, extract, hmac, lp};
use crypto::{dh, hash, kem, labels};

/// `h` and `ck`.
#[derive(Clone)]
pub(crate) struct Chain {
    pub(crate) h: [u8; 32],
    pub(crate) ck: [u8; 32],
}

/// What goes into one step, beside the chain.
pub(crate) struct Mix<'a> {
    pub(crate) step: u8,
    pub(crate) kem_ss: kem::Shared,
    pub(crate) x_ss: dh::Shared,
    pub(crate) x_enc: dh::Public,
    pub(crate) x_dec: dh::Public,
    pub(crate) ek: &'a kem::EncapsulationKey,
    pub(crate) ct: &'a kem::Ciphertext,
}

impl Chain {
    pub(crate) fn pairing(m1: &[u8], invite_secret: &[u8; 32]) -> Self {
        let h = hash(&[b"pvtcoms v1 xx", &lp(m1), m1]);
        let (mut psk, mut ck) = ([0; 32], [0; 32]);
        extract(&[], &[invite_secret]).expand(&[b"pvtcoms v1 psk"], &mut psk);
        hmac(&h, &[&psk], &mut ck);
        Self { h, ck }
    }

    pub(crate) fn absorb(&mut self, bytes: &[u8]) {
        self.h = hash(&[&[0, 0, 0, 32], &self.h, &lp(bytes), bytes]);
    }

    pub(crate) fn mix(&mut self, m: &Mix<'_>) -> OneTimeKey {
        let lp32 = [0, 0, 0, 32];
        let ctx = hash(&[
            b"pvtcoms v1 combiner",
            &[m.step],
            &lp32,
            &self.h,
            &lp32,
            &m.x_enc.0,
            &lp32,
            &m.x_dec.0,
            &1184_u32.to_be_bytes(),
            m.ek.as_bytes(),
            &1088_u32.to_be_bytes(),
            m.ct.as_bytes(),
        ]);
        let prk = extract(&self.ck, &[m.kem_ss.expose_secret(), m.x_ss.expose_secret(), &ctx]);
        let mut out = [0; 64];
        prk.expand(&[b"pvtcoms v1 mix", &[m.step]], &mut out);
        self.ck = *out.first_chunk().unwrap();
        OneTimeKey::copy_of(out.last_chunk().unwrap())
    }

    pub(crate) fn seal(&mut self, key: OneTimeKey, plain: &[u8]) -> Vec<u8> {
        let sealed = key.seal(&self.h, plain);
        self.absorb(&sealed);
        sealed
    }

    pub(crate) fn session(&self) -> [u8; 32] {
        let mut out = [0; 32];
        Prk::from_key(&self.ck).expand(&[b"pvtcoms v1 session", &self.h], &mut out);
        out
    }
}

/// The plaintext of M2 (6864 bytes) or M3 (6896 bytes).
pub(crate) fn payload(cert: &[u8], r: &[u8; 32], intro: &[u8], hours: u32, len: usize) -> Vec<u8> {
    let mut plain = [cert, r, intro, &hours.to_be_bytes()].concat();
    assert!(plain.len() <= len);
    plain.resize(len, 0);
    plain
}

/// M2 by someone who holds an invite and says `plain`.
pub(crate) struct M2 {
    pub(crate) bytes: Vec<u8>,
    pub(crate) chain: Chain,
    pub(crate) e: dh::Private,
    pub(crate) ct1: kem::Ciphertext,
}

pub(crate) fn m2(
    rng: &mut impl crypto::rand_core::CryptoRng,
    m1: &[u8],
    invite_secret: &[u8; 32],
    plain: &[u8],
) -> M2 {
    let e_a = dh::Public(*m1.first_chunk().unwrap());
    let ek = kem::EncapsulationKey::from_bytes(m1[32..1216].try_into().unwrap()).unwrap();
    let (e, e_b) = dh::generate(rng);
    let (ct1, kem_ss) = ek.encapsulate(rng);
    let mut chain = Chain::pairing(m1, invite_secret);
    let public = [&e_b.0[..], ct1.as_bytes()].concat();
    chain.absorb(&public);
    let x_ss = e.agree(&e_a).unwrap();
    let key = chain.mix(&Mix { step: 1, kem_ss, x_ss, x_enc: e_b, x_dec: e_a, ek: &ek, ct: &ct1 });
    let sealed = chain.seal(key, plain);
    M2 { bytes: [public, sealed].concat(), chain, e, ct1 }
}

/// The inviter's ephemeral secrets, in the hands of someone who made the invite without the crate.
pub(crate) struct RogueInviter {
    pub(crate) e: dh::Private,
    pub(crate) k: kem::Seed,
    pub(crate) secret: [u8; 32],
    pub(crate) m1: Vec<u8>,
}

impl RogueInviter {
    pub(crate) fn new(
        rng: &mut impl crypto::rand_core::CryptoRng,
        r_a: &[u8; 32],
        cert_hash: &[u8; 32],
    ) -> Self {
        let (e, e_pk) = dh::generate(rng);
        let (k, ek) = kem::generate(rng);
        let com = hash(&[labels::SAS_COMMIT, r_a, cert_hash]);
        let m1 = [&e_pk.0[..], ek.as_bytes(), &com, &[0; 4]].concat();
        Self { e, k, secret: [0x51; 32], m1 }
    }

    /// The URI of an invite for any M1.
    pub(crate) fn uri(&self, expiry: u32) -> String {
        let mut bytes = [&[1, 1, 1][..], &[7; 32], &self.secret].concat();
        bytes.extend(hash(&[b"pvtcoms v1 m1", &self.m1]));
        bytes.extend(expiry.to_be_bytes());
        let check = hash(&[b"pvtcoms v1 invite check", &bytes]);
        bytes.extend(&check[..4]);
        format!("pvtcoms:i1/{}", data_encoding::BASE32_NOPAD.encode(&bytes))
    }

    /// Opens M2; gives the chain after it and the plaintext.
    pub(crate) fn open(&self, m2: &[u8]) -> (Chain, Vec<u8>) {
        let e_b = dh::Public(*m2.first_chunk().unwrap());
        let ct1 = kem::Ciphertext::from_bytes(m2[32..1120].try_into().unwrap());
        let mut chain = Chain::pairing(&self.m1, &self.secret);
        chain.absorb(&m2[..1120]);
        let key = chain.mix(&Mix {
            step: 1,
            kem_ss: self.k.decapsulate(&ct1),
            x_ss: self.e.agree(&e_b).unwrap(),
            x_enc: e_b,
            x_dec: self.e.public(),
            ek: &self.k.encapsulation_key(),
            ct: &ct1,
        });
        let plain = key.open(&chain.h, &m2[1120..]).unwrap().to_vec();
        chain.absorb(&m2[1120..]);
        (chain, plain)
    }

    /// M3 that says `plain`, to the owner of static keys `x` and `k`.
    pub(crate) fn m3(
        &self,
        rng: &mut impl crypto::rand_core::CryptoRng,
        mut chain: Chain,
        x: dh::Public,
        k: &kem::EncapsulationKey,
        plain: &[u8],
    ) -> Vec<u8> {
        let (ct2, kem_ss) = k.encapsulate(rng);
        chain.absorb(ct2.as_bytes());
        let x_ss = self.e.agree(&x).unwrap();
        let key = chain.mix(&Mix {
            step: 2,
            kem_ss,
            x_ss,
            x_enc: self.e.public(),
            x_dec: x,
            ek: k,
            ct: &ct2,
        });
        let sealed = chain.seal(key, plain);
        [&ct2.as_bytes()[..], &sealed].concat()
    }
}

/// A certificate by the letter of the specification, over any static keys.
pub(crate) fn forge_cert(
    rng: &mut impl crypto::rand_core::CryptoRng,
    x: [u8; 32],
    not_after: u32,
) -> Vec<u8> {
    let ed = crypto::sign::EdSecret::random(rng);
    let md = crypto::sign::MdSecret::random(rng);
    let (_, k) = kem::generate(rng);
    let core = [
        &[1][..],
        &ed.public(),
        &*md.public(),
        &x,
        k.as_bytes(),
        &[0; 4],
        &not_after.to_be_bytes(),
    ]
    .concat();
    let digest = hash(&[&core]);
    let by_ed = ed.sign(&[b"pvtcoms v1 idcert ed", &digest[..]].concat());
    let by_md = md.sign(rng, b"pvtcoms v1 idcert md", &digest).unwrap();
    [&core[..], &by_ed, &*by_md].concat()
}
