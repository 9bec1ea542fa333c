use identity::CertError;
use wire::Malformed;

/// Why a handshake message was refused, and whose fault that is. Nothing has changed then.
///
/// For this side's own records: nothing is ever sent because of an error, so all look alike on
/// the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The message does not parse, or holds a key that is none. Its sender's fault.
    #[error("the message does not parse: {0}")]
    Malformed(#[from] Malformed),
    /// The message was not made with the keys of this pairing, or M1 is not the one that the
    /// invite pins. The fault of whoever changed or made it.
    #[error("the message is not authentic")]
    NotAuthentic,
    /// The peer's certificate does not stand. The peer's fault.
    #[error("the peer's certificate does not stand: {0}")]
    BadCertificate(#[from] CertError),
    /// What the inviter opens is not what M1 committed to: someone tried to choose the words
    /// that people compare (SAS-2).
    #[error("the opened value is not the one that was committed to")]
    CommitmentMismatch,
    /// The peer is this identity itself.
    #[error("this is our own identity")]
    OwnIdentity,
    /// The peer is a contact already.
    #[error("this identity is a contact already")]
    KnownContact,
    /// The invite ran out.
    #[error("the invite has run out")]
    Expired,
    /// A re-key names a certificate of the peer that is not among the given ones.
    #[error("the peer uses a certificate that is not known here")]
    UnknownCertificate,
    /// The static keys that this pairing began with are gone: it took longer than two rotations.
    /// Nobody's fault; a new invite is needed.
    #[error("the keys that this pairing began with are gone")]
    KeysGone,
    /// Our caller gave something that no message can carry.
    #[error("misuse: {0}")]
    Misuse(&'static str),
    /// A fault of this program.
    #[error("internal fault")]
    Internal,
}

impl From<crypto::aead::NotAuthentic> for HandshakeError {
    fn from(_: crypto::aead::NotAuthentic) -> Self {
        Self::NotAuthentic
    }
}
