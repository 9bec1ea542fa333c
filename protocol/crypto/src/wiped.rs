//! What the primitives' crates keep of a key, they wipe: a feature that goes missing breaks the build here.
//!
//! libcrux wipes nothing, so its expanded keys are wiped where they are made (`kem`, `sign`). Graviola's wipe
//! themselves and have no trait that says so.

use static_assertions::assert_impl_all;
use zeroize::ZeroizeOnDrop;

assert_impl_all!(crate::SecretBox<32>: ZeroizeOnDrop);
assert_impl_all!(x25519_dalek::StaticSecret: ZeroizeOnDrop);
assert_impl_all!(x25519_dalek::SharedSecret: ZeroizeOnDrop);
assert_impl_all!(ed25519_dalek::SigningKey: ZeroizeOnDrop);
assert_impl_all!(chacha20poly1305::ChaCha20Poly1305: ZeroizeOnDrop);
assert_impl_all!(chacha20poly1305::XChaCha20Poly1305: ZeroizeOnDrop);
// The state of HMAC and HKDF is made of these, and of the first one's core.
assert_impl_all!(sha2::block_api::Sha256VarCore: ZeroizeOnDrop);
assert_impl_all!(sha2::Sha256: ZeroizeOnDrop);
assert_impl_all!(sha2::Sha512: ZeroizeOnDrop);
