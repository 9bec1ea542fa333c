//! A stand-in: one hash with a key, where the real one generates a program for each seed. Equi-X around it is the real one, its solver
//! and its checks. For the fuzzer alone (docs/fuzzing.md).

/// What would run the program.
#[derive(Default, Debug, Copy, Clone, Eq, PartialEq)]
pub enum RuntimeOption {
    /// The interpreter.
    InterpretOnly,
    /// The compiler.
    CompileOnly,
    /// Either.
    #[default]
    TryCompile,
}

/// What runs the program.
#[derive(Debug, Copy, Clone, Eq, PartialEq)]
pub enum Runtime {
    /// The interpreter.
    Interpret,
}

/// The seed makes no program.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// As about one in 250 does.
    #[error("HashX program can't be constructed for this specific seed")]
    ProgramConstraints,
}

/// A hash function of a seed.
#[derive(Debug)]
pub struct HashX(u64);

impl HashX {
    /// What runs it.
    pub fn runtime(&self) -> Runtime {
        Runtime::Interpret
    }

    /// The hash of a number.
    pub fn hash_to_u64(&self, input: u64) -> u64 {
        mix(mix(input ^ self.0) ^ self.0.rotate_left(32))
    }
}

/// Makes hash functions.
#[derive(Default, Debug, Clone, Eq, PartialEq)]
pub struct HashXBuilder;

impl HashXBuilder {
    /// A builder.
    pub fn new() -> Self {
        Self
    }

    /// Changes nothing.
    pub fn runtime(&mut self, _runtime: RuntimeOption) -> &mut Self {
        self
    }

    /// The hash function of a seed; one seed in 256 has none.
    pub fn build(&self, seed: &[u8]) -> Result<HashX, Error> {
        let mut key = seed.len() as u64;
        for bytes in seed.chunks(8) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            key = mix(key ^ u64::from_le_bytes(word));
        }
        if key.is_multiple_of(256) { Err(Error::ProgramConstraints) } else { Ok(HashX(key)) }
    }
}

/// A bijection.
fn mix(x: u64) -> u64 {
    let x = (x ^ x >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ x >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ x >> 32
}
