//! The inviter's side: A.

use crate::chain::{Chain, ChainKey, Exchange, start_pairing};
use crate::code::{SasInput, commitment};
use crate::introduction::distinct;
use crate::payload::{Payload, plausible};
use crate::state::{HOURS_PER_DAY, SasNonce, confirmation, read_version, refuse, write_version};
use crate::{
    Established, FirstWord, HandshakeError, Introduction, Invite, InviteSecret, M1_LEN,
    M2_PLAIN_LEN, M3_PLAIN_LEN, M4_LEN, STEP_M2, STEP_M3, STEP_M4,
};
use crypto::aead::TAG_LEN;
use crypto::kdf::ct_eq;
use crypto::rand_core::CryptoRng;
use crypto::{Zeroizing, dh, kem};
use identity::{CERT_LEN, Fingerprint, IdCert, Identity, Sas, StoredError};
use wire::{Codec, Malformed, Reader, Writer};

/// A's state from the making of the invite until M2.
///
/// It goes, with the invite's secret, once an M2 was taken and M3 saved (INV-3).
pub struct Inviter {
    e: dh::Private,
    k: kem::Seed,
    r_a: SasNonce,
    secret: InviteSecret,
    cert_hash: [u8; 32],
    expiry_hours: u32,
    mailboxes: Vec<[u8; 32]>,
    m1: Vec<u8>,
}

/// A's state from M3 until M4: everything that M4 needs, the copy of a static key included.
pub struct AwaitingM4 {
    h: [u8; 32],
    ck: ChainKey,
    x3: dh::Shared,
    e_b: dh::Public,
    static_x: dh::Public,
    static_k: kem::Seed,
    sas: Sas,
    day: u32,
    peer_intro: Introduction,
    peer: IdCert,
}

crypto::opaque!(Inviter, AwaitingM4);

impl Inviter {
    /// Draws an invite and its M1, good until `expiry_hours` (hours since 1970, UTC), for the one
    /// or two mailboxes in which M1 will lie (INV-2).
    ///
    /// # Errors
    /// [`HandshakeError::Misuse`] unless there are one or two different mailboxes.
    pub fn new(
        rng: &mut impl CryptoRng,
        identity: &Identity,
        mailboxes: &[[u8; 32]],
        expiry_hours: u32,
    ) -> Result<Self, HandshakeError> {
        if !distinct(mailboxes) {
            return Err(HandshakeError::Misuse("an invite names one or two different mailboxes"));
        }
        let mut inviter = Self {
            e: dh::Private::random(rng),
            k: kem::Seed::random(rng),
            r_a: SasNonce::random(rng),
            secret: InviteSecret::random(rng),
            cert_hash: identity.cert().hash(),
            expiry_hours,
            mailboxes: mailboxes.to_vec(),
            m1: Vec::new(),
        };
        inviter.m1 = inviter.make_m1();
        Ok(inviter)
    }

    /// The invite, to be shown once M1 lies in the mailbox.
    #[must_use]
    pub fn invite(&self) -> Invite {
        Invite::new(&self.mailboxes, &self.secret, &self.m1, self.expiry_hours)
    }

    /// M1, 1252 bytes.
    #[must_use]
    pub fn m1(&self) -> &[u8] {
        &self.m1
    }

    /// The invite's secret.
    #[must_use]
    pub const fn secret(&self) -> &InviteSecret {
        &self.secret
    }

    /// The last hour at which the invite is good.
    #[must_use]
    pub const fn expiry_hours(&self) -> u32 {
        self.expiry_hours
    }

    /// Takes M2 and makes M3. `known` says whether a fingerprint is a contact's.
    ///
    /// # Errors
    /// [`HandshakeError`]; the invite is as good as before (HS-3).
    pub fn receive_m2(
        &self,
        rng: &mut impl CryptoRng,
        identity: &Identity,
        intro: &Introduction,
        m2: &[u8],
        now_hours: u32,
        known: impl Fn(&Fingerprint) -> bool,
    ) -> Result<(Vec<u8>, AwaitingM4), HandshakeError> {
        // HS-3: the checks stand in the rule's order.
        let mut r = Reader::new(m2);
        let e_b = dh::Public(r.array()?);
        let ct1 = kem::Ciphertext::from_bytes(&r.array()?);
        let sealed = r.take(M2_PLAIN_LEN.saturating_add(TAG_LEN))?;
        r.finish()?;
        if now_hours > self.expiry_hours {
            return Err(HandshakeError::Expired);
        }
        let own = identity.statics_of(&self.cert_hash).ok_or(HandshakeError::KeysGone)?;

        let ek = self.k.encapsulation_key();
        let mut chain = start_pairing(&self.m1, self.secret.expose_secret());
        chain.absorb(&[e_b.0.as_slice(), ct1.as_bytes()].concat());
        let key = chain.mix(
            STEP_M2,
            &Exchange {
                kem_ss: &self.k.decapsulate(&ct1),
                x_ss: &self.e.agree(&e_b).map_err(|_| Malformed::Field("eB"))?,
                x_enc: &e_b,
                x_dec: &self.e.public(),
                ek: &ek,
                ct: &ct1,
            },
        );
        let Payload { cert, r: r_b, intro: peer_intro, hours } =
            Payload::read(&chain.open(&key, sealed)?)?;
        let peer = cert.verify(Some(now_hours))?;
        plausible(hours, now_hours)?;
        refuse(&peer, own.cert(), known)?;

        let (ct2, kem_ss) = peer.k().encapsulate(rng);
        chain.absorb(ct2.as_bytes());
        let key = chain.mix(
            STEP_M3,
            &Exchange {
                kem_ss: &kem_ss,
                x_ss: &self.e.agree(peer.x()).map_err(|_| Malformed::Field("sX"))?,
                x_enc: &self.e.public(),
                x_dec: peer.x(),
                ek: peer.k(),
                ct: &ct2,
            },
        );
        let r_a = *self.r_a.expose_secret();
        let plain = Payload { cert: own.cert(), r: r_a, intro: intro.clone(), hours };
        let sealed = chain.seal(key, &plain.write(M3_PLAIN_LEN)?);
        let sas = SasInput {
            m1: &self.m1,
            e_b: &e_b,
            ct1: &ct1,
            cert_a: &self.cert_hash,
            cert_b: &peer.hash(),
            r_a: &r_a,
            r_b: &r_b,
        }
        .code();
        let next = AwaitingM4 {
            h: *chain.h(),
            ck: chain.into_key(),
            x3: own.x().agree(&e_b).map_err(|_| Malformed::Field("eB"))?,
            e_b,
            static_x: *own.cert().x(),
            static_k: own.k().duplicate(),
            sas,
            day: hours.checked_div(HOURS_PER_DAY).unwrap_or_default(),
            peer_intro,
            peer,
        };
        Ok(([ct2.as_bytes().as_slice(), &sealed].concat(), next))
    }

    /// The state for the encrypted store: `ver(1) ‖ eA(32) ‖ eK(64) ‖ rA(32) ‖ I(32) ‖
    /// H(idcert_A)(32) ‖ expiry(4) ‖ count(1) ‖ count × mailbox(32)`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(262);
        write_version(&mut w);
        w.bytes(self.e.expose_secret()).bytes(self.k.expose_secret());
        w.bytes(self.r_a.expose_secret()).bytes(self.secret.expose_secret());
        w.bytes(&self.cert_hash).u32(self.expiry_hours);
        w.u8(u8::try_from(self.mailboxes.len()).unwrap_or(u8::MAX));
        w.bytes(self.mailboxes.as_flattened());
        Zeroizing::new(w.into_vec())
    }

    /// Loads what [`to_secret_bytes`](Self::to_secret_bytes) gave; M1 comes out the same.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut r = Reader::new(bytes);
        read_version(&mut r)?;
        let mut inviter = Self {
            e: dh::Private::copy_of(r.array_ref()?),
            k: kem::Seed::copy_of(r.array_ref()?),
            r_a: SasNonce::copy_of(r.array_ref()?),
            secret: InviteSecret::copy_of(r.array_ref()?),
            cert_hash: r.array()?,
            expiry_hours: r.u32()?,
            mailboxes: Vec::new(),
            m1: Vec::new(),
        };
        for _ in 0..r.u8()? {
            inviter.mailboxes.push(r.array()?);
        }
        r.finish()?;
        if !distinct(&inviter.mailboxes) {
            return Err(Malformed::Field("mailboxes").into());
        }
        inviter.m1 = inviter.make_m1();
        Ok(inviter)
    }

    /// `eA.pk(32) ‖ eK.ek(1184) ‖ comA(32) ‖ zero(4)`.
    fn make_m1(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(M1_LEN);
        w.bytes(&self.e.public().0).bytes(self.k.encapsulation_key().as_bytes());
        w.bytes(&commitment(self.r_a.expose_secret(), &self.cert_hash)).zeros(4);
        w.into_vec()
    }
}

impl AwaitingM4 {
    /// The peer's certificate. That the peer holds its keys is proved by M4 only.
    #[must_use]
    pub const fn peer(&self) -> &IdCert {
        &self.peer
    }

    /// What the peer said about itself.
    #[must_use]
    pub const fn peer_intro(&self) -> &Introduction {
        &self.peer_intro
    }

    /// What people compare.
    #[must_use]
    pub const fn sas(&self) -> Sas {
        self.sas
    }

    /// Takes M4, the peer's key confirmation.
    ///
    /// # Errors
    /// [`HandshakeError::Malformed`], [`HandshakeError::NotAuthentic`].
    pub fn receive_m4(&self, m4: &[u8]) -> Result<Established, HandshakeError> {
        let mut r = Reader::new(m4);
        let ct3 = kem::Ciphertext::from_bytes(&r.array()?);
        let sealed = r.take(M4_LEN.saturating_sub(kem::CT_LEN))?;
        r.finish()?;
        let mut chain = Chain::resume(&self.h, &self.ck);
        chain.absorb(ct3.as_bytes());
        let key = chain.mix(
            STEP_M4,
            &Exchange {
                kem_ss: &self.static_k.decapsulate(&ct3),
                x_ss: &self.x3,
                x_enc: &self.e_b,
                x_dec: &self.static_x,
                ek: &self.static_k.encapsulation_key(),
                ct: &ct3,
            },
        );
        let said = confirmation(chain.h());
        // HS-6: only a holder of ck2 and of eB, to which A's static keys answered, gets here.
        if !ct_eq(&chain.open(&key, sealed)?, &said) {
            return Err(HandshakeError::NotAuthentic);
        }
        Ok(Established {
            peer: self.peer.clone(),
            own_x: self.static_x,
            peer_intro: self.peer_intro.clone(),
            sas: self.sas,
            session: chain.session(),
            first: FirstWord::Theirs,
            transcript: *chain.h(),
            day: self.day,
        })
    }

    /// The state for the encrypted store: `ver(1) ‖ h(32) ‖ ck(32) ‖ x3(32) ‖ eB.pk(32) ‖
    /// sX_A.pk(32) ‖ sK_A(64) ‖ sas(6) ‖ day(4) ‖ introduction(134) ‖ idcert_B(6582)`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut w = Writer::with_capacity(CERT_LEN.saturating_add(369));
        write_version(&mut w);
        w.bytes(&self.h).bytes(self.ck.expose_secret()).bytes(self.x3.expose_secret());
        w.bytes(&self.e_b.0).bytes(&self.static_x.0).bytes(self.static_k.expose_secret());
        w.bytes(&self.sas.code()).u32(self.day);
        self.peer_intro.encode_into(&mut w);
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
            h: r.array()?,
            ck: ChainKey::copy_of(r.array_ref()?),
            x3: dh::Shared::copy_of(r.array_ref()?),
            e_b: dh::Public(r.array()?),
            static_x: dh::Public(r.array()?),
            static_k: kem::Seed::copy_of(r.array_ref()?),
            sas: Sas::from_code(r.array()?),
            day: r.u32()?,
            peer_intro: Introduction::decode_from(&mut r)?,
            peer: IdCert::trusted_from_store(r.take(CERT_LEN)?)?,
        };
        r.finish()?;
        Ok(state)
    }
}
