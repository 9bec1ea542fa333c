use crate::{HandshakeError, Introduction};
use crypto::Zeroizing;
use identity::{CERT_LEN, IdCert, UnverifiedCert};
use wire::{Codec, Malformed, Reader, Writer};

/// What a side says under the AEAD of M2 and M3 (HS-5):
/// `idcert(6582) ‖ r(32) ‖ introduction(134) ‖ hours(4) ‖ zeros`.
pub(crate) struct Payload<C> {
    pub(crate) cert: C,
    pub(crate) r: [u8; 32],
    pub(crate) intro: Introduction,
    /// When M2 was made, hours since 1970, UTC; M3 repeats it.
    pub(crate) hours: u32,
}

impl Payload<&IdCert> {
    /// Encodes, padded to `len` bytes.
    pub(crate) fn write(self, len: usize) -> Result<Zeroizing<Vec<u8>>, HandshakeError> {
        let Self { cert, r, intro, hours } = self;
        let mut w = Writer::with_capacity(len);
        w.bytes(cert.as_bytes()).bytes(&r);
        intro.write(&mut w)?;
        w.u32(hours).pad_to(len);
        Ok(Zeroizing::new(w.into_vec()))
    }
}

impl Payload<UnverifiedCert> {
    /// Decodes a whole plaintext; what follows the fields is zero (WIR-3).
    pub(crate) fn read(plain: &[u8]) -> Result<Self, HandshakeError> {
        let mut r = Reader::new(plain);
        let cert = UnverifiedCert::from_bytes(r.take(CERT_LEN)?)?;
        let payload = Self {
            cert,
            r: r.array()?,
            intro: Introduction::decode_from(&mut r)?,
            hours: r.u32()?,
        };
        r.zeros(r.remaining())?;
        Ok(payload)
    }
}

/// Hours by which two right clocks may differ.
const SKEW_HOURS: u32 = 48;
/// Hours that a message may wait: the longest life of an invite (INV-3), and the skew.
const WAIT_HOURS: u32 = 720 + SKEW_HOURS;

/// Whether a stated hour can be true; the chain of resync keys is walked from that day (HS-5).
pub(crate) fn plausible(stated: u32, now_hours: u32) -> Result<(), Malformed> {
    let earliest = now_hours.saturating_sub(WAIT_HOURS);
    let latest = now_hours.saturating_add(SKEW_HOURS);
    if (earliest..=latest).contains(&stated) { Ok(()) } else { Err(Malformed::Field("hours")) }
}
