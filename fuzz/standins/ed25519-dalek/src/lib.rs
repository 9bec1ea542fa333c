//! A stand-in: a signature is a hash of key and message, so whoever changes one breaks it, and
//! whoever wants to can make one. For the fuzzer alone (docs/fuzzing.md).

use sha2::{Digest, Sha512};
use zeroize::ZeroizeOnDrop;

/// A private key.
#[derive(ZeroizeOnDrop)]
pub struct SigningKey([u8; 32]);
/// A public key: the private one.
pub struct VerifyingKey([u8; 32]);
/// 64 bytes.
pub struct Signature([u8; 64]);
/// The key is none, or the signature is not its.
#[derive(Debug)]
pub struct Refused;

/// Signs.
pub trait Signer {
    /// Signs `message`.
    fn sign(&self, message: &[u8]) -> Signature;
}

impl SigningKey {
    /// Takes a seed.
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self(*seed)
    }

    /// Its public key.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0)
    }
}

impl Signer for SigningKey {
    fn sign(&self, message: &[u8]) -> Signature {
        VerifyingKey(self.0).expects(message)
    }
}

impl VerifyingKey {
    /// A key of zeros is refused, as a point of small order is.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Refused> {
        if *bytes == [0; 32] { Err(Refused) } else { Ok(Self(*bytes)) }
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Whether the signature is that of the message.
    pub fn verify_strict(&self, message: &[u8], signature: &Signature) -> Result<(), Refused> {
        if self.expects(message).0 == signature.0 { Ok(()) } else { Err(Refused) }
    }

    fn expects(&self, message: &[u8]) -> Signature {
        Signature(Sha512::new().chain_update(self.0).chain_update(message).finalize().into())
    }
}

impl Signature {
    /// Every 64 bytes are one.
    pub fn from_bytes(bytes: &[u8; 64]) -> Self {
        Self(*bytes)
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> [u8; 64] {
        self.0
    }
}
