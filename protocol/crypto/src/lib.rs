//! Key types, hybrid KEM, AEAD with its own nonces, KDF and labels: the only crate that names a primitive.
