//! The fuzzer's bytes, read as choices and as edits of something valid.

/// Bytes of the fuzzer; zeros once they have run out, so that every input means something.
pub(crate) struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::from_be_bytes(self.array())
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let taken = self.take(N);
        out[..taken.len()].copy_from_slice(taken);
        out
    }

    /// The next `n` bytes, or what is left of them.
    pub(crate) fn take(&mut self, n: usize) -> &'a [u8] {
        let (head, tail) = self.0.split_at(n.min(self.0.len()));
        self.0 = tail;
        head
    }

    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }

    /// One of `all`.
    pub(crate) fn one_of<'b, T>(&mut self, all: &'b [T]) -> &'b T {
        &all[usize::from(self.byte()) % all.len()]
    }

    /// `valid` after the edits that the remaining bytes describe, 4 bytes each:
    /// `what(1) ‖ at(2) ‖ value(1)`. A few bytes reach every place of a message of thousands, and
    /// what is not edited stays valid.
    pub(crate) fn edit(&mut self, valid: &[u8]) -> Vec<u8> {
        let mut bytes = valid.to_vec();
        while !self.is_empty() {
            let (what, at, value) = (self.byte(), usize::from(self.u16()), self.byte());
            let place = at % bytes.len().max(1);
            match what % 5 {
                // Through a stream cipher, a bit flipped outside is a bit flipped inside.
                0 => bytes.iter_mut().skip(place).take(1).for_each(|b| *b ^= value),
                1 => bytes.iter_mut().skip(place).take(1).for_each(|b| *b = value),
                2 => bytes.iter_mut().skip(place).take(4).for_each(|b| *b ^= value),
                3 => bytes.iter_mut().skip(place).take(32).for_each(|b| *b = value),
                _ => bytes.resize(at % (valid.len() + 64), value),
            }
        }
        bytes
    }
}
