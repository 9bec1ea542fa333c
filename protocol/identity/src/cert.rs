use crate::Fingerprint;
use crypto::kdf::hash_of_both;
use crypto::{dh, hash, kem, labels, sign};
use std::fmt;
use wire::{Malformed, Reader, Writer};

/// Length of an identity certificate in bytes: 3209 + 64 + 3309.
pub const CERT_LEN: usize = CORE_LEN + sign::ED_SIG_LEN + sign::MD_SIG_LEN;

/// `ver(1) ‖ ED.pk(32) ‖ MD.pk(1952) ‖ sX.pk(32) ‖ sK.ek(1184) ‖ epoch(4) ‖ not_after(4)`.
const CORE_LEN: usize = 1 + sign::ED_PK_LEN + sign::MD_PK_LEN + 32 + kem::EK_LEN + 4 + 4;
const VERSION: u8 = 1;

/// Why a certificate is not one. Its maker's fault, or that of whoever changed it on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertError {
    /// The bytes do not parse, or hold a key that is none.
    #[error("the certificate does not parse: {0}")]
    Malformed(#[from] Malformed),
    /// One of the two signatures does not verify.
    #[error("a signature of the certificate does not verify")]
    Signature,
    /// The certificate ran out.
    #[error("the certificate has run out")]
    Expired,
}

/// What a certificate says (ID-CERT-1).
#[derive(Clone)]
struct Core {
    ed: [u8; sign::ED_PK_LEN],
    md: Box<[u8; sign::MD_PK_LEN]>,
    x: dh::Public,
    k: kem::EncapsulationKey,
    epoch: u32,
    not_after: u32,
}

/// A certificate whose signatures nobody has looked at. It gives away nothing but
/// [`verify`](Self::verify).
pub struct UnverifiedCert {
    core: Core,
    bytes: Box<[u8; CERT_LEN]>,
}

/// A verified identity certificate: the keys of one person's device (ID-CERT-1).
///
/// ```text
/// idcore = 0x01 ‖ ED.pk(32) ‖ MD.pk(1952) ‖ sX.pk(32) ‖ sK.ek(1184) ‖ epoch(4) ‖ not_after(4)   3209
/// idcert = idcore ‖ ED.sign("pvtcoms v1 idcert ed" ‖ H(idcore))(64)
///                 ‖ MD.sign(ctx "pvtcoms v1 idcert md", H(idcore))(3309)                        6582
/// ```
///
/// Only [`UnverifiedCert::verify`] makes one, so a key taken from here was signed by both keys.
#[derive(Clone)]
pub struct IdCert {
    core: Core,
    bytes: Box<[u8; CERT_LEN]>,
    hash: [u8; 32],
    fingerprint: Fingerprint,
}

/// How one certificate stands to another that is known already (ID-CERT-4, SAS-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The same bytes in all that counts: same identity, same epoch.
    Same,
    /// Same identity, later epoch: the static keys were rotated.
    Newer,
    /// Same identity, earlier epoch, or another certificate of the same epoch: to be refused.
    NotNewer,
    /// Exactly one of the two identity keys is the same: to be refused, whatever else it says.
    Half,
    /// Another identity.
    Stranger,
}

impl UnverifiedCert {
    /// Parses a certificate and checks that its keys are keys.
    ///
    /// # Errors
    /// [`CertError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertError> {
        let mut r = Reader::new(bytes);
        let whole = r.array_ref::<CERT_LEN>()?;
        r.finish()?;
        let mut r = Reader::new(whole);
        if r.u8()? != VERSION {
            return Err(Malformed::Field("version").into());
        }
        let core = Core {
            ed: r.array()?,
            md: Box::new(r.array()?),
            x: dh::Public(r.array()?),
            k: kem::EncapsulationKey::from_bytes(r.array_ref()?)
                .map_err(|_| Malformed::Field("sK"))?,
            epoch: r.u32()?,
            not_after: r.u32()?,
        };
        Ok(Self { core, bytes: Box::new(*whole) })
    }

    /// Verifies both signatures and, if a time is given, that the certificate has not run out.
    ///
    /// Without a time: for the certificate of a contact that is known, who may be away for long.
    ///
    /// # Errors
    /// [`CertError::Signature`] if either does not verify, [`CertError::Expired`].
    pub fn verify(self, now_hours: Option<u32>) -> Result<IdCert, CertError> {
        let Self { core, bytes } = self;
        let mut r = Reader::new(bytes.as_slice());
        let (idcore, signatures) = (r.take(CORE_LEN)?, r.rest());
        let (digest, hash) = hash_of_both(idcore, signatures);
        let mut r = Reader::new(signatures);
        let (ed_signature, md_signature) = (r.array_ref()?, r.array_ref()?);
        r.finish()?;
        // ID-CERT-2: both, whatever the first says; the digest covers both public keys.
        let ed = sign::ed_verify(&core.ed, &ed_message(&digest), ed_signature);
        let md = sign::md_verify(&core.md, labels::IDCERT_MD, &digest, md_signature);
        ed.and(md).map_err(|_| CertError::Signature)?;
        if now_hours.is_some_and(|now| now > core.not_after) {
            return Err(CertError::Expired);
        }
        let fingerprint = Fingerprint::of(&core.ed, &core.md);
        Ok(IdCert { core, bytes, hash, fingerprint })
    }
}

impl IdCert {
    /// Loads a certificate that was verified when it was stored, and verifies it again; a
    /// certificate that has run out since still loads.
    ///
    /// # Errors
    /// [`CertError::Malformed`], [`CertError::Signature`].
    pub fn trusted_from_store(bytes: &[u8]) -> Result<Self, CertError> {
        UnverifiedCert::from_bytes(bytes)?.verify(None)
    }

    /// Signs a certificate with both keys and verifies what came out, so that a fault of this
    /// machine never leaves it.
    pub(crate) fn issue(
        rng: &mut impl crypto::rand_core::CryptoRng,
        ed: &sign::EdSecret,
        md: &sign::MdSecret,
        statics: (&dh::Private, &kem::Seed),
        epoch: u32,
        not_after: u32,
    ) -> Result<Self, IssueError> {
        let mut w = Writer::with_capacity(CERT_LEN);
        w.u8(VERSION).bytes(&ed.public()).bytes(md.public().as_slice());
        w.bytes(&statics.0.public().0).bytes(statics.1.encapsulation_key().as_bytes());
        w.u32(epoch).u32(not_after);
        let digest = hash(&[w.as_slice()]);
        let md_signature = md.sign(rng, labels::IDCERT_MD, &digest).map_err(|_| IssueError)?;
        w.bytes(&ed.sign(&ed_message(&digest))).bytes(md_signature.as_slice());
        UnverifiedCert::from_bytes(w.as_slice())
            .and_then(|cert| cert.verify(None))
            .map_err(|_| IssueError)
    }

    /// The name of the identity: a hash of both identity keys.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// `H(idcert)`: names this certificate, signatures included.
    #[must_use]
    pub const fn hash(&self) -> [u8; 32] {
        self.hash
    }

    /// The 6582 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; CERT_LEN] {
        &self.bytes
    }

    /// Static X25519 key.
    #[must_use]
    pub const fn x(&self) -> &dh::Public {
        &self.core.x
    }

    /// Static ML-KEM-768 key.
    #[must_use]
    pub const fn k(&self) -> &kem::EncapsulationKey {
        &self.core.k
    }

    /// How often the static keys were rotated before.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.core.epoch
    }

    /// The last hour (since 1970, UTC) at which the certificate is good for a new pairing.
    #[must_use]
    pub const fn not_after(&self) -> u32 {
        self.core.not_after
    }

    /// Ed25519 identity key.
    #[must_use]
    pub const fn ed(&self) -> &[u8; sign::ED_PK_LEN] {
        &self.core.ed
    }

    /// ML-DSA-65 identity key.
    #[must_use]
    pub const fn md(&self) -> &[u8; sign::MD_PK_LEN] {
        &self.core.md
    }

    /// How this certificate stands to one that is known.
    #[must_use]
    pub fn relation_to(&self, known: &Self) -> Relation {
        match (self.core.ed == known.core.ed, self.core.md == known.core.md) {
            (false, false) => Relation::Stranger,
            (true, false) | (false, true) => Relation::Half, // SAS-4
            // ID-CERT-4
            (true, true) if self.hash == known.hash => Relation::Same,
            (true, true) if self.core.epoch > known.core.epoch => Relation::Newer,
            (true, true) => Relation::NotNewer,
        }
    }
}

/// Shows the short fingerprint only.
impl fmt::Debug for IdCert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { core: _, bytes: _, hash: _, fingerprint } = self;
        f.debug_tuple("IdCert").field(fingerprint).finish()
    }
}

/// A certificate could not be made; this machine's fault.
#[derive(Debug)]
pub(crate) struct IssueError;

fn ed_message(digest: &[u8; 32]) -> Vec<u8> {
    [labels::IDCERT_ED, digest].concat()
}
