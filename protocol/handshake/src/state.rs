//! What the states of both sides share.

use crate::HandshakeError;
use crypto::{labels, secret};
use identity::{Fingerprint, IdCert};
use wire::{Malformed, Reader, Writer};

const STORED_VERSION: u8 = 1;

/// Days are counted in UTC, hours since 1970.
pub(crate) const HOURS_PER_DAY: u32 = 24;

secret! {
    /// `rA` or `rB`, until it is opened.
    pub(crate) struct SasNonce([u8; 32]);
}

/// HS-3: not ourselves, not a contact.
pub(crate) fn refuse(
    peer: &IdCert,
    own: &IdCert,
    known: impl Fn(&Fingerprint) -> bool,
) -> Result<(), HandshakeError> {
    if peer.fingerprint() == own.fingerprint() {
        return Err(HandshakeError::OwnIdentity);
    }
    if known(&peer.fingerprint()) {
        return Err(HandshakeError::KnownContact);
    }
    Ok(())
}

/// What a side says to confirm its keys: `"pvtcoms v1 confirm"(18) ‖ h(32)`.
pub(crate) fn confirmation(h: &[u8; 32]) -> Vec<u8> {
    [labels::CONFIRM, h].concat()
}

/// Every stored state begins with its version.
pub(crate) fn write_version(w: &mut Writer) {
    w.u8(STORED_VERSION);
}

/// Reads what [`write_version`] wrote.
pub(crate) fn read_version(r: &mut Reader<'_>) -> Result<(), Malformed> {
    if r.u8()? == STORED_VERSION { Ok(()) } else { Err(Malformed::Field("version")) }
}
