//! What outlives a session: where a lost one is made anew, and what proves that it is the same
//! pair of people (REK-1).

use crate::rows::{done, get_bytes, open_row, put_bytes, row};
use board::tag::{SYNC_DAYS, SyncChain, SyncDay};
use crypto::{Zeroizing, dh};
use handshake::{RecoveryPsk, SessionSecret};
use identity::{Identity, Statics};
use wire::Malformed;

/// What a session with a contact is renewed from. It comes from the pairing and is kept when the
/// session is renewed, so that a copy of any age still leads to the peer.
pub(crate) struct Recovery {
    /// Day 0 of the resync tags, in UTC days since 1970 (HS-5).
    day: u32,
    sync: SyncChain,
    psk: RecoveryPsk,
    /// Our static key in the certificate that the peer knows (ID-CERT-5). Rows that are older than
    /// this field have none.
    own_x: Option<dh::Public>,
}

crypto::opaque!(Recovery);

impl Recovery {
    /// Takes what the secret of a pairing gives, with the day that its handshake stated and the
    /// static key that the peer was shown.
    pub(crate) fn new(secret: &SessionSecret, day: u32, own_x: dh::Public) -> Self {
        let sync = SyncChain::new(secret.sync_root().expose_secret());
        Self { day, sync, psk: secret.recovery_psk(), own_x: Some(own_x) }
    }

    /// What the peer knows us by.
    pub(crate) const fn psk(&self) -> &RecoveryPsk {
        &self.psk
    }

    /// Our static keys that the peer knows.
    pub(crate) fn own<'a>(&self, identity: &'a Identity) -> &'a Statics {
        let known = self.own_x.and_then(|x| identity.statics_of_x(&x));
        known.unwrap_or_else(|| identity.statics())
    }

    /// Whether the peer knows these static keys of ours (ID-CERT-5).
    pub(crate) fn knows(&self, statics: &Statics) -> bool {
        self.own_x.is_some_and(|x| x == *statics.cert().x())
    }

    /// The day of the resync chain that is `today` in UTC days since 1970.
    pub(crate) const fn today(&self, today: u32) -> u32 {
        today.saturating_sub(self.day)
    }

    /// The secret of a day of the resync chain, if it is there.
    pub(crate) fn sync_day(&self, t: u32) -> Option<SyncDay> {
        self.sync.day(t).ok()
    }

    /// Days whose resync tags are read (BRD-46): fourteen past ones, and one that a peer whose clock
    /// is ahead writes in.
    pub(crate) fn days_read(&self, today: u32) -> impl Iterator<Item = u32> + use<> {
        let t = self.today(today);
        t.saturating_sub(SYNC_DAYS)..=t.saturating_add(1)
    }

    /// BRD-10: erases the keys of days that are read no more.
    pub(crate) fn forget_days(&mut self, today: u32) {
        // A clock that is absurdly far ahead erases nothing.
        let _ = self.sync.erase_before(self.today(today));
    }

    /// The row: `ver(1) ‖ day u32 ‖ len u32 ‖ sync(36) ‖ psk(32) ‖ own static X25519 key(32)`.
    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(160);
        w.u32(self.day);
        put_bytes(&mut w, &self.sync.to_secret_bytes());
        w.bytes(self.psk.expose_secret());
        if let Some(x) = &self.own_x {
            w.bytes(&x.0);
        }
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let day = r.u32()?;
        let sync = SyncChain::from_secret_bytes(get_bytes(&mut r)?)?;
        let psk = RecoveryPsk::copy_of(r.array_ref()?);
        let own_x = if r.remaining() == 0 { None } else { Some(dh::Public(r.array()?)) };
        r.finish()?;
        Ok(Self { day, sync, psk, own_x })
    }
}
