//! The invited side: B.

use crate::chain::{Chain, ChainKey, Exchange, start_pairing};
use crate::code::{SasInput, commitment};
use crate::payload::Payload;
use crate::state::{HOURS_PER_DAY, SasNonce, confirmation, read_version, refuse, write_version};
use crate::{
    Established, FirstWord, HandshakeError, Introduction, Invite, M1_LEN, M2_PLAIN_LEN,
    M3_PLAIN_LEN, STEP_M2, STEP_M3, STEP_M4,
};
use crypto::aead::TAG_LEN;
use crypto::kdf::ct_eq;
use crypto::rand_core::CryptoRng;
use crypto::{Zeroizing, dh, kem};
use identity::{Fingerprint, Identity, StoredError};
use wire::{Malformed, Reader, Writer};

/// M1 in its parts, keys checked.
struct M1 {
    e_a: dh::Public,
    ek: kem::EncapsulationKey,
    com_a: [u8; 32],
}

/// B's state from M2 until M3.
pub struct AwaitingM3 {
    m1: Box<[u8; M1_LEN]>,
    parsed: M1,
    e: dh::Private,
    ct1: kem::Ciphertext,
    r_b: SasNonce,
    h: [u8; 32],
    ck: ChainKey,
    cert_hash: [u8; 32],
    hours: u32,
}

/// Takes an invite and its M1, and makes M2.
///
/// # Errors
/// [`HandshakeError::Malformed`] if M1 is none, [`HandshakeError::NotAuthentic`] if it is not the
/// one that the invite pins, [`HandshakeError::Expired`], [`HandshakeError::Misuse`] for an
/// introduction that no message can carry.
pub fn accept(
    rng: &mut impl CryptoRng,
    identity: &Identity,
    invite: &Invite,
    intro: &Introduction,
    m1: &[u8],
    now_hours: u32,
) -> Result<(Vec<u8>, AwaitingM3), HandshakeError> {
    let mut r = Reader::new(m1);
    let m1: Box<[u8; M1_LEN]> = Box::new(r.array()?);
    r.finish()?;
    // INV-2: nobody but the maker of the invite chose these bytes.
    if !invite.pins(m1.as_slice()) {
        return Err(HandshakeError::NotAuthentic);
    }
    if now_hours > invite.expiry_hours() {
        return Err(HandshakeError::Expired);
    }
    let parsed = M1::parse(&m1)?;

    let (e, e_b) = dh::generate(rng);
    let x_ss = e.agree(&parsed.e_a).map_err(|_| Malformed::Field("eA"))?;
    let (ct1, kem_ss) = parsed.ek.encapsulate(rng);
    let r_b = SasNonce::random(rng);

    let mut chain = start_pairing(m1.as_slice(), invite.secret().expose_secret());
    let public = [e_b.0.as_slice(), ct1.as_bytes()].concat();
    chain.absorb(&public);
    let key = chain.mix(
        STEP_M2,
        &Exchange {
            kem_ss: &kem_ss,
            x_ss: &x_ss,
            x_enc: &e_b,
            x_dec: &parsed.e_a,
            ek: &parsed.ek,
            ct: &ct1,
        },
    );
    let plain = Payload {
        cert: identity.cert(),
        r: *r_b.expose_secret(),
        intro: intro.clone(),
        hours: now_hours,
    };
    let sealed = chain.seal(key, &plain.write(M2_PLAIN_LEN)?);
    let next = AwaitingM3 {
        m1,
        parsed,
        e,
        ct1,
        r_b,
        h: *chain.h(),
        ck: chain.into_key(),
        cert_hash: identity.cert().hash(),
        hours: now_hours,
    };
    Ok(([public, sealed].concat(), next))
}

impl M1 {
    fn parse(m1: &[u8; M1_LEN]) -> Result<Self, Malformed> {
        let mut r = Reader::new(m1);
        let e_a = dh::Public(r.array()?);
        let ek =
            kem::EncapsulationKey::from_bytes(&r.array()?).map_err(|_| Malformed::Field("eK"))?;
        let com_a = r.array()?;
        r.zeros(4)?;
        r.finish()?;
        Ok(Self { e_a, ek, com_a })
    }
}

crypto::opaque!(AwaitingM3);

impl AwaitingM3 {
    /// Takes M3 and makes M4. `known` says whether a fingerprint is a contact's.
    ///
    /// # Errors
    /// [`HandshakeError`]; the state waits on as before (HS-3).
    pub fn receive_m3(
        &self,
        rng: &mut impl CryptoRng,
        identity: &Identity,
        m3: &[u8],
        now_hours: u32,
        known: impl Fn(&Fingerprint) -> bool,
    ) -> Result<(Vec<u8>, Established), HandshakeError> {
        // HS-3: the checks stand in the rule's order.
        let mut r = Reader::new(m3);
        let ct2 = kem::Ciphertext::from_bytes(&r.array()?);
        let sealed = r.take(M3_PLAIN_LEN.saturating_add(TAG_LEN))?;
        r.finish()?;
        let own = identity.statics_of(&self.cert_hash).ok_or(HandshakeError::KeysGone)?;

        let mut chain = Chain::resume(&self.h, &self.ck);
        chain.absorb(ct2.as_bytes());
        let key = chain.mix(
            STEP_M3,
            &Exchange {
                kem_ss: &own.k().decapsulate(&ct2),
                x_ss: &own.x().agree(&self.parsed.e_a).map_err(|_| Malformed::Field("eA"))?,
                x_enc: &self.parsed.e_a,
                x_dec: own.cert().x(),
                ek: own.cert().k(),
                ct: &ct2,
            },
        );
        let Payload { cert, r: r_a, intro: peer_intro, hours } =
            Payload::read(&chain.open(&key, sealed)?)?;
        let peer = cert.verify(Some(now_hours))?;
        // SAS-2: A cannot choose rA or its certificate after it saw rB.
        if !ct_eq(&commitment(&r_a, &peer.hash()), &self.parsed.com_a) {
            return Err(HandshakeError::CommitmentMismatch);
        }
        if hours != self.hours {
            return Err(Malformed::Field("hours").into());
        }
        refuse(&peer, own.cert(), known)?;

        let (ct3, kem_ss) = peer.k().encapsulate(rng);
        chain.absorb(ct3.as_bytes());
        let e_b = self.e.public();
        let key = chain.mix(
            STEP_M4,
            &Exchange {
                kem_ss: &kem_ss,
                x_ss: &self.e.agree(peer.x()).map_err(|_| Malformed::Field("sX"))?,
                x_enc: &e_b,
                x_dec: peer.x(),
                ek: peer.k(),
                ct: &ct3,
            },
        );
        let said = confirmation(chain.h());
        let sealed = chain.seal(key, &said);
        let sas = SasInput {
            m1: self.m1.as_slice(),
            e_b: &e_b,
            ct1: &self.ct1,
            cert_a: &peer.hash(),
            cert_b: &self.cert_hash,
            r_a: &r_a,
            r_b: self.r_b.expose_secret(),
        }
        .code();
        let established = Established {
            peer,
            own_x: *own.cert().x(),
            peer_intro,
            sas,
            session: chain.session(),
            first: FirstWord::Ours,
            transcript: *chain.h(),
            day: hours.checked_div(HOURS_PER_DAY).unwrap_or_default(),
        };
        Ok(([ct3.as_bytes().as_slice(), &sealed].concat(), established))
    }

    /// The state for the encrypted store: `ver(1) ‖ M1(1252) ‖ eB(32) ‖ ct1(1088) ‖ rB(32) ‖ h(32)
    /// ‖ ck(32) ‖ H(idcert_B)(32) ‖ hours(4)`, 2505 bytes.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(2505);
        write_version(&mut w);
        w.bytes(self.m1.as_slice()).bytes(self.e.expose_secret()).bytes(self.ct1.as_bytes());
        w.bytes(self.r_b.expose_secret()).bytes(&self.h).bytes(self.ck.expose_secret());
        w.bytes(&self.cert_hash).u32(self.hours);
        Zeroizing::new(w.into_vec())
    }

    /// Loads what [`to_secret_bytes`](Self::to_secret_bytes) gave.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut r = Reader::new(bytes);
        read_version(&mut r)?;
        let m1 = Box::new(r.array()?);
        let state = Self {
            parsed: M1::parse(&m1)?,
            m1,
            e: dh::Private::copy_of(r.array_ref()?),
            ct1: kem::Ciphertext::from_bytes(&r.array()?),
            r_b: SasNonce::copy_of(r.array_ref()?),
            h: r.array()?,
            ck: ChainKey::copy_of(r.array_ref()?),
            cert_hash: r.array()?,
            hours: r.u32()?,
        };
        r.finish()?;
        Ok(state)
    }
}
