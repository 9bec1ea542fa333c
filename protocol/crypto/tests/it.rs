//! Published vectors. A test named for a type of ours runs through our API; one named `primitive`
//! runs the library below it, where our API deliberately takes no such input (a nonce, an
//! expanded private key). Every count is asserted, so that an empty file fails.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod it {
    mod aead;
    mod argon2id;
    mod complete;
    mod hkdf;
    mod ml_dsa;
    mod ml_kem;
    mod oracle;
    mod rfc;
    mod support;
    mod x25519_ed25519;
}
