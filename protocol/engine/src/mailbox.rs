//! What is known of one mailbox: its pages, what was found in them, and when they are read next.

use crate::clock::{MINUTE, Now, SECOND};
use crate::contact::ContactId;
use crate::cursor::Cursor;
use crate::schedule::{Dice, Mode, own_delay, refresh_delay, stream_life, successor};
use crate::step::OpId;
use board::frame::Window;
use board::header::{DigestFrame, FrameError, PageHeader};
use board::tag::OnionKey;
use finds::{Finds, For, KeptPage};
use health::Health;
use held::Held;
use std::collections::{BTreeMap, VecDeque};

mod fetch;
pub(crate) mod finds;
mod health;
pub(crate) mod held;

/// Frames kept, so that tags known later are found and decoys have pages to choose from.
const FRAMES_KEPT: usize = 5000;
/// Tag prefixes kept in all of them: 8 MB.
const PREFIXES_KEPT: usize = 1_000_000;
/// An absence up to this is covered by the ten minutes that a stream begins with.
const COVERED_S: u64 = 9 * 60;
/// An absence up to this is covered by the hour's window, which is read a while later.
const HOUR_COVERS_S: u64 = 50 * 60;
/// The oldest day that a digest can name (BRD-11).
const OLDEST_DAY: u32 = 13;

/// A stream that lived this long was a good one.
const LIVED: u64 = 10 * MINUTE;

/// How long a stream is given to show an invite's M1 before older pages are read.
const SEARCH_AFTER: u64 = 15 * SECOND;

/// Why a mailbox is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Only written to: its headers are read now and then, for the proof of work.
    Target,
    /// Read for the time of a pairing: the mailbox of an invite that was taken.
    Borrowed,
    /// An own inbox.
    Own,
}

/// A window to be read. Days are absolute, so that one planned before midnight stays the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Fresh,
    Hour,
    Day(u32),
}

struct Stream {
    op: OpId,
    opened: u64,
    closes_at: u64,
    successor_at: u64,
}

/// What a frame turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A page that was not known.
    New,
    /// Known already.
    Known,
    /// The mailbox shows another history than before (BRD-37). The page is taken all the same.
    Fork,
    /// It closed too long after our own clock, and was left out (BRD-37).
    Early,
}

/// What was saved of the progress at a mailbox.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) cursor: Option<Cursor>,
    pub(crate) pages: Vec<KeptPage>,
    pub(crate) held: Vec<(ContactId, KeptPage)>,
}

/// One mailbox.
pub(crate) struct Mailbox {
    pub(crate) key: OnionKey,
    pub(crate) role: Role,
    dice: Dice,
    frames: BTreeMap<u64, DigestFrame>,
    prefixes: usize,
    pub(crate) finds: Finds,
    pub(crate) held: Held,
    /// Fetches that brought nothing, and how often: the next slots repeat them (BRD-36).
    again: VecDeque<(u64, u16, u32)>,
    /// The same, of repeats that are under way.
    tried: BTreeMap<(u64, u16), u32>,
    streams: Vec<Stream>,
    opens: Vec<u64>,
    windows: Vec<(u64, Plan)>,
    /// Windows in which an invite's M1 is looked for.
    search: Vec<(u64, Plan)>,
    /// Windows that are being read at this moment.
    reading: u32,
    cursor: Option<Cursor>,
    pub(crate) alarm: bool,
    pub(crate) health: Health,
    /// Digests in a row that broke off; other answers do not make up for them.
    broken_reads: u32,
}

impl Mailbox {
    pub(crate) fn new(key: OnionKey, role: Role, seed: [u8; 32], now: Now, mode: Mode) -> Self {
        let mut mailbox = Self {
            key,
            role,
            dice: Dice::from_seed(seed),
            frames: BTreeMap::new(),
            prefixes: 0,
            finds: Finds::default(),
            held: Held::default(),
            again: VecDeque::new(),
            tried: BTreeMap::new(),
            streams: Vec::new(),
            opens: Vec::new(),
            windows: Vec::new(),
            search: Vec::new(),
            reading: 0,
            cursor: None,
            alarm: false,
            health: Health::default(),
            broken_reads: 0,
        };
        mailbox.begin(now, mode);
        mailbox
    }

    /// Goes on where the saved cursor stands.
    pub(crate) fn resume(&mut self, kept: Kept) {
        for page in &kept.pages {
            for chunk in &page.chunks {
                self.finds.keep(&page.header, *chunk, For::Kept);
            }
        }
        self.finds.take_changed();
        for (contact, page) in kept.held {
            self.held.keep(contact, page);
        }
        self.cursor = kept.cursor;
    }

    /// Changes why it is spoken to.
    pub(crate) fn set_role(&mut self, role: Role, now: Now, mode: Mode) {
        if self.role != role {
            self.role = role;
            self.begin(now, mode);
        }
    }

    fn begin(&mut self, now: Now, mode: Mode) {
        self.opens.clear();
        self.windows.clear();
        let first = now.mono_ms.saturating_add(own_delay(&mut self.dice, mode));
        match self.role {
            Role::Target => self.windows.push((first, Plan::Fresh)),
            Role::Own => self.opens.push(first),
            Role::Borrowed => {
                self.opens.push(first);
                self.read_back(now, mode);
            }
        }
    }

    /// Reads all that is kept, the newest first: when an invite was deposited is unknown.
    pub(crate) fn read_back(&mut self, now: Now, mode: Mode) {
        let days = (0..=OLDEST_DAY).map(|back| Plan::Day(now.days().saturating_sub(back)));
        // The ten minutes of a stream come first: most invites are taken soon.
        let mut due = now.mono_ms.saturating_add(SEARCH_AFTER);
        self.search.clear();
        for plan in core::iter::once(Plan::Hour).chain(days) {
            due = due.saturating_add(own_delay(&mut self.dice, mode));
            self.search.push((due, plan));
        }
    }

    /// What was searched for is found.
    pub(crate) fn stop_searching(&mut self) {
        self.search.clear();
    }

    /// When this mailbox next wants something, on the monotonic clock.
    pub(crate) fn next_due(&self) -> Option<u64> {
        let closes = self.streams.iter().map(|s| s.closes_at);
        let windows = self.windows.iter().chain(&self.search).map(|(due, _)| *due);
        self.opens.iter().copied().chain(closes).chain(windows).min()
    }

    /// Streams whose life is over.
    pub(crate) fn take_closing(&mut self, now: Now) -> Vec<OpId> {
        let (over, live) = core::mem::take(&mut self.streams)
            .into_iter()
            .partition(|stream| stream.closes_at <= now.mono_ms);
        self.streams = live;
        over.into_iter().map(|stream: Stream| stream.op).collect()
    }

    /// The next read that is due.
    pub(crate) fn take_due(&mut self, now: Now, mode: Mode) -> Option<Window> {
        if let Some(at) = self.opens.iter().position(|due| *due <= now.mono_ms) {
            self.opens.swap_remove(at);
            self.plan_windows(now, mode);
            return Some(Window::Stream);
        }
        let ready = |(due, _): &(u64, Plan)| *due <= now.mono_ms;
        let from =
            if self.windows.iter().any(ready) { &mut self.windows } else { &mut self.search };
        let at = from.iter().position(ready)?;
        let (_, plan) = from.swap_remove(at);
        if self.role == Role::Target {
            let next = now.mono_ms.saturating_add(refresh_delay(&mut self.dice));
            self.windows.push((next, Plan::Fresh));
        }
        let window = match plan {
            Plan::Fresh => Window::LastTenMinutes,
            Plan::Hour => Window::LastHour,
            Plan::Day(day) => {
                let back = now.days().saturating_sub(day).min(OLDEST_DAY);
                Window::Day { back: u8::try_from(back).unwrap_or(0) }
            }
        };
        self.reading = self.reading.saturating_add(1);
        Some(window)
    }

    /// Windows that make up for an absence: a function of the absence alone (BRD-35).
    fn plan_windows(&mut self, now: Now, mode: Mode) {
        let seen = self.cursor.as_ref().map(|cursor| cursor.closed_at);
        let Some(seen) = seen.filter(|_| self.windows_done()) else { return };
        let absence = now.unix_s().saturating_sub(seen);
        let first = u32::try_from(seen / 86_400).unwrap_or(0);
        let first = first.max(now.days().saturating_sub(OLDEST_DAY));
        let plans: Vec<Plan> = match absence {
            ..=COVERED_S => Vec::new(),
            _ if absence <= HOUR_COVERS_S => vec![Plan::Hour],
            _ => (first..=now.days()).rev().map(Plan::Day).collect(),
        };
        for plan in plans {
            let due = now.mono_ms.saturating_add(own_delay(&mut self.dice, mode));
            self.windows.push((due, plan));
        }
    }

    /// A stream was started.
    pub(crate) fn stream_opened(&mut self, op: OpId, now: Now) {
        let closes_at = now.mono_ms.saturating_add(stream_life(&mut self.dice));
        let successor_at = successor(&mut self.dice, closes_at);
        self.opens.push(successor_at);
        self.streams.push(Stream { op, opened: now.mono_ms, closes_at, successor_at });
    }

    /// A stream ended before its time: another takes its place.
    pub(crate) fn stream_lost(&mut self, op: OpId, now: Now, mode: Mode) {
        let Some(at) = self.streams.iter().position(|s| s.op == op) else { return };
        let lost = self.streams.swap_remove(at);
        let lived = now.mono_ms.saturating_sub(lost.opened);
        let before = if lived < LIVED { self.broken_reads } else { 0 };
        self.broken_reads = before.saturating_add(1);
        let next = self.opens.iter().position(|due| *due == lost.successor_at);
        // Its successor was opened before, and goes on by itself or was replaced by itself: to
        // replace both would make two of one, and of a mailbox that is gone more and more.
        let Some(next) = next else { return };
        self.opens.swap_remove(next);
        if self.role == Role::Target {
            return; // it was read for a pairing that is over
        }
        let again = own_delay(&mut self.dice, mode).saturating_mul(self.patience());
        self.opens.push(now.mono_ms.saturating_add(again));
    }

    /// A window was read to its end.
    pub(crate) fn window_read(&mut self) {
        self.broken_reads = 0;
        self.reading = self.reading.saturating_sub(1);
    }

    /// A window that was started on `day` was not answered: what it covered is asked for again.
    pub(crate) fn window_lost(&mut self, window: Window, day: u32, now: Now, mode: Mode) {
        self.reading = self.reading.saturating_sub(1);
        self.broken_reads = self.broken_reads.saturating_add(1);
        let again = own_delay(&mut self.dice, mode).saturating_mul(self.patience());
        let due = now.mono_ms.saturating_add(again);
        if self.role == Role::Target {
            self.windows = vec![(due, Plan::Fresh)];
            return;
        }
        match window {
            Window::Day { back } => {
                self.windows.push((due, Plan::Day(day.saturating_sub(u32::from(back)))));
            }
            // The hour has moved on: its days have not.
            _ => {
                for day in [day, day.saturating_sub(1)] {
                    self.windows.push((due, Plan::Day(day)));
                }
            }
        }
    }

    fn patience(&self) -> u64 {
        1_u64.checked_shl(self.broken_reads.min(5)).unwrap_or(32)
    }

    /// The mailbox asked for fresher work: in `fast` mode its header is read at once.
    pub(crate) fn header_stale(&mut self, now: Now, mode: Mode) {
        if self.role == Role::Target && mode == Mode::Fast {
            self.windows.clear();
            let soon = now.mono_ms.saturating_add(own_delay(&mut self.dice, mode));
            self.windows.push((soon, Plan::Fresh));
        }
    }

    /// Newest header known.
    pub(crate) fn header(&self) -> Option<&PageHeader> {
        self.frames.last_key_value().map(|(_, frame)| &frame.header)
    }

    /// The header of a page.
    pub(crate) fn header_of(&self, page: u64) -> Option<&PageHeader> {
        let frame = self.frames.get(&page).map(|frame| &frame.header);
        frame.or_else(|| self.finds.header_of(page))
    }

    /// The frame of a page.
    pub(crate) fn frame(&self, page: u64) -> Option<&DigestFrame> {
        self.frames.get(&page)
    }

    /// Whether a page that is held may hold this tag.
    pub(crate) fn holds(&self, tag: &[u8; 16]) -> bool {
        let prefix = tag.first_chunk::<8>();
        prefix.is_some_and(|p| self.frames().any(|frame| frame.chunks_of(p).next().is_some()))
    }

    /// All frames held.
    pub(crate) fn frames(&self) -> impl Iterator<Item = &DigestFrame> {
        self.frames.values()
    }

    /// Takes a frame that was checked by itself, and judges it beside the others (BRD-37).
    pub(crate) fn take_frame(&mut self, frame: DigestFrame, window: Window, now: Now) -> Seen {
        let header = frame.header;
        let newest = self.header().is_none_or(|known| known.page < header.page);
        if newest && !self.health.clock(now, window, header.closed_at) {
            return Seen::Early;
        }
        let fork = self.contradicts(&header);
        if !fork && self.frames.contains_key(&header.page) {
            return Seen::Known;
        }
        if fork {
            // Another history: what was known of the old one no longer leads anywhere.
            self.frames.clear();
            self.finds.clear();
            self.held.clear();
            self.prefixes = 0;
            self.cursor = None;
        }
        self.prefixes = self.prefixes.saturating_add(frame.prefixes.len());
        self.frames.insert(header.page, frame);
        self.evict();
        if fork { Seen::Fork } else { Seen::New }
    }

    fn contradicts(&self, header: &PageHeader) -> bool {
        let before = header.page.checked_sub(1).and_then(|page| self.header_of(page));
        let after = header.page.checked_add(1).and_then(|page| self.header_of(page));
        let same = self.header_of(header.page);
        let follows = |later: &PageHeader, earlier: &PageHeader| -> bool {
            later.check_follows(earlier) != Err(FrameError::Fork)
        };
        let kept = self.cursor.as_ref().is_some_and(|cursor| {
            (cursor.page == header.page && cursor.head != header.head())
                || (cursor.page.checked_add(1) == Some(header.page) && cursor.head != header.prev)
                || (header.page < cursor.page && header.closed_at > cursor.closed_at)
        });
        before.is_some_and(|b| !follows(header, b))
            || after.is_some_and(|a| !follows(a, header))
            || same.is_some_and(|s| s.head() != header.head())
            || kept
    }

    /// Whether a PUT's answer names another head for a page that we hold (BRD-37).
    pub(crate) fn head_contradicts(&self, open_page: u64, head: &[u8; 32]) -> bool {
        let last = open_page.checked_sub(1).and_then(|page| self.header_of(page));
        last.is_some_and(|known| known.head() != *head)
    }

    fn evict(&mut self) {
        // What has expired at the mailbox cannot be fetched any more (BRD-22).
        let oldest = self.header().map_or(0, |newest| newest.oldest);
        self.finds.expire(oldest);
        self.held.expire(oldest);
        while self.frames.len() > FRAMES_KEPT || self.prefixes > PREFIXES_KEPT {
            let Some((_, frame)) = self.frames.pop_first() else { return };
            self.prefixes = self.prefixes.saturating_sub(frame.prefixes.len());
        }
    }

    /// The cursor as it is to be saved, if it moved. It stands still while windows are read, so
    /// that a crash in between reads them again.
    pub(crate) fn settle(&mut self) -> Option<&Cursor> {
        let header = self.header().filter(|_| self.windows_done())?;
        let (page, closed_at) = (header.page, header.closed_at);
        if self.cursor.as_ref().is_some_and(|known| known.page == page) {
            return None;
        }
        self.cursor = Some(Cursor { page, head: header.head(), closed_at });
        self.cursor.as_ref()
    }

    fn windows_done(&self) -> bool {
        self.role != Role::Own || (self.windows.is_empty() && self.reading == 0)
    }
}
