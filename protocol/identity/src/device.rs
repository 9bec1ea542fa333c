use crate::{CERT_LEN, IdCert, StoredError};
use crypto::rand_core::CryptoRng;
use crypto::{Zeroizing, dh, kem, sign};
use wire::{Malformed, Reader, Writer};

/// Hours for which a certificate is good for new pairings: 60 days.
pub const CERT_HOURS: u32 = 1440;
/// Hours after which the static keys are rotated: 30 days.
pub const ROTATE_HOURS: u32 = 720;

const STORED_VERSION: u8 = 1;
/// Epochs that can be kept beside the current one: twenty years of them.
const MAX_OLDER: usize = 254;
const STATICS_LEN: usize = dh::Private::LEN + kem::Seed::LEN + CERT_LEN;

/// The identity of this device: the secrets of both signature keys, and the static agreement keys
/// with their certificate (ID-CERT-1). No `Clone`, no `Debug`.
///
/// The static keys of the epoch before are kept for as long as their certificate is good, since a
/// pairing or a re-key may have begun with them; older ones for as long as a contact knows no
/// others (ID-CERT-5).
pub struct Identity {
    ed: sign::EdSecret,
    md: sign::MdSecret,
    current: Statics,
    /// Newest first.
    older: Vec<Statics>,
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
        Ok(Self { ed, md, current, older: Vec::new() })
    }

    /// The same identity with fresh static keys, the next epoch and a new certificate; of the
    /// older keys, those of the epoch before stay while they are good. The caller replaces the old
    /// value when the new one is saved (ID-CERT-5).
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn rotate(&self, rng: &mut impl CryptoRng, now_hours: u32) -> Result<Self, IdentityError> {
        self.rotate_keeping(rng, now_hours, |_| false)
    }

    /// As [`rotate`](Self::rotate), and the older keys for which `known` says that somebody knows
    /// no others stay as well, however old they are: a re-key needs them.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn rotate_keeping(
        &self,
        rng: &mut impl CryptoRng,
        now_hours: u32,
        known: impl Fn(&Statics) -> bool,
    ) -> Result<Self, IdentityError> {
        let epoch = self.cert().epoch().checked_add(1).ok_or(IdentityError::Clock)?;
        let (ed, md) = (self.copy_ed(), self.copy_md());
        let current = Statics::generate(rng, &ed, &md, epoch, now_hours)?;
        // ID-CERT-5: keys that have run out and that nobody knows are not carried along. The number
        // of kept epochs is one byte of the stored form.
        let before =
            core::iter::once(&self.current).filter(|s| now_hours <= s.cert.not_after() || known(s));
        let older = before.chain(self.older.iter().filter(|s| known(s)));
        let older = older.take(MAX_OLDER).map(Statics::copy).collect();
        Ok(Self { ed, md, current, older })
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

    /// The static keys of the current epoch.
    #[must_use]
    pub const fn statics(&self) -> &Statics {
        &self.current
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

    /// The static keys with this public X25519 key, if they are still here.
    #[must_use]
    pub fn statics_of_x(&self, x: &dh::Public) -> Option<&Statics> {
        self.all_statics().find(|s| s.cert.x() == x)
    }

    /// All static keys that are still here, newest first: one to 255.
    pub fn all_statics(&self) -> impl Iterator<Item = &Statics> {
        core::iter::once(&self.current).chain(&self.older)
    }

    /// The identity for the encrypted store:
    /// `ver(1) ‖ ED(32) ‖ MD(32) ‖ count(1) ‖ count × (sX(32) ‖ sK(64) ‖ idcert(6582))`.
    #[must_use]
    pub fn to_secret_bytes(&self) -> Zeroizing<Vec<u8>> {
        // At most MAX_OLDER and one.
        let count = u8::try_from(self.older.len().saturating_add(1)).unwrap_or(u8::MAX);
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
        let older = r.u8()?.checked_sub(1).ok_or(Malformed::Field("count"))?;
        let current = Statics::read(&mut r)?;
        let older = (0..older).map(|_| Statics::read(&mut r)).collect::<Result<_, _>>()?;
        r.finish()?;
        let identity = Self { ed, md, current, older };
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
