//! How the engine's rows are written. They come back from an encrypted and authenticated store,
//! and are parsed like everything else that comes from a file.

use board::tag::OnionKey;
use crypto::Zeroizing;
use wire::{Malformed, Reader, Writer};

/// Version of every row; a row of another version is refused.
const ROW_VERSION: u8 = 1;

/// Starts a row.
pub(crate) fn row(capacity: usize) -> Writer {
    let mut w = Writer::with_capacity(capacity);
    w.u8(ROW_VERSION);
    w
}

/// Starts reading a row.
pub(crate) fn open_row(bytes: &[u8]) -> Result<Reader<'_>, Malformed> {
    let mut r = Reader::new(bytes);
    if r.u8()? == ROW_VERSION { Ok(r) } else { Err(Malformed::Field("row version")) }
}

/// Ends a row.
pub(crate) fn done(w: Writer) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(w.into_vec())
}

/// Appends bytes behind their length (u32).
pub(crate) fn put_bytes(w: &mut Writer, bytes: &[u8]) {
    w.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).bytes(bytes);
}

/// Reads bytes behind their length.
pub(crate) fn get_bytes<'a>(r: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let len = usize::try_from(r.u32()?).map_err(|_| Malformed::Short)?;
    r.take(len)
}

/// Reads UTF-8 behind its length.
pub(crate) fn get_text(r: &mut Reader<'_>) -> Result<String, Malformed> {
    let bytes = get_bytes(r)?;
    core::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Malformed::Field("utf-8"))
}

/// Appends an inbox set: count and keys.
pub(crate) fn put_keys(w: &mut Writer, keys: &[OnionKey]) {
    w.u8(u8::try_from(keys.len()).unwrap_or(u8::MAX));
    for key in keys {
        w.bytes(key);
    }
}

/// Reads an inbox set.
pub(crate) fn get_keys(r: &mut Reader<'_>) -> Result<Vec<OnionKey>, Malformed> {
    let count = r.u8()?;
    (0..count).map(|_| r.array()).collect()
}

/// Appends a yes or no.
pub(crate) fn put_flag(w: &mut Writer, flag: bool) {
    w.u8(u8::from(flag));
}

/// Reads a yes or no.
pub(crate) fn get_flag(r: &mut Reader<'_>) -> Result<bool, Malformed> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed::Field("flag")),
    }
}

/// Sixteen bytes from two ids, for keys of the tables that belong to a contact.
pub(crate) fn pair(a: &[u8; 16], b: &[u8; 16]) -> [u8; 32] {
    let mut key = [0; 32];
    for (to, from) in key.iter_mut().zip(a.iter().chain(b)) {
        *to = *from;
    }
    key
}
