//! Key types, hybrid KEM, AEAD with its own nonces, KDF and labels.
//!
//! The only crate that names a primitive. Nothing here takes a nonce (CR-2), nothing here draws
//! its own randomness, and no secret can be printed, cloned or compared with `==` (SE-2, CR-3).
//! Rules CRY-1 to CRY-9 of `docs/spec/crypto.md`.

pub mod aead;
pub mod backup;
pub mod dh;
pub mod hybrid;
pub mod kdf;
pub mod kem;
pub mod labels;
pub mod password;
pub mod sign;

mod secret;
mod stack;
mod wiped;

pub use kdf::{HASH_LEN, hash, sha3_256};
pub use rand_core;
pub use secret::SecretBox;
#[doc(hidden)]
pub use static_assertions;
pub use zeroize::Zeroizing;
