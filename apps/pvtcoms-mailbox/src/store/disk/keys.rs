use super::super::{ChunkNo, PageNo};
use super::record::Short;
use crate::clock::Day;

/// First byte of a page's key.
pub(super) const PAGE: &[u8] = b"p";
/// How many records lie on the shelf of the day.
pub(super) const END: &[u8] = b"end";

pub(super) fn index_key(idx: &Short) -> [u8; 17] {
    let mut key = [b'i'; 17];
    if let Some(rest) = key.last_chunk_mut() {
        *rest = *idx;
    }
    key
}

pub(super) fn page_key(page: PageNo) -> Vec<u8> {
    [PAGE, &page.to_be_bytes()].concat()
}

pub(super) fn page_of(key: &[u8]) -> Option<PageNo> {
    key.strip_prefix(PAGE)?.try_into().ok().map(PageNo::from_be_bytes)
}

pub(super) fn chunk_key(page: PageNo, chunk: ChunkNo) -> Vec<u8> {
    [b"c".as_slice(), &page.to_be_bytes(), &chunk.to_be_bytes()].concat()
}

pub(super) fn gone_key(day: Day) -> Vec<u8> {
    [b"gone".as_slice(), &day.to_be_bytes()].concat()
}

pub(super) fn space_name(day: Day) -> String {
    format!("d{day:05}")
}

/// The day of a keyspace; `None` for `chain`.
pub(super) fn day_of_space(name: &str) -> Option<Day> {
    name.strip_prefix('d')?.parse().ok()
}
