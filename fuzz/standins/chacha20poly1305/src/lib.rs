//! A stand-in: a keystream that differs for every key, nonce and 32 bytes of text, and a tag that is a hash of everything. Both are made
//! of the stand-in for SHA-256, so that neither hides anything. For the fuzzer alone (docs/fuzzing.md).

pub use aead::{self, AeadCore, AeadInOut, Error, KeyInit, KeySizeUser};

use aead::TagPosition;
use aead::array::{Array, ArraySize};
use aead::consts::{U12, U16, U24, U32};
use aead::inout::InOutBuf;
use core::marker::PhantomData;
use sha2::{Digest, Sha256};

/// 32 bytes.
pub type Key = Array<u8, U32>;
/// 16 bytes.
pub type Tag = Array<u8, U16>;
/// With a nonce of 12 bytes.
pub type ChaCha20Poly1305 = Cipher<U12>;
/// With a nonce of 24 bytes.
pub type XChaCha20Poly1305 = Cipher<U24>;

/// A cipher with its key.
pub struct Cipher<N: ArraySize>(Key, PhantomData<N>);

impl<N: ArraySize> KeySizeUser for Cipher<N> {
    type KeySize = U32;
}

impl<N: ArraySize> KeyInit for Cipher<N> {
    fn new(key: &Key) -> Self {
        Self(*key, PhantomData)
    }
}

impl<N: ArraySize> AeadCore for Cipher<N> {
    type NonceSize = N;
    type TagSize = U16;
    const TAG_POSITION: TagPosition = TagPosition::Postfix;
}

impl<N: ArraySize> AeadInOut for Cipher<N> {
    fn encrypt_inout_detached(
        &self,
        nonce: &Array<u8, N>,
        ad: &[u8],
        mut text: InOutBuf<'_, '_, u8>,
    ) -> Result<Tag, Error> {
        self.stream(nonce, &mut text);
        Ok(self.tag(nonce, ad, text.get_out()))
    }

    fn decrypt_inout_detached(
        &self,
        nonce: &Array<u8, N>,
        ad: &[u8],
        mut text: InOutBuf<'_, '_, u8>,
        tag: &Tag,
    ) -> Result<(), Error> {
        if self.tag(nonce, ad, text.get_in()) != *tag {
            return Err(Error);
        }
        self.stream(nonce, &mut text);
        Ok(())
    }
}

impl<N: ArraySize> Cipher<N> {
    /// A block of keystream is the seed with a multiple of something odd added to each of its four numbers.
    fn stream(&self, nonce: &[u8], text: &mut InOutBuf<'_, '_, u8>) {
        let seed = Sha256::new().chain_update(self.0).chain_update(nonce).finalize();
        let mut block: [u64; 4] = core::array::from_fn(|i| word(&seed[i * 8..]));
        let (whole, rest) = text.reborrow().into_chunks::<U32>();
        for mut bytes in whole {
            let text = *bytes.get_in();
            let out = bytes.get_out();
            for i in 0..4 {
                let masked = word(&text[i * 8..]) ^ block[i];
                out[i * 8..i * 8 + 8].copy_from_slice(&masked.to_le_bytes());
                block[i] = block[i].wrapping_add(0x9e37_79b9_7f4a_7c15);
            }
        }
        for (i, mut byte) in rest.into_iter().enumerate() {
            let masked = *byte.get_in() ^ block[i / 8].to_le_bytes()[i % 8];
            *byte.get_out() = masked;
        }
    }

    fn tag(&self, nonce: &[u8], ad: &[u8], text: &[u8]) -> Tag {
        let mut hash = Sha256::new().chain_update(self.0).chain_update(nonce).chain_update(ad);
        hash.update((ad.len() as u64).to_le_bytes());
        let hash: [u8; 32] = hash.chain_update(text).finalize().into();
        Tag::try_from(&hash[..16]).unwrap_or_default()
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

#[cfg(feature = "zeroize")]
impl<N: ArraySize> Drop for Cipher<N> {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(self.0.as_mut_slice());
    }
}

#[cfg(feature = "zeroize")]
impl<N: ArraySize> zeroize::ZeroizeOnDrop for Cipher<N> {}
