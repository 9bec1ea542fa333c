//! What readers see of the board: which pages there are, and what is open.

use crate::clock::{Day, Seconds, day_of};
use crate::effort::Honoured;
use crate::store::{PageNo, Seeds};
use board::frame::Window;
use board::header::PageHeader;
use std::collections::VecDeque;
use std::ops::Range;

/// Seconds that STREAM goes back at its start.
const TEN_MINUTES: Seconds = 600;
const HOUR: Seconds = 3_600;

/// The board as of the last close. 16 bytes a page that is kept.
pub struct View {
    /// Header of the last closed page.
    pub last: Option<PageHeader>,
    /// Seeds of this epoch and the one before.
    pub seeds: Seeds,
    /// The day on which the open page was opened.
    pub open_day: Day,
    /// Number and closing time of every page that is kept, both growing.
    pages: VecDeque<(PageNo, Seconds)>,
    honoured: Honoured,
}

impl View {
    pub(crate) fn new(last: Option<PageHeader>, seeds: Seeds) -> Self {
        let honoured = Honoured::default();
        Self { last, seeds, open_day: 0, pages: VecDeque::new(), honoured }
    }

    /// Number of the open page.
    #[must_use]
    pub fn open_page(&self) -> PageNo {
        self.last.map_or(0, |last| last.page.saturating_add(1))
    }

    /// Head of the last closed page; zeros before the first.
    #[must_use]
    pub fn head(&self) -> [u8; 32] {
        self.last.map_or([0; 32], |last| last.head())
    }

    /// The oldest page that is kept; the open one if none is.
    #[must_use]
    pub fn oldest(&self) -> PageNo {
        self.pages.front().map_or_else(|| self.open_page(), |(page, _)| *page)
    }

    /// The seed that a proof of work of `epoch` answers, while it is accepted: in this hour and
    /// the next (BRD-15).
    #[must_use]
    pub fn seed(&self, epoch: u64, now: Seconds) -> Option<&[u8; 32]> {
        let current = now.div_euclid(board::header::EPOCH_S);
        let fresh = epoch == current || epoch.checked_add(1) == Some(current);
        self.seeds.get(&epoch).filter(|_| fresh)
    }

    /// The least effort that pays for a deposit (BRD-23); `None` while no page is kept.
    #[must_use]
    pub fn lowest_effort(&self, now: Seconds) -> Option<u32> {
        self.honoured.lowest(now)
    }

    /// The pages of a window (BRD-12).
    #[must_use]
    pub fn window(&self, window: Window, now: Seconds) -> Range<PageNo> {
        let today = day_of(now);
        let within = |closed_at: Seconds| match window {
            Window::Stream | Window::LastTenMinutes => closed_at.saturating_add(TEN_MINUTES) >= now,
            Window::LastHour => closed_at.saturating_add(HOUR) >= now,
            Window::Day { back } => day_of(closed_at).checked_add(back.into()) >= Some(today),
        };
        let after = |closed_at: Seconds| match window {
            Window::Day { back } => day_of(closed_at).checked_add(back.into()) > Some(today),
            _ => false,
        };
        let from = self.pages.partition_point(|(_, at)| !within(*at));
        let to = self.pages.partition_point(|(_, at)| !after(*at));
        let number = |at: usize| self.pages.get(at).map_or_else(|| self.open_page(), |(n, _)| *n);
        number(from)..number(to)
    }

    pub(crate) fn push(&mut self, header: PageHeader) {
        self.pages.push_back((header.page, header.closed_at));
        self.honoured.push(header.closed_at, header.effort);
        self.last = Some(header);
    }

    pub(crate) fn forget_before(&mut self, page: PageNo) {
        let gone = self.pages.partition_point(|(number, _)| *number < page);
        self.pages.drain(..gone);
    }
}
