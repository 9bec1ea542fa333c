//! A stand-in: what is here keeps nothing secret. The fuzzer looks at what our code does with keys
//! and ciphertexts; real arithmetic would let it look a tenth as often (docs/fuzzing.md).

/// Selection of the backend.
pub mod util {
    /// The stand-in runs everywhere.
    pub fn is_cpu_supported() -> bool {
        true
    }
}

/// Ciphers: those of the stand-in for `chacha20poly1305`.
pub mod aead {
    use chacha20poly1305::aead::inout::InOutBuf;
    use chacha20poly1305::{AeadInOut, KeyInit};

    macro_rules! cipher {
        ($name:ident, $nonce:literal) => {
            /// A cipher with its key.
            pub struct $name(chacha20poly1305::$name);

            impl $name {
                /// Takes a key.
                pub fn new(key: [u8; 32]) -> Self {
                    Self(chacha20poly1305::$name::new(&key.into()))
                }

                /// Encrypts in place.
                pub fn encrypt(
                    &self,
                    nonce: &[u8; $nonce],
                    ad: &[u8],
                    text: &mut [u8],
                    tag: &mut [u8; 16],
                ) {
                    let nonce = (*nonce).into();
                    if let Ok(made) = self.0.encrypt_inout_detached(&nonce, ad, InOutBuf::from(text)) {
                        *tag = made.into();
                    }
                }

                /// Decrypts in place.
                pub fn decrypt(
                    &self,
                    nonce: &[u8; $nonce],
                    ad: &[u8],
                    text: &mut [u8],
                    tag: &[u8],
                ) -> Result<(), chacha20poly1305::Error> {
                    let tag = tag.try_into().map_err(|_| chacha20poly1305::Error)?;
                    let nonce = (*nonce).into();
                    self.0.decrypt_inout_detached(&nonce, ad, InOutBuf::from(text), tag)
                }
            }
        };
    }

    cipher!(ChaCha20Poly1305, 12);
    cipher!(XChaCha20Poly1305, 24);
}

/// Signatures: those of the stand-in for `ed25519-dalek`.
pub mod signing {
    /// Ed25519.
    pub mod eddsa {
        use ed25519_dalek::{Refused, Signature, VerifyingKey};

        /// A public key.
        pub struct Ed25519VerifyingKey(VerifyingKey);

        impl Ed25519VerifyingKey {
            /// Takes 32 bytes.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refused> {
                VerifyingKey::from_bytes(bytes.try_into().map_err(|_| Refused)?).map(Self)
            }

            /// Whether the signature is that of the message.
            pub fn verify(&self, signature: &[u8], message: &[u8]) -> Result<(), Refused> {
                let signature = signature.try_into().map_err(|_| Refused)?;
                self.0.verify_strict(message, &Signature::from_bytes(signature))
            }
        }
    }
}

/// Key agreement.
pub mod key_agreement {
    /// X25519: both sides get the same 32 bytes, and nothing from a key of zeros.
    pub mod x25519 {
        /// A private key.
        pub struct StaticPrivateKey([u8; 32]);
        /// A public key: the private one.
        pub struct PublicKey([u8; 32]);
        /// What both get: the sum of their keys.
        pub struct SharedSecret(pub [u8; 32]);
        /// The peer's key contributes nothing.
        #[derive(Debug)]
        pub struct Zero;

        impl StaticPrivateKey {
            /// Takes a private key.
            pub fn from_array(k: &[u8; 32]) -> Self {
                Self(*k)
            }

            /// Its public key.
            pub fn public_key(&self) -> PublicKey {
                PublicKey(self.0)
            }

            /// Agrees; fails where the real one does for points of small order.
            pub fn diffie_hellman(&self, peer: &PublicKey) -> Result<SharedSecret, Zero> {
                if peer.0 == [0; 32] {
                    return Err(Zero);
                }
                let mut sum = self.0;
                for (a, b) in sum.iter_mut().zip(peer.0) {
                    *a = a.wrapping_add(b);
                }
                Ok(SharedSecret(sum))
            }
        }

        impl PublicKey {
            /// Takes a public key.
            pub fn from_array(u: &[u8; 32]) -> Self {
                Self(*u)
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> [u8; 32] {
                self.0
            }
        }
    }

    /// ML-KEM-768: lengths, the modulus check and implicit rejection.
    pub mod mlkem768 {
        const Q: u16 = 3329;

        /// A private key: its seed.
        pub struct DecapKey([u8; 64]);
        /// A public key.
        #[derive(Clone)]
        pub struct EncapKey([u8; 1184]);
        /// A ciphertext: the secret, masked with the key, and then zeros.
        pub struct Ciphertext([u8; 1088]);
        /// The dice of an encapsulation.
        pub struct Message(pub [u8; 32]);
        /// What both get.
        pub struct SharedSecret([u8; 32]);
        /// A coefficient is not below q.
        #[derive(Debug)]
        pub struct NotReduced;

        impl DecapKey {
            /// Takes a seed.
            pub fn keygen_internal(seed: &[u8; 64]) -> Self {
                Self(*seed)
            }

            /// Coefficients below q out of `d`, then `d` as the seed of the matrix.
            pub fn encapsulation_key(&self) -> EncapKey {
                let mut ek = [0; 1184];
                let (pairs, rho) = ek.split_at_mut(1152);
                for (pair, d) in pairs.chunks_exact_mut(3).zip(self.0.iter().cycle()) {
                    pair[0] = *d;
                    pair[2] = d & 0x7f;
                }
                rho.copy_from_slice(&self.0[..32]);
                EncapKey(ek)
            }

            /// A changed ciphertext gives another secret, never an error.
            pub fn decaps_internal(&self, ct: &Ciphertext) -> SharedSecret {
                let (masked, rest) = ct.0.split_at(32);
                let mut shared = [0; 32];
                for (i, out) in shared.iter_mut().enumerate() {
                    *out = masked[i] ^ self.0[i];
                }
                if rest.iter().any(|byte| *byte != 0) {
                    for (out, z) in shared.iter_mut().zip(&self.0[32..]) {
                        *out ^= z ^ 0xa5;
                    }
                }
                SharedSecret(shared)
            }
        }

        impl EncapKey {
            /// The modulus check.
            pub fn from_bytes(bytes: &[u8; 1184]) -> Result<Self, NotReduced> {
                let reduced = bytes[..1152].chunks_exact(3).all(|pair| {
                    let (a, b, c) = (u16::from(pair[0]), u16::from(pair[1]), u16::from(pair[2]));
                    (a | (b & 15) << 8) < Q && (b >> 4 | c << 4) < Q
                });
                if reduced { Ok(Self(*bytes)) } else { Err(NotReduced) }
            }

            /// Its bytes.
            pub fn as_bytes(&self) -> [u8; 1184] {
                self.0
            }

            /// Masks the dice.
            pub fn encaps_internal(self, m: Message) -> (SharedSecret, Ciphertext) {
                let mut ct = [0; 1088];
                for (i, out) in ct.iter_mut().take(32).enumerate() {
                    *out = m.0[i] ^ self.0[1152 + i];
                }
                (SharedSecret(m.0), Ciphertext(ct))
            }
        }

        impl From<[u8; 1088]> for Ciphertext {
            fn from(bytes: [u8; 1088]) -> Self {
                Self(bytes)
            }
        }

        impl AsRef<[u8; 1088]> for Ciphertext {
            fn as_ref(&self) -> &[u8; 1088] {
                &self.0
            }
        }

        impl AsRef<[u8; 32]> for SharedSecret {
            fn as_ref(&self) -> &[u8; 32] {
                &self.0
            }
        }
    }
}
