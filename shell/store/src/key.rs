//! The key of the database, and the one call that hands it to SQLCipher.

use crate::StoreError;
use crypto::Zeroizing;
use crypto::rand_core::CryptoRng;
use rusqlite::{Connection, ffi};
use secrecy::{ExposeSecret, SecretBox};

/// The master key MK: 32 bytes, used as SQLCipher's raw key (STO-8).
///
/// There is no other constructor: SQLCipher takes a raw key of any other length for a passphrase
/// and does not say so (STO-7).
pub(crate) struct DbKey(SecretBox<[u8; 32]>);

crypto::opaque!(DbKey);

/// Length of a key as SQLCipher reads it: `x'`, 64 hexadecimal digits, `'`.
const TEXT_LEN: usize = 67;

impl DbKey {
    /// Draws a new key.
    pub(crate) fn random(rng: &mut impl CryptoRng) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; 32]| rng.fill_bytes(key)))
    }

    /// Copies a key that a slot gave.
    pub(crate) fn copy_of(bytes: &[u8; 32]) -> Self {
        Self(SecretBox::init_with_mut(|key: &mut [u8; 32]| key.copy_from_slice(bytes)))
    }

    /// The bytes, to wrap them in a slot.
    pub(crate) fn expose_secret(&self) -> &[u8; 32] {
        self.0.expose_secret()
    }

    /// Keys `connection`. Never as SQL text, which SQLite and its tracing would keep.
    pub(crate) fn apply(&self, connection: &Connection) -> Result<(), StoreError> {
        apply_text(connection, key_text(self.expose_secret()).as_slice())
    }
}

/// Writes `x'<hex>'` in place, in a buffer that is wiped.
fn key_text(key: &[u8; 32]) -> Box<Zeroizing<[u8; TEXT_LEN]>> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble & 0xf)).copied().unwrap_or(b'0');
    let mut text = Box::new(Zeroizing::new([b'\''; TEXT_LEN]));
    let digits = key.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]);
    for (place, byte) in text.iter_mut().zip([b'x', b'\''].into_iter().chain(digits)) {
        *place = byte;
    }
    text
}

#[expect(unsafe_code, reason = "rusqlite wraps keying as SQL text only, which is never wiped")]
fn apply_text(connection: &Connection, text: &[u8]) -> Result<(), StoreError> {
    let length = i32::try_from(text.len()).map_err(|_| StoreError::Pragma("key"))?;
    // SAFETY: the handle is open for as long as `connection` is borrowed, and no statement runs on
    // it; the name is a C string, `text` is readable for `length` bytes, and SQLCipher copies both
    // before it returns.
    let code = unsafe {
        ffi::sqlite3_key_v2(connection.handle(), c"main".as_ptr(), text.as_ptr().cast(), length)
    };
    if code == ffi::SQLITE_OK { Ok(()) } else { Err(StoreError::Pragma("key")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sto_7_key_text_is_67_bytes_of_hex() {
        let key: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 8).unwrap());
        let text = key_text(&key);
        assert_eq!(
            str::from_utf8(&**text).unwrap(),
            "x'0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8'"
        );
    }

    /// The trap that STO-7 is about: SQLCipher accepts the text of a 31-byte key, as a passphrase.
    #[test]
    fn sto_7_sqlcipher_itself_accepts_a_raw_key_of_wrong_length() {
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(apply_text(&connection, &key_text(&[7; 32])[..65]), Ok(()));
    }
}
