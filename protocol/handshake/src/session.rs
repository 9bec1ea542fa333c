use crate::Introduction;
use crypto::kdf::Prk;
use crypto::{dh, labels, secret};
use identity::{IdCert, Sas};

secret! {
    /// The result of a handshake or a re-key, 32 bytes; everything of a session is derived from
    /// it alone (HS-4): `Expand(SessionSecret, label)`.
    pub struct SessionSecret([u8; 32]);
    /// Root of the ratchet, label `"pvtcoms v1 ratchet root"`.
    pub struct RatchetRoot([u8; 32]);
    /// Root of the tag chains of the board, label `"pvtcoms v1 board root"`.
    pub struct BoardRoot([u8; 32]);
    /// Root of the resync tags, label `"pvtcoms v1 sync root"`.
    pub struct SyncRoot([u8; 32]);
    /// What proves a re-key to come from this pair of people, label `"pvtcoms v1 recovery psk"`.
    /// Taken from the first session of a contact and kept (REK-1).
    pub struct RecoveryPsk([u8; 32]);
}

crypto::opaque!(Established, Renewed);

impl SessionSecret {
    /// The session's id: public to both sides, label `"pvtcoms v1 sid"`.
    #[must_use]
    pub fn sid(&self) -> [u8; 32] {
        let mut out = [0; 32];
        self.expand(labels::SID, &mut out);
        out
    }

    /// Root of the ratchet.
    #[must_use]
    pub fn ratchet_root(&self) -> RatchetRoot {
        RatchetRoot::filled(|out| self.expand(labels::RATCHET_ROOT, out))
    }

    /// Root of the board's tag chains.
    #[must_use]
    pub fn board_root(&self) -> BoardRoot {
        BoardRoot::filled(|out| self.expand(labels::BOARD_ROOT, out))
    }

    /// Root of the resync tags.
    #[must_use]
    pub fn sync_root(&self) -> SyncRoot {
        SyncRoot::filled(|out| self.expand(labels::SYNC_ROOT, out))
    }

    /// The key that later re-keys are mixed with.
    #[must_use]
    pub fn recovery_psk(&self) -> RecoveryPsk {
        RecoveryPsk::filled(|out| self.expand(labels::RECOVERY_PSK, out))
    }

    fn expand(&self, label: &[u8], out: &mut [u8; 32]) {
        Prk::from_key(self.expose_secret()).expand(&[label], out);
    }
}

/// Who sends the first message of a session (HS-4): the invited side, or the one that answered a
/// re-key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstWord {
    /// This side.
    Ours,
    /// The inviter, or whoever began the re-key, waits for it.
    Theirs,
}

/// A completed pairing.
///
/// The inviter's side holds the peer's key confirmation (M4). The invited side holds none yet:
/// the first ratchet message that opens is the inviter's (HS-6).
pub struct Established {
    /// The peer's certificate.
    pub peer: IdCert,
    /// Our static X25519 key in the certificate that the peer was shown: with it a re-key begins.
    pub own_x: dh::Public,
    /// What the peer said about itself.
    pub peer_intro: Introduction,
    /// What people compare.
    pub sas: Sas,
    /// The session's secret.
    pub session: SessionSecret,
    /// Who sends the session's first message.
    pub first: FirstWord,
    /// The transcript hash over every byte of M1 to M4.
    pub transcript: [u8; 32],
    /// The UTC day (since 1970) that the invited side stated in M2 and the inviter repeated:
    /// day 0 of the resync tags.
    pub day: u32,
}

/// A completed re-key between people who knew each other (REK-1).
///
/// Whoever began it holds the peer's key confirmation (R2). The other side holds none yet: until
/// the first ratchet message of this session opens, the old session stays the contact's session.
pub struct Renewed {
    /// The peer's certificate.
    pub peer: IdCert,
    /// What the peer said about itself.
    pub peer_intro: Introduction,
    /// The session's secret.
    pub session: SessionSecret,
    /// Who sends the session's first message.
    pub first: FirstWord,
    /// The transcript hash over every byte of R1 and R2.
    pub transcript: [u8; 32],
    /// The UTC day (since 1970) that R1 stated: day 0 of the resync tags.
    pub day: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hs_4_everything_derived_from_a_session_differs() {
        let session = SessionSecret::copy_of(&[7; 32]);
        let all = [
            *session.expose_secret(),
            session.sid(),
            *session.ratchet_root().expose_secret(),
            *session.board_root().expose_secret(),
            *session.sync_root().expose_secret(),
            *session.recovery_psk().expose_secret(),
        ];
        for (i, a) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|b| a != b), "derivation {i}");
        }
        assert_ne!(session.sid(), SessionSecret::copy_of(&[8; 32]).sid());
    }
}
