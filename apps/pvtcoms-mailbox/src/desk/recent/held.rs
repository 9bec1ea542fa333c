use super::{CHUNKS, FRAMES};
use crate::store::PageNo;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// The frames of some pages that follow each other, as one answer.
#[derive(Default)]
pub struct Frames {
    first: PageNo,
    /// Where each frame ends.
    ends: Vec<usize>,
    bytes: Vec<u8>,
}

impl Frames {
    /// The page after the last one.
    #[must_use]
    pub fn end(&self) -> PageNo {
        self.first.saturating_add(u64::try_from(self.ends.len()).unwrap_or(u64::MAX))
    }

    /// The frames of `pages`, if all of them are held.
    #[must_use]
    pub fn of(&self, pages: &Range<PageNo>) -> Option<&[u8]> {
        self.bytes.get(self.start_of(pages.start)?..self.start_of(pages.end)?)
    }

    /// Where the frame of a page starts; that of the page after the last one would start at the end.
    fn start_of(&self, page: PageNo) -> Option<usize> {
        let at = usize::try_from(page.checked_sub(self.first)?).ok()?;
        at.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())
    }

    /// These and one more, as far back as there is room. Without its frame, or far from the others,
    /// it begins anew.
    pub(super) fn with(&self, page: PageNo, frame: Option<&[u8]>) -> Self {
        let Some(frame) = frame.filter(|frame| frame.len() <= FRAMES) else {
            return Self { first: page.saturating_add(1), ..Self::default() };
        };
        let room = FRAMES.saturating_sub(frame.len());
        let kept = if page == self.end() { self.newest(room) } else { page..page };
        let mut bytes = self.of(&kept).unwrap_or_default().to_vec();
        bytes.extend_from_slice(frame);
        let from = self.start_of(kept.start).unwrap_or_default();
        let known = kept.clone().filter_map(|page| self.start_of(page.saturating_add(1)));
        let ends = known.map(|end| end.saturating_sub(from)).chain([bytes.len()]).collect();
        Self { first: kept.start, ends, bytes }
    }

    /// The newest pages whose frames fit into `room`.
    fn newest(&self, room: usize) -> Range<PageNo> {
        let fits = |page: &PageNo| {
            self.of(&(*page..self.end())).is_some_and(|frames| frames.len() <= room)
        };
        let first = (self.first..self.end()).find(fits).unwrap_or_else(|| self.end());
        first..self.end()
    }
}

/// Answers to FETCH by page.
#[derive(Default)]
pub(super) struct Chunks(VecDeque<(PageNo, Vec<Arc<[u8]>>)>);

impl Chunks {
    pub(super) fn get(&self, page: PageNo, chunk: u16) -> Option<Arc<[u8]>> {
        let at = self.0.binary_search_by_key(&page, |(page, _)| *page).ok()?;
        let (_, chunks) = self.0.get(at)?;
        chunks.get(usize::from(chunk)).map(Arc::clone)
    }

    /// Takes in the newest page; the oldest go until there is room.
    pub(super) fn add(&mut self, page: PageNo, chunks: Vec<Arc<[u8]>>) {
        self.0.push_back((page, chunks));
        while self.len() > CHUNKS && self.0.len() > 1 {
            self.0.pop_front();
        }
    }

    pub(super) fn forget_before(&mut self, page: PageNo) {
        self.0.retain(|(number, _)| *number >= page);
    }

    fn len(&self) -> usize {
        self.0.iter().fold(0, |sum, (_, chunks)| sum.saturating_add(chunks.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(page: u8) -> Vec<u8> {
        vec![page; 10 + usize::from(page)]
    }

    fn held(pages: Range<u8>) -> Frames {
        pages.fold(Frames::default(), |held, page| held.with(page.into(), Some(&frame(page))))
    }

    #[test]
    fn frames_of_pages_that_follow_each_other_are_one_answer() {
        let held = held(3..7);
        assert_eq!((held.first, held.end()), (3, 7));
        assert_eq!(held.of(&(3..7)).unwrap(), [frame(3), frame(4), frame(5), frame(6)].concat());
        assert_eq!(held.of(&(4..6)).unwrap(), [frame(4), frame(5)].concat());
        assert_eq!(held.of(&(7..7)), Some([].as_slice()));
        assert!(held.of(&(2..5)).is_none() && held.of(&(5..8)).is_none());
    }

    #[test]
    fn a_page_without_its_frame_begins_anew() {
        let held = held(3..6).with(6, None);
        assert_eq!(held.end(), 7);
        assert!(held.of(&(5..7)).is_none());
        let held = held.with(7, Some(&frame(7)));
        assert_eq!(held.of(&(7..8)).unwrap(), frame(7));
        assert_eq!(held.with(9, Some(&frame(9))).of(&(9..10)).unwrap(), frame(9));
    }

    #[test]
    fn the_oldest_frames_go_when_there_is_no_room() {
        let large = vec![1; FRAMES - 25];
        let held = held(3..7).with(7, Some(&large));
        assert_eq!((held.first, held.end()), (6, 8), "the frame of page 6 has 16 bytes, 5 has 15");
        assert_eq!(held.of(&(6..7)).unwrap(), frame(6));
        let held = held.with(8, Some(&vec![2; FRAMES]));
        assert_eq!(held.of(&(8..9)).unwrap().len(), FRAMES);
        assert!(held.with(9, Some(&vec![3; FRAMES + 1])).of(&(9..10)).is_none());
    }

    #[test]
    fn the_oldest_chunks_go_and_what_is_held_depends_on_no_read() {
        let chunks = |page: u8, many: usize| vec![Arc::from([page].as_slice()); many];
        let mut held = Chunks::default();
        held.add(1, chunks(1, 1));
        held.add(2, chunks(2, CHUNKS - 1));
        assert!(held.get(1, 0).is_some());
        held.add(3, chunks(3, 1));
        assert!(held.get(1, 0).is_none(), "it was read last, and is the oldest");
        assert_eq!(held.get(2, 1).unwrap().as_ref(), [2]);
        assert!(held.get(3, 1).is_none());
        held.forget_before(3);
        assert!(held.get(2, 1).is_none() && held.get(3, 0).is_some());
    }
}
