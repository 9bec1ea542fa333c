//! Ed25519 (RFC 8032, strict verification) and ML-DSA-65 (FIPS 204). Identity certificates and
//! successor statements are the only things that are ever signed (ID-CERT-3).

mod ed;

use crate::stack::{SIGNATURES, scrubbed};
use crate::{SecretBox, secret};
use ed25519_dalek::{Signer, SigningKey};
use libcrux_ml_dsa::ml_dsa_65;
use rand_core::CryptoRng;
use zeroize::Zeroize;

/// Length of an Ed25519 public key in bytes.
pub const ED_PK_LEN: usize = 32;
/// Length of an Ed25519 signature in bytes.
pub const ED_SIG_LEN: usize = 64;
/// Length of an ML-DSA-65 public key in bytes.
pub const MD_PK_LEN: usize = 1952;
/// Length of an ML-DSA-65 signature in bytes.
pub const MD_SIG_LEN: usize = 3309;

secret! {
    /// An Ed25519 private key: its 32-byte seed.
    pub struct EdSecret([u8; 32]);
    /// An ML-DSA-65 private key: its 32-byte seed.
    pub struct MdSecret([u8; 32]);
}

/// The signature does not verify, or the key is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// ML-DSA rejected every attempt to sign; of negligible probability, and ours, never a peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ML-DSA could not sign")]
pub struct CannotSign;

impl EdSecret {
    /// The public key, 32 bytes.
    #[must_use]
    pub fn public(&self) -> [u8; ED_PK_LEN] {
        scrubbed::<SIGNATURES, _>(|| {
            SigningKey::from_bytes(self.expose_secret()).verifying_key().to_bytes()
        })
    }

    /// Signs `message`; deterministic.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; ED_SIG_LEN] {
        scrubbed::<SIGNATURES, _>(|| {
            SigningKey::from_bytes(self.expose_secret()).sign(message).to_bytes()
        })
    }
}

/// Verifies an Ed25519 signature, strictly: no point of small order, nothing in a second encoding (CRY-8).
///
/// # Errors
/// [`BadSignature`].
pub fn ed_verify(
    public: &[u8; ED_PK_LEN],
    message: &[u8],
    signature: &[u8; ED_SIG_LEN],
) -> Result<(), BadSignature> {
    if ed::verifies(public, message, signature) { Ok(()) } else { Err(BadSignature) }
}

impl MdSecret {
    /// The public key, 1952 bytes.
    #[must_use]
    pub fn public(&self) -> Box<[u8; MD_PK_LEN]> {
        scrubbed::<SIGNATURES, _>(|| Box::new(*self.expand().0.verification_key.as_ref()))
    }

    /// Signs `message` under `context`, hedged with randomness.
    ///
    /// # Errors
    /// [`CannotSign`], with negligible probability.
    pub fn sign(
        &self,
        rng: &mut impl CryptoRng,
        context: &[u8],
        message: &[u8],
    ) -> Result<Box<[u8; MD_SIG_LEN]>, CannotSign> {
        let dice = SecretBox::<32>::random(rng);
        let signed = scrubbed::<SIGNATURES, _>(|| {
            let keys = self.expand();
            ml_dsa_65::sign(&keys.0.signing_key, message, context, *dice.expose_secret())
        });
        signed.map(|signature| Box::new(*signature.as_ref())).map_err(|_| CannotSign)
    }

    fn expand(&self) -> Expanded {
        Expanded(Box::new(ml_dsa_65::generate_key_pair(*self.expose_secret())))
    }
}

/// The expanded key pair, wiped on drop: the library has no zeroize of its own.
struct Expanded(Box<ml_dsa_65::MLDSA65KeyPair>);

crate::opaque!(Expanded);

impl Drop for Expanded {
    fn drop(&mut self) {
        self.0.signing_key.as_ref_mut().zeroize();
    }
}

/// Verifies an ML-DSA-65 signature under `context` (CRY-8).
///
/// # Errors
/// [`BadSignature`].
pub fn md_verify(
    public: &[u8; MD_PK_LEN],
    context: &[u8],
    message: &[u8],
    signature: &[u8; MD_SIG_LEN],
) -> Result<(), BadSignature> {
    ml_dsa_65::verify(
        &ml_dsa_65::MLDSA65VerificationKey::new(*public),
        message,
        context,
        &ml_dsa_65::MLDSA65Signature::new(*signature),
    )
    .map_err(|_| BadSignature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;

    #[test]
    fn cry_8_both_schemes_sign_and_refuse() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(8);
        let ed = EdSecret::random(&mut rng);
        let mut sig = ed.sign(b"m");
        assert_eq!(ed_verify(&ed.public(), b"m", &sig), Ok(()));
        assert_eq!(ed_verify(&ed.public(), b"n", &sig), Err(BadSignature));
        sig[3] ^= 1;
        assert_eq!(ed_verify(&ed.public(), b"m", &sig), Err(BadSignature));

        let md = MdSecret::random(&mut rng);
        let mut sig = md.sign(&mut rng, b"ctx", b"m").unwrap();
        assert_eq!(md_verify(&md.public(), b"ctx", b"m", &sig), Ok(()));
        assert_eq!(md_verify(&md.public(), b"other", b"m", &sig), Err(BadSignature));
        assert_eq!(md_verify(&md.public(), b"ctx", b"n", &sig), Err(BadSignature));
        sig[99] ^= 1;
        assert_eq!(md_verify(&md.public(), b"ctx", b"m", &sig), Err(BadSignature));
    }

    #[test]
    fn cry_8_small_order_ed25519_key_is_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut sig = [0; 64];
        sig[0] = 1;
        assert_eq!(ed_verify(&identity, b"m", &sig), Err(BadSignature));
    }
}
