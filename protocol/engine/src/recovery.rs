//! What outlives a session: where a lost one is made anew, and what proves that it is the same
//! pair of people (REK-1).

use crate::rows::{done, get_bytes, open_row, put_bytes, row};
use board::tag::SyncChain;
use crypto::Zeroizing;
use handshake::{RecoveryPsk, SessionSecret};
use wire::Malformed;

/// What a session with a contact is renewed from. It comes from the pairing and is kept when the
/// session is renewed, so that a copy of any age still leads to the peer.
pub(crate) struct Recovery {
    /// Day 0 of the resync tags, in UTC days since 1970 (HS-5).
    day: u32,
    sync: SyncChain,
    psk: RecoveryPsk,
}

crypto::opaque!(Recovery);

impl Recovery {
    /// Takes what the secret of a pairing gives, with the day that its handshake stated.
    pub(crate) fn new(secret: &SessionSecret, day: u32) -> Self {
        let sync = SyncChain::new(secret.sync_root().expose_secret());
        Self { day, sync, psk: secret.recovery_psk() }
    }

    /// The row: `ver(1) ‖ day u32 ‖ len u32 ‖ sync(36) ‖ psk(32)`.
    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(128);
        w.u32(self.day);
        put_bytes(&mut w, &self.sync.to_secret_bytes());
        w.bytes(self.psk.expose_secret());
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let day = r.u32()?;
        let sync = SyncChain::from_secret_bytes(get_bytes(&mut r)?)?;
        let psk = RecoveryPsk::copy_of(r.array_ref()?);
        r.finish()?;
        Ok(Self { day, sync, psk })
    }
}
