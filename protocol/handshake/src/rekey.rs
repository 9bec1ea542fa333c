//! Re-key between people who know each other (REK-1): after a loss of state, a restore, or a long
//! silence. The form is KK with the recovery psk; one envelope body each way.
//!
//! ```text
//! R1  I -> R   e.pk(32) ‖ eK.ek(1184) ‖ ctR(1088) ‖ AEAD(k1){ H(idcert_I)(32) ‖ introduction(134) ‖ hours(4) ‖ zeros(1510) }   4000
//! R2  R -> I   e'.pk(32) ‖ ct1(1088) ‖ ctI(1088) ‖ AEAD(k3){ introduction(134) ‖ zeros(1642) }                                4000
//! ctR = Encaps(sK_R)   ct1 = Encaps(eK)   ctI = Encaps(sK_I)
//! 0x21: x = X(e, sX_R)   0x22: x = X(e', e)   0x23: x = X(e', sX_I)
//! ```
//!
//! R2 proves the responder to the initiator. R1 proves only the recovery psk, so the responder
//! keeps its old session until the initiator's first ratchet message opens. A replayed R1
//! therefore renews nothing.

use crate::chain::{Chain, ChainKey, Exchange};
use crate::payload::plausible;
use crate::state::{HOURS_PER_DAY, read_version, write_version};
use crate::{FirstWord, HandshakeError, Introduction, RecoveryPsk, Renewed};
use crypto::aead::TAG_LEN;
use crypto::rand_core::CryptoRng;
use crypto::{Zeroizing, dh, kem, labels};
use identity::{CERT_LEN, IdCert, Identity, Statics, StoredError};
use wire::{Codec, Malformed, Reader, Writer};

/// Length of R1 in bytes: one envelope body.
pub const R1_LEN: usize = 4000;
/// Length of R2 in bytes: one envelope body.
pub const R2_LEN: usize = 4000;

const R1_PLAIN_LEN: usize = R1_LEN - 32 - kem::EK_LEN - kem::CT_LEN - TAG_LEN;
const R2_PLAIN_LEN: usize = R2_LEN - 32 - kem::CT_LEN - kem::CT_LEN - TAG_LEN;

const STEP_R1: u8 = 0x21;
const STEP_R2_EPHEMERAL: u8 = 0x22;
const STEP_R2_STATIC: u8 = 0x23;

/// The initiator's state from R1 until R2.
pub struct Initiated {
    e: dh::Private,
    k: kem::Seed,
    h: [u8; 32],
    ck: ChainKey,
    cert_hash: [u8; 32],
    day: u32,
    peer: IdCert,
}

/// Begins a re-key with the owner of `peer`, the newest certificate of that contact, as the owner of
/// `own`, the keys in a certificate that the contact knows.
///
/// # Errors
/// [`HandshakeError::Misuse`] for an introduction that no message can carry;
/// [`HandshakeError::Malformed`] if the peer's static key contributes nothing.
pub fn initiate(
    rng: &mut impl CryptoRng,
    own: &Statics,
    peer: &IdCert,
    psk: &RecoveryPsk,
    intro: &Introduction,
    now_hours: u32,
) -> Result<(Vec<u8>, Initiated), HandshakeError> {
    let (e, e_pk) = dh::generate(rng);
    let (k, ek) = kem::generate(rng);
    let (ct_r, kem_ss) = peer.k().encapsulate(rng);
    let mut chain = start(own.cert(), peer, psk);
    let public = [e_pk.0.as_slice(), ek.as_bytes(), ct_r.as_bytes()].concat();
    chain.absorb(&public);
    let key = chain.mix(
        STEP_R1,
        &Exchange {
            kem_ss: &kem_ss,
            x_ss: &e.agree(peer.x()).map_err(|_| Malformed::Field("sX"))?,
            x_enc: &e_pk,
            x_dec: peer.x(),
            ek: peer.k(),
            ct: &ct_r,
        },
    );
    let mut w = Writer::with_capacity(R1_PLAIN_LEN);
    w.bytes(&own.cert().hash());
    intro.write(&mut w)?;
    w.u32(now_hours).pad_to(R1_PLAIN_LEN);
    let sealed = chain.seal(key, &Zeroizing::new(w.into_vec()));
    let next = Initiated {
        e,
        k,
        h: *chain.h(),
        ck: chain.into_key(),
        cert_hash: own.cert().hash(),
        day: day(now_hours),
        peer: peer.clone(),
    };
    Ok(([public, sealed].concat(), next))
}

/// Answers a re-key. `peers` are the certificates of the one contact whose tags R1 lay at, newest
/// first: a peer that restored a backup may use an earlier one.
///
/// # Errors
/// [`HandshakeError`]; nothing has changed then.
pub fn respond(
    rng: &mut impl CryptoRng,
    identity: &Identity,
    peers: &[&IdCert],
    psk: &RecoveryPsk,
    intro: &Introduction,
    r1: &[u8],
    now_hours: u32,
) -> Result<(Vec<u8>, Renewed), HandshakeError> {
    let r1 = R1::parse(r1)?;
    let contact = peers.first().ok_or(HandshakeError::Misuse("a contact has a certificate"))?;
    // The initiator may know an earlier certificate of ours (ID-CERT-5).
    let opened = identity.all_statics().find_map(|own| r1.open(own, contact, psk).ok());
    let (mut chain, plain) = opened.ok_or(HandshakeError::NotAuthentic)?;

    let mut r = Reader::new(&plain);
    let cert_hash = r.array()?;
    let peer_intro = Introduction::decode_from(&mut r)?;
    let hours = r.u32()?;
    r.zeros(r.remaining())?;
    plausible(hours, now_hours)?;
    let peer = *peers
        .iter()
        .find(|cert| cert.hash() == cert_hash && cert.fingerprint() == contact.fingerprint())
        .ok_or(HandshakeError::UnknownCertificate)?;

    let (e, e_pk) = dh::generate(rng);
    let (ct1, ss1) = r1.ek.encapsulate(rng);
    let (ct_i, ss_i) = peer.k().encapsulate(rng);
    let public = [e_pk.0.as_slice(), ct1.as_bytes(), ct_i.as_bytes()].concat();
    chain.absorb(&public);
    // The key of the middle step seals nothing; its chaining key carries on.
    let _unused = chain.mix(
        STEP_R2_EPHEMERAL,
        &Exchange {
            kem_ss: &ss1,
            x_ss: &e.agree(&r1.e).map_err(|_| Malformed::Field("e"))?,
            x_enc: &e_pk,
            x_dec: &r1.e,
            ek: &r1.ek,
            ct: &ct1,
        },
    );
    let key = chain.mix(
        STEP_R2_STATIC,
        &Exchange {
            kem_ss: &ss_i,
            x_ss: &e.agree(peer.x()).map_err(|_| Malformed::Field("sX"))?,
            x_enc: &e_pk,
            x_dec: peer.x(),
            ek: peer.k(),
            ct: &ct_i,
        },
    );
    let mut w = Writer::with_capacity(R2_PLAIN_LEN);
    intro.write(&mut w)?;
    w.pad_to(R2_PLAIN_LEN);
    let sealed = chain.seal(key, &Zeroizing::new(w.into_vec()));
    let renewed = Renewed {
        peer: peer.clone(),
        peer_intro,
        session: chain.session(),
        first: FirstWord::Ours,
        transcript: *chain.h(),
        day: day(hours),
    };
    Ok(([public, sealed].concat(), renewed))
}

/// Takes R2, the responder's key confirmation.
///
/// # Errors
/// [`HandshakeError`]; the state waits on as before.
pub fn finish(
    initiated: &Initiated,
    identity: &Identity,
    r2: &[u8],
) -> Result<Renewed, HandshakeError> {
    let mut r = Reader::new(r2);
    let e_r = dh::Public(r.array()?);
    let ct1 = kem::Ciphertext::from_bytes(&r.array()?);
    let ct_i = kem::Ciphertext::from_bytes(&r.array()?);
    let sealed = r.take(R2_PLAIN_LEN.saturating_add(TAG_LEN))?;
    r.finish()?;
    let own = identity.statics_of(&initiated.cert_hash).ok_or(HandshakeError::KeysGone)?;

    let mut chain = Chain::resume(&initiated.h, &initiated.ck);
    chain.absorb(&[e_r.0.as_slice(), ct1.as_bytes(), ct_i.as_bytes()].concat());
    let _unused = chain.mix(
        STEP_R2_EPHEMERAL,
        &Exchange {
            kem_ss: &initiated.k.decapsulate(&ct1),
            x_ss: &initiated.e.agree(&e_r).map_err(|_| Malformed::Field("e'"))?,
            x_enc: &e_r,
            x_dec: &initiated.e.public(),
            ek: &initiated.k.encapsulation_key(),
            ct: &ct1,
        },
    );
    let key = chain.mix(
        STEP_R2_STATIC,
        &Exchange {
            kem_ss: &own.k().decapsulate(&ct_i),
            x_ss: &own.x().agree(&e_r).map_err(|_| Malformed::Field("e'"))?,
            x_enc: &e_r,
            x_dec: own.cert().x(),
            ek: own.cert().k(),
            ct: &ct_i,
        },
    );
    let plain = chain.open(&key, sealed)?;
    let mut r = Reader::new(&plain);
    let peer_intro = Introduction::decode_from(&mut r)?;
    r.zeros(r.remaining())?;
    Ok(Renewed {
        peer: initiated.peer.clone(),
        peer_intro,
        session: chain.session(),
        first: FirstWord::Theirs,
        transcript: *chain.h(),
        day: initiated.day,
    })
}

crypto::opaque!(Initiated);

impl Initiated {
    /// The state for the encrypted store: `ver(1) ‖ e(32) ‖ eK(64) ‖ h(32) ‖ ck(32) ‖
    /// H(idcert_I)(32) ‖ day(4) ‖ idcert_R(6582)`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(CERT_LEN.saturating_add(197));
        write_version(&mut w);
        w.bytes(self.e.expose_secret()).bytes(self.k.expose_secret());
        w.bytes(&self.h).bytes(self.ck.expose_secret()).bytes(&self.cert_hash).u32(self.day);
        w.bytes(self.peer.as_bytes());
        Zeroizing::new(w.into_vec())
    }

    /// Loads what [`to_secret_bytes`](Self::to_secret_bytes) gave; the certificate is verified
    /// again.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut r = Reader::new(bytes);
        read_version(&mut r)?;
        let state = Self {
            e: dh::Private::copy_of(r.array_ref()?),
            k: kem::Seed::copy_of(r.array_ref()?),
            h: r.array()?,
            ck: ChainKey::copy_of(r.array_ref()?),
            cert_hash: r.array()?,
            day: r.u32()?,
            peer: IdCert::trusted_from_store(r.take(CERT_LEN)?)?,
        };
        r.finish()?;
        Ok(state)
    }
}

/// R1 in its parts, keys checked.
struct R1<'a> {
    e: dh::Public,
    ek: kem::EncapsulationKey,
    ct: kem::Ciphertext,
    public: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> R1<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let public = r.take(R1_LEN.saturating_sub(R1_PLAIN_LEN).saturating_sub(TAG_LEN))?;
        let sealed = r.take(R1_PLAIN_LEN.saturating_add(TAG_LEN))?;
        r.finish()?;
        let mut r = Reader::new(public);
        Ok(Self {
            e: dh::Public(r.array()?),
            ek: kem::EncapsulationKey::from_bytes(&r.array()?)
                .map_err(|_| Malformed::Field("eK"))?,
            ct: kem::Ciphertext::from_bytes(&r.array()?),
            public,
            sealed,
        })
    }

    /// Opens R1 with static keys of one epoch.
    fn open(
        &self,
        own: &Statics,
        peer: &IdCert,
        psk: &RecoveryPsk,
    ) -> Result<(Chain, Zeroizing<Vec<u8>>), HandshakeError> {
        let mut chain = start(peer, own.cert(), psk);
        chain.absorb(self.public);
        let key = chain.mix(
            STEP_R1,
            &Exchange {
                kem_ss: &own.k().decapsulate(&self.ct),
                x_ss: &own.x().agree(&self.e).map_err(|_| Malformed::Field("e"))?,
                x_enc: &self.e,
                x_dec: own.cert().x(),
                ek: own.cert().k(),
                ct: &self.ct,
            },
        );
        let plain = chain.open(&key, self.sealed)?;
        Ok((chain, plain))
    }
}

/// `h = H("pvtcoms v1 rekey" ‖ LP(fingerprint_I) ‖ LP(fingerprint_R))`, `ck = HKDF-Extract(h, psk)`.
fn start(initiator: &IdCert, responder: &IdCert, psk: &RecoveryPsk) -> Chain {
    let parts = [&initiator.fingerprint().0[..], &responder.fingerprint().0[..]];
    Chain::start(labels::REKEY, &parts, psk.expose_secret())
}

fn day(hours: u32) -> u32 {
    hours.checked_div(HOURS_PER_DAY).unwrap_or_default()
}
