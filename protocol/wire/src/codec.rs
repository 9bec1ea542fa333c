use crate::{Malformed, Reader, Writer};
use alloc::vec::Vec;

/// A value with exactly one encoding: `from_bytes(to_bytes(x)) == x`, and whatever
/// `from_bytes` accepts, `to_bytes` gives back byte for byte (WIR-4).
pub trait Codec: Sized {
    /// Appends the encoding.
    fn encode_into(&self, w: &mut Writer);

    /// Reads one value and leaves what follows.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are no encoding of a value.
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed>;

    /// The encoding alone.
    fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.encode_into(&mut w);
        w.into_vec()
    }

    /// Parses a whole byte string; leftover bytes are an error.
    ///
    /// # Errors
    /// [`Malformed`] if the bytes are not exactly one encoding.
    fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = Reader::new(bytes);
        let value = Self::decode_from(&mut r)?;
        r.finish()?;
        Ok(value)
    }
}

impl<const N: usize> Codec for [u8; N] {
    fn encode_into(&self, w: &mut Writer) {
        w.bytes(self);
    }
    fn decode_from(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        r.array()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wir_1_short_input_is_refused_and_consumes_nothing() {
        let mut r = Reader::new(&[1, 2, 3]);
        assert_eq!(r.take(4), Err(Malformed::Short));
        assert_eq!(r.u32(), Err(Malformed::Short));
        assert_eq!(r.take(3), Ok(&[1, 2, 3][..]));
        assert_eq!(r.u8(), Err(Malformed::Short));
    }

    #[test]
    fn wir_2_leftover_bytes_are_refused() {
        assert_eq!(<[u8; 2]>::from_bytes(&[1, 2, 3]), Err(Malformed::Long));
        assert_eq!(<[u8; 2]>::from_bytes(&[1, 2]), Ok([1, 2]));
    }

    #[test]
    fn wir_3_reserved_bytes_are_zero() {
        assert_eq!(Reader::new(&[0, 0]).zeros(2), Ok(()));
        assert_eq!(Reader::new(&[0, 1]).zeros(2), Err(Malformed::Reserved));
    }

    #[test]
    fn wir_4_integers_are_big_endian() {
        let mut w = Writer::new();
        w.u8(1).u16(2).u32(3).u64(4);
        assert_eq!(w.as_slice(), [1, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 4]);
        let bytes = w.into_vec();
        let mut r = Reader::new(&bytes);
        assert_eq!((r.u8(), r.u16(), r.u32(), r.u64()), (Ok(1), Ok(2), Ok(3), Ok(4)));
        assert_eq!(r.finish(), Ok(()));
    }
}
