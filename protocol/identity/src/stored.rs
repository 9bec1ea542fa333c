use crate::CertError;

/// Why bytes of the encrypted store do not load. Our own store's fault, never a peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoredError {
    /// The bytes do not parse.
    #[error("the stored bytes do not parse: {0}")]
    Malformed(#[from] wire::Malformed),
    /// A stored certificate does not verify.
    #[error("a stored certificate does not verify: {0}")]
    Certificate(#[from] CertError),
    /// Secrets and certificate do not belong together.
    #[error("stored secrets do not belong to the stored certificate")]
    Foreign,
}
