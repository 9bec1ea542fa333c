use super::super::{ChunkNo, PageNo};
use crate::clock::Day;

/// First byte of a page's key.
pub(super) const PAGE: &[u8] = b"p";
/// Length of the list in a chunk's record: eight short indices.
pub(super) const CHUNK_LIST: usize = 8 * 16;

/// The first half of an index: enough inside one page.
pub(super) fn short(idx: &[u8; 32]) -> &[u8; 16] {
    idx.first_chunk().unwrap_or(&[0; 16])
}

pub(super) fn index_key(idx: &[u8; 32]) -> Vec<u8> {
    [b"i".as_slice(), idx].concat()
}

pub(super) fn envelope_prefix(page: PageNo) -> Vec<u8> {
    [b"e".as_slice(), &page.to_be_bytes()].concat()
}

pub(super) fn envelope_key(page: PageNo, idx: &[u8; 16]) -> Vec<u8> {
    [envelope_prefix(page).as_slice(), idx].concat()
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
