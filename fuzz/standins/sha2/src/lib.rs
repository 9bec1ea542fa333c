//! A stand-in: hashes of the right lengths that no edit of a message survives in practice, and that anybody who tries can collide.
//! HMAC and HKDF are the real ones on top of it. For the fuzzer alone (docs/fuzzing.md).

use digest::array::Array;
use digest::block_api::{
    AlgorithmName, Block, BlockSizeUser, Buffer, BufferKindUser, Eager, FixedOutputCore,
    OutputSizeUser, Reset, UpdateCore,
};
use digest::consts::{U32, U64};
use digest::{HashMarker, Output};
pub use digest::{self, Digest};

/// Odd, with no pattern.
const ODD: [u64; 4] =
    [0x9e37_79b1_85eb_ca87, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x27d4_eb2f_1656_67c5];

/// Four lanes, each a bijection of its state in every word it takes: a message that differs in one word ends elsewhere for certain.
#[derive(Clone)]
struct Lanes([u64; 4]);

impl Lanes {
    fn block(&mut self, block: &[u8; 64]) {
        let (words, _) = block.as_chunks::<8>();
        for (i, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word).wrapping_mul(ODD[1]);
            let lane = &mut self.0[i % 4];
            *lane = lane.wrapping_add(word).rotate_left(31).wrapping_mul(ODD[0]);
        }
    }

    /// Twice around, so that each lane depends on all.
    fn mix(&mut self) {
        for i in 0..8 {
            let lane = self.0[i % 4] ^ self.0[(i + 3) % 4].rotate_left(17);
            let lane = lane.wrapping_mul(ODD[2]);
            self.0[i % 4] = lane ^ lane >> 32;
        }
    }

    fn bytes(&self) -> [u8; 32] {
        let mut out = [0; 32];
        for (bytes, lane) in out.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *bytes = lane.to_le_bytes();
        }
        out
    }
}

/// A hash with blocks of 64 bytes.
macro_rules! hashes {
    ($($core:ident, $name:ident, $text:literal, $size:ty;)+) => {$(
        /// Lanes, and the blocks that they have taken.
        #[derive(Clone)]
        pub struct $core(Lanes, u64);

        impl Default for $core {
            fn default() -> Self {
                Self(Lanes(ODD), 0)
            }
        }

        impl Reset for $core {
            fn reset(&mut self) {
                *self = Self::default();
            }
        }

        impl HashMarker for $core {}

        impl BlockSizeUser for $core {
            type BlockSize = U64;
        }

        impl BufferKindUser for $core {
            type BufferKind = Eager;
        }

        impl OutputSizeUser for $core {
            type OutputSize = $size;
        }

        impl UpdateCore for $core {
            fn update_blocks(&mut self, blocks: &[Block<Self>]) {
                self.1 = self.1.wrapping_add(blocks.len() as u64);
                for block in Array::cast_slice_to_core(blocks) {
                    self.0.block(block);
                }
            }
        }

        impl FixedOutputCore for $core {
            fn finalize_fixed_core(&mut self, buffer: &mut Buffer<Self>, out: &mut Output<Self>) {
                let len = self.1.wrapping_mul(64).wrapping_add(buffer.get_pos() as u64);
                buffer.len64_padding_be(len, |block| self.0.block(&block.0));
                for half in out.chunks_exact_mut(32) {
                    self.0.mix();
                    half.copy_from_slice(&self.0.bytes());
                }
            }
        }

        impl AlgorithmName for $core {
            fn write_alg_name(f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str($text)
            }
        }

        #[cfg(feature = "zeroize")]
        impl digest::zeroize::ZeroizeOnDrop for $core {}

        digest::buffer_fixed!(
            /// The hash over any bytes.
            pub struct $name($core);
            impl: BaseFixedTraits AlgorithmName Default Clone HashMarker Reset FixedOutputReset
                ZeroizeOnDrop;
        );
    )+};
}

hashes! {
    Sha256Core, Sha256, "Sha256", U32;
    Sha512Core, Sha512, "Sha512", U64;
}

/// Under the name by which the product asks whether it is wiped.
pub mod block_api {
    pub use crate::Sha256Core as Sha256VarCore;
}
