/// Why bytes do not parse. The sender's fault, always; carries none of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The bytes end before the value does.
    #[error("the bytes end too early")]
    Short,
    /// Bytes are left over after the value.
    #[error("bytes are left over")]
    Long,
    /// A reserved byte is not zero.
    #[error("a reserved byte is not zero")]
    Reserved,
    /// A field has a value that the specification does not list.
    #[error("field `{0}` has a value that does not exist")]
    Field(&'static str),
}

/// Reads a byte string once, from front to back.
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// Takes the next `n` bytes.
    ///
    /// # Errors
    /// [`Malformed::Short`] if fewer are left; nothing is consumed then.
    pub fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, tail) = self.left.split_at_checked(n).ok_or(Malformed::Short)?; // WIR-1
        self.left = tail;
        Ok(head)
    }

    /// Takes the next `N` bytes as an array.
    ///
    /// # Errors
    /// [`Malformed::Short`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.array_ref().copied()
    }

    /// Takes the next `N` bytes where they lie, for a secret that is copied into its box at once.
    ///
    /// # Errors
    /// [`Malformed::Short`] if fewer are left.
    pub fn array_ref<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (head, tail) = self.left.split_first_chunk::<N>().ok_or(Malformed::Short)?;
        self.left = tail;
        Ok(head)
    }

    /// Takes a reader over the next `n` bytes, which must then be finished on its own.
    ///
    /// # Errors
    /// [`Malformed::Short`] if fewer are left.
    pub fn sub(&mut self, n: usize) -> Result<Reader<'a>, Malformed> {
        self.take(n).map(Reader::new)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`Malformed::Short`] at the end.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(u8::from_be_bytes)
    }

    /// Reads a big-endian `u16` (2 bytes).
    ///
    /// # Errors
    /// [`Malformed::Short`] at the end.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(u16::from_be_bytes)
    }

    /// Reads a big-endian `u32` (4 bytes).
    ///
    /// # Errors
    /// [`Malformed::Short`] at the end.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_be_bytes)
    }

    /// Reads a big-endian `u64` (8 bytes).
    ///
    /// # Errors
    /// [`Malformed::Short`] at the end.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads `n` reserved bytes, which must be zero.
    ///
    /// # Errors
    /// [`Malformed::Short`] at the end, [`Malformed::Reserved`] if one is not zero.
    pub fn zeros(&mut self, n: usize) -> Result<(), Malformed> {
        // WIR-3
        if self.take(n)?.iter().all(|b| *b == 0) { Ok(()) } else { Err(Malformed::Reserved) }
    }

    /// Bytes that are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.left.len()
    }

    /// Takes all that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.left)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`Malformed::Long`] if bytes are left over.
    pub const fn finish(self) -> Result<(), Malformed> {
        // WIR-2
        if self.left.is_empty() { Ok(()) } else { Err(Malformed::Long) }
    }
}
