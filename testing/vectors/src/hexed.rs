//! Bytes in JSON: lower-case hexadecimal.

use data_encoding::HEXLOWER;
use serde_json::Value;

/// Bytes as a JSON string.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> Value {
    Value::String(HEXLOWER.encode(bytes))
}

/// The bytes of a JSON string.
///
/// # Panics
/// If it is none; so do the functions below.
#[must_use]
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap_or_else(|| panic!("no string: {value}"));
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// Exactly `N` bytes.
#[must_use]
pub(crate) fn array<const N: usize>(value: &Value) -> [u8; N] {
    bytes(value).try_into().unwrap()
}

/// A number.
#[must_use]
pub(crate) fn number<T: TryFrom<u64>>(value: &Value) -> T {
    let number = value.as_u64().unwrap_or_else(|| panic!("no number: {value}"));
    T::try_from(number).ok().unwrap()
}

/// A string.
#[must_use]
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no string: {value}"))
}
