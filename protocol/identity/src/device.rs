use crate::{CERT_LEN, IdCert, StoredError};
use crypto::rand_core::CryptoRng;
use crypto::{Zeroizing, dh, kem, sign};
use wire::{Malformed, Reader, Writer};

/// Hours for which a certificate is good for new pairings: 60 days.
pub const CERT_HOURS: u32 = 1440;
/// Hours after which the static keys are rotated: 30 days.
pub const ROTATE_HOURS: u32 = 720;

const STORED_VERSION: u8 = 1;
const STATICS_LEN: usize = dh::Private::LEN + kem::Seed::LEN + CERT_LEN;

/// The identity of this device: the secrets of both signature keys, and the static agreement keys
/// with their certificate (ID-CERT-1). No `Clone`, no `Debug`.
///
/// The static keys of the epoch before are kept for as long as their certificate is good, since a
/// pairing or a re-key may have begun with them (ID-CERT-5).
pub struct Identity {
    ed: sign::EdSecret,
    md: sign::MdSecret,
    current: Statics,
    previous: Option<Statics>,
}

/// Static agreement keys of one epoch, with the certificate that names them.
pub struct Statics {
    x: dh::Private,
    k: kem::Seed,
    cert: IdCert,
}

crypto::opaque!(Identity, Statics);

/// Why an identity could not be made. Always this machine's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The certificate could not be signed, or what was signed does not verify.
    #[error("the certificate could not be made")]
    CannotSign,
    /// The clock or the epoch is beyond what a certificate can say.
    #[error("the clock shows an impossible time")]
    Clock,
}

impl Identity {
    /// Makes an identity with its first certificate, good for [`CERT_HOURS`] from `now_hours`
    /// (hours since 1970, UTC).
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn generate(rng: &mut impl CryptoRng, now_hours: u32) -> Result<Self, IdentityError> {
        let ed = sign::EdSecret::random(rng);
        let md = sign::MdSecret::random(rng);
        let current = Statics::generate(rng, &ed, &md, 0, now_hours)?;
        Ok(Self { ed, md, current, previous: None })
    }

    /// The same identity with fresh static keys, the next epoch and a new certificate. The caller
    /// replaces the old value when the new one is saved (ID-CERT-5).
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn rotate(&self, rng: &mut impl CryptoRng, now_hours: u32) -> Result<Self, IdentityError> {
        let epoch = self.cert().epoch().checked_add(1).ok_or(IdentityError::Clock)?;
        let (ed, md) = (self.copy_ed(), self.copy_md());
        let current = Statics::generate(rng, &ed, &md, epoch, now_hours)?;
        // ID-CERT-5: keys that have run out are not carried along.
        let previous = (now_hours <= self.cert().not_after()).then(|| self.current.copy());
        Ok(Self { ed, md, current, previous })
    }

    /// Whether the static keys are [`ROTATE_HOURS`] old.
    #[must_use]
    pub fn rotation_due(&self, now_hours: u32) -> bool {
        self.cert().not_after().saturating_sub(now_hours) <= CERT_HOURS.saturating_sub(ROTATE_HOURS)
    }

    /// The certificate of the current epoch.
    #[must_use]
    pub const fn cert(&self) -> &IdCert {
        &self.current.cert
    }

    /// Static X25519 key of the current epoch.
    #[must_use]
    pub const fn static_x(&self) -> &dh::Private {
        &self.current.x
    }

    /// Static ML-KEM-768 key of the current epoch.
    #[must_use]
    pub const fn static_k(&self) -> &kem::Seed {
        &self.current.k
    }

    /// The static keys that the certificate with this hash names, if they are still here.
    #[must_use]
    pub fn statics_of(&self, cert_hash: &[u8; 32]) -> Option<&Statics> {
        self.all_statics().find(|s| s.cert.hash() == *cert_hash)
    }

    /// All static keys that are still here, newest first: one or two.
    pub fn all_statics(&self) -> impl Iterator<Item = &Statics> {
        core::iter::once(&self.current).chain(&self.previous)
    }

    /// The identity for the encrypted store:
    /// `ver(1) ‖ ED(32) ‖ MD(32) ‖ count(1) ‖ count × (sX(32) ‖ sK(64) ‖ idcert(6582))`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        let count = if self.previous.is_some() { 2 } else { 1 };
        let len = STATICS_LEN.saturating_mul(usize::from(count)).saturating_add(66);
        let mut w = Writer::with_capacity(len);
        w.u8(STORED_VERSION)
            .bytes(self.ed.expose_secret())
            .bytes(self.md.expose_secret())
            .u8(count);
        for s in self.all_statics() {
            w.bytes(s.x.expose_secret()).bytes(s.k.expose_secret()).bytes(s.cert.as_bytes());
        }
        Zeroizing::new(w.into_vec())
    }

    /// Loads what [`to_secret_bytes`](Self::to_secret_bytes) gave. Certificates are verified again
    /// and must belong to the secrets beside them.
    ///
    /// # Errors
    /// [`StoredError`].
    pub fn from_secret_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let mut r = Reader::new(bytes);
        if r.u8()? != STORED_VERSION {
            return Err(Malformed::Field("version").into());
        }
        let ed = sign::EdSecret::copy_of(r.array_ref()?);
        let md = sign::MdSecret::copy_of(r.array_ref()?);
        let count = r.u8()?;
        let current = Statics::read(&mut r)?;
        let previous = match count {
            1 => None,
            2 => Some(Statics::read(&mut r)?),
            _ => return Err(Malformed::Field("count").into()),
        };
        r.finish()?;
        let identity = Self { ed, md, current, previous };
        let (ed, md) = (identity.ed.public(), identity.md.public());
        let ours = |s: &Statics| *s.cert.ed() == ed && *s.cert.md() == *md && s.is_consistent();
        if identity.all_statics().all(ours) { Ok(identity) } else { Err(StoredError::Foreign) }
    }

    pub(crate) const fn signers(&self) -> (&sign::EdSecret, &sign::MdSecret) {
        (&self.ed, &self.md)
    }

    fn copy_ed(&self) -> sign::EdSecret {
        sign::EdSecret::copy_of(self.ed.expose_secret())
    }

    fn copy_md(&self) -> sign::MdSecret {
        sign::MdSecret::copy_of(self.md.expose_secret())
    }
}

impl Statics {
    /// Static X25519 key.
    #[must_use]
    pub const fn x(&self) -> &dh::Private {
        &self.x
    }

    /// Static ML-KEM-768 key.
    #[must_use]
    pub const fn k(&self) -> &kem::Seed {
        &self.k
    }

    /// The certificate that names both.
    #[must_use]
    pub const fn cert(&self) -> &IdCert {
        &self.cert
    }

    fn generate(
        rng: &mut impl CryptoRng,
        ed: &sign::EdSecret,
        md: &sign::MdSecret,
        epoch: u32,
        now_hours: u32,
    ) -> Result<Self, IdentityError> {
        let not_after = now_hours.checked_add(CERT_HOURS).ok_or(IdentityError::Clock)?;
        let x = dh::Private::random(rng);
        let k = kem::Seed::random(rng);
        let cert = IdCert::issue(rng, ed, md, (&x, &k), epoch, not_after)
            .map_err(|_| IdentityError::CannotSign)?;
        Ok(Self { x, k, cert })
    }

    fn copy(&self) -> Self {
        Self { x: self.x.duplicate(), k: self.k.duplicate(), cert: self.cert.clone() }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, StoredError> {
        Ok(Self {
            x: dh::Private::copy_of(r.array_ref()?),
            k: kem::Seed::copy_of(r.array_ref()?),
            cert: IdCert::trusted_from_store(r.take(CERT_LEN)?)?,
        })
    }

    fn is_consistent(&self) -> bool {
        self.x.public() == *self.cert.x() && self.k.encapsulation_key() == *self.cert.k()
    }
}
