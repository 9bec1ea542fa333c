use alloc::vec::Vec;

/// Appends fields to a byte string.
#[derive(Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    #[must_use]
    pub const fn new() -> Self {
        Self { out: Vec::new() }
    }

    /// An empty writer with room for `n` bytes, so that growth leaves no copy behind.
    #[must_use]
    pub fn with_capacity(n: usize) -> Self {
        Self { out: Vec::with_capacity(n) }
    }

    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// Appends one byte.
    pub fn u8(&mut self, x: u8) -> &mut Self {
        self.bytes(&[x])
    }

    /// Appends a big-endian `u16` (2 bytes).
    pub fn u16(&mut self, x: u16) -> &mut Self {
        self.bytes(&x.to_be_bytes())
    }

    /// Appends a big-endian `u32` (4 bytes).
    pub fn u32(&mut self, x: u32) -> &mut Self {
        self.bytes(&x.to_be_bytes())
    }

    /// Appends a big-endian `u64` (8 bytes).
    pub fn u64(&mut self, x: u64) -> &mut Self {
        self.bytes(&x.to_be_bytes())
    }

    /// Appends `n` zero bytes.
    pub fn zeros(&mut self, n: usize) -> &mut Self {
        self.out.resize(self.out.len().saturating_add(n), 0);
        self
    }

    /// Appends zero bytes until the whole is `len` long; does nothing if it is already.
    pub fn pad_to(&mut self, len: usize) -> &mut Self {
        if self.out.len() < len {
            self.out.resize(len, 0);
        }
        self
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// What was written so far.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.out
    }

    /// The bytes written.
    #[must_use]
    pub fn into_vec(self) -> Vec<u8> {
        self.out
    }
}
