//! A stand-in: a signature is a hash of key, context and message, repeated to the length of one.
//! For the fuzzer alone (docs/fuzzing.md).

/// ML-DSA-65.
pub mod ml_dsa_65 {
    use sha2::{Digest, Sha256};

    /// Bytes of some length.
    macro_rules! bytes {
        ($($(#[$meta:meta])* $name:ident, $len:expr;)+) => {$(
            $(#[$meta])*
            #[derive(Clone)]
            pub struct $name([u8; $len]);

            impl $name {
                /// Takes the bytes.
                pub fn new(bytes: [u8; $len]) -> Self {
                    Self(bytes)
                }

                /// The bytes, to be wiped.
                pub fn as_ref_mut(&mut self) -> &mut [u8; $len] {
                    &mut self.0
                }

                /// The bytes.
                pub fn as_ref(&self) -> &[u8; $len] {
                    &self.0
                }
            }
        )+};
    }

    bytes! {
        /// The seed, and no more.
        MLDSA65SigningKey, 4032;
        /// The seed, repeated.
        MLDSA65VerificationKey, 1952;
        /// The hash, repeated.
        MLDSA65Signature, 3309;
    }

    /// Both keys.
    pub struct MLDSA65KeyPair {
        /// The private one.
        pub signing_key: MLDSA65SigningKey,
        /// The public one.
        pub verification_key: MLDSA65VerificationKey,
    }

    /// The signature is not that of the message.
    #[derive(Debug)]
    pub struct Refused;

    /// Keys out of a seed.
    pub fn generate_key_pair(seed: [u8; 32]) -> MLDSA65KeyPair {
        MLDSA65KeyPair {
            signing_key: MLDSA65SigningKey(repeated(&seed)),
            verification_key: MLDSA65VerificationKey(repeated(&seed)),
        }
    }

    /// Signs; the dice change nothing.
    pub fn sign(
        key: &MLDSA65SigningKey,
        message: &[u8],
        context: &[u8],
        _dice: [u8; 32],
    ) -> Result<MLDSA65Signature, Refused> {
        Ok(expected(&key.0[..1952], message, context))
    }

    /// Whether the signature is that of the message.
    pub fn verify(
        key: &MLDSA65VerificationKey,
        message: &[u8],
        context: &[u8],
        signature: &MLDSA65Signature,
    ) -> Result<(), Refused> {
        if expected(&key.0, message, context).0 == signature.0 { Ok(()) } else { Err(Refused) }
    }

    fn expected(key: &[u8], message: &[u8], context: &[u8]) -> MLDSA65Signature {
        let hash = Sha256::new().chain_update(key).chain_update(context).chain_update(message);
        MLDSA65Signature(repeated(&hash.finalize().into()))
    }

    fn repeated<const N: usize>(unit: &[u8; 32]) -> [u8; N] {
        let mut out = [0; N];
        for chunk in out.chunks_mut(32) {
            chunk.copy_from_slice(&unit[..chunk.len()]);
        }
        out
    }
}
