//! Fetches: what is repeated, what a decoy asks for, and when a mailbox keeps something back
//! (BRD-34, BRD-36, ENG-11).

use super::Mailbox;
use crate::clock::{HOUR, Now};
use crate::schedule::{Dice, Mode};
use board::header::DigestFrame;
use core::time::Duration;

/// Age of the pages that decoys fetch from, as far back as pages are held (BRD-34).
const DECOY_AGE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(12 * 3600));
/// Times that a fetch is tried in a row (BRD-36).
const FETCH_TRIES: u32 = 5;

/// Answers with other bytes that are no mishap any more, and from the first to the last of them
/// (ENG-11).
const REFUSALS: u32 = 8;
const REFUSED_FOR: u64 = HOUR;
/// Whoever read a page that closed so long ago knows what has expired, in seconds: an empty page
/// closes every five minutes.
const LISTED_S: u64 = 900;

impl Mailbox {
    /// A chunk was fetched.
    pub(crate) fn fetched(&mut self, page: u64, chunk: u16) {
        self.finds.fetched((page, chunk));
        self.tried.remove(&(page, chunk));
    }

    /// A fetch that brought nothing, real or decoy, is tried again by the next slots; then a real
    /// one waits behind all others. In `fast` mode real ones need not wait.
    pub(crate) fn fetch_failed(&mut self, page: u64, chunk: u16, mode: Mode) {
        let before = self.tried.remove(&(page, chunk)).unwrap_or(0);
        let tries = before.saturating_add(1);
        let real = self.finds.contains((page, chunk));
        self.finds.failed((page, chunk), mode == Mode::Steady && tries < FETCH_TRIES);
        if real && mode == Mode::Fast {
            return;
        }
        if tries < FETCH_TRIES {
            self.again.push_back((page, chunk, tries));
        }
    }

    /// A fetch was answered with bytes that do not lead to the page's root. Says whether that is
    /// beyond what a disk that fails for a while explains: the mailbox keeps back a chunk with
    /// something of ours that it lists itself (ENG-11).
    pub(crate) fn withholds(&mut self, now: Now, page: u64, chunk: u16) -> bool {
        let listed = self.header().is_some_and(|newest| {
            newest.oldest <= page && now.unix_s().saturating_sub(newest.closed_at) <= LISTED_S
        });
        if !listed {
            return false;
        }
        let refused = self.finds.refused((page, chunk), now.mono_ms);
        refused.is_some_and(|(times, since)| {
            times >= REFUSALS && now.mono_ms.saturating_sub(since) >= REFUSED_FOR
        })
    }

    /// The next fetch that is to be repeated.
    pub(crate) fn take_again(&mut self) -> Option<(u64, u16)> {
        let (page, chunk, tries) = self.again.pop_front()?;
        self.tried.insert((page, chunk), tries);
        Some((page, chunk))
    }

    /// A page and chunk for a decoy: of an age among those of the pages held, any chunk (BRD-34).
    ///
    /// Two draws, whatever is known. Beyond what is held there is nothing to choose from: ages that
    /// all fell on the oldest page would mark it, and whoever asks for it.
    pub(crate) fn decoy(&self, now: Now, dice: &mut Dice) -> (u64, u16) {
        let held = |frame: &DigestFrame| now.unix_s().saturating_sub(frame.header.closed_at);
        let held =
            self.frames.values().next().map_or(DECOY_AGE.1, |f| Duration::from_secs(held(f)));
        let oldest = held.clamp(DECOY_AGE.0, DECOY_AGE.1);
        let then = now.unix_ms.saturating_sub(dice.log_uniform_ms(DECOY_AGE.0, oldest)) / 1000;
        let page = self
            .frames
            .values()
            .rev()
            .find(|frame| frame.header.closed_at <= then && frame.header.count > 0)
            .or_else(|| self.frames.values().next());
        let chunks = page.map_or(1, |frame| frame.header.chunks().max(1));
        let pick = dice.pick(usize::try_from(chunks).unwrap_or(1)).unwrap_or(0);
        (page.map_or(0, |frame| frame.header.page), u16::try_from(pick).unwrap_or(0))
    }
}
