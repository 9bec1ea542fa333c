//! Double Ratchet in which every Diffie-Hellman step is also an ML-KEM-768 step.
//!
//! One message is always [`CIPHERTEXT_LEN`] bytes. Nothing changes until a message is authentic
//! (RAT-4), nothing here takes a nonce (RAT-5), and no signature is made or checked (CO-3).
//!
//! ```text
//!              A, inviter                              B, invited
//!              Wait --decrypt--> Reply                 Send
//!                                  |                    |
//!                               encrypt              decrypt (new chain)
//!                                  v                    v
//!              Reply <--decrypt-- Send                 Reply --encrypt--> Send
//! ```
//!
//! Rules RAT-1 to RAT-12 of `docs/spec/ratchet.md`. What a theft opens (RAT-9 to RAT-11) follows
//! from what is erased when; who could have written what (RAT-12), from there being no signature.

mod chain;
mod message;
mod save;
mod session;
mod skipped;

pub use message::{Authentic, CIPHERTEXT_LEN, Ciphertext, MAX_CONTENT};
pub use session::{DecryptError, EncryptError, Ratchet};
pub use skipped::{MAX_OLD_CHAINS, MAX_SKIP, MAX_STORED, SKIPPED_DAYS};
pub use wire::Malformed;
