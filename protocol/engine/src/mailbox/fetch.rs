//! Fetches: what is repeated, what a decoy asks for, and when a mailbox keeps something back
//! (BRD-34, BRD-36, ENG-11).

use super::Mailbox;
use crate::clock::{HOUR, Now};
use crate::schedule::{Dice, Mode};
use board::header::DigestFrame;
use core::time::Duration;

/// Age of the pages that old decoys fetch from, as far back as pages are held (BRD-34).
const DECOY_AGE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(12 * 3600));
/// Of so many decoys one is old: as what is fetched after an absence. The others are as old as
/// what arrives while somebody waits (BRD-34).
const DECOYS_AN_OLD_ONE: usize = 4;
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

    /// A page and chunk for a decoy, any chunk of it (BRD-34). `wait` is the usual time between two
    /// fetches here: what is listed now is fetched after Exp(`wait`), and so most decoys are of
    /// pages that old, lest the reads of a whole board grow younger while people talk.
    ///
    /// Four draws, whatever is known. Beyond what is held there is nothing to choose from: ages that
    /// all fell on the oldest page would mark it, and whoever asks for it.
    pub(crate) fn decoy(&self, now: Now, wait: Duration, dice: &mut Dice) -> (u64, u16) {
        let held = |frame: &DigestFrame| now.unix_s().saturating_sub(frame.header.closed_at);
        let held =
            self.frames.values().next().map_or(DECOY_AGE.1, |f| Duration::from_secs(held(f)));
        let oldest = held.clamp(DECOY_AGE.0, DECOY_AGE.1);
        let old = dice.pick(DECOYS_AN_OLD_ONE) == Some(0);
        let (usual, catching_up) = (dice.exp_ms(wait), dice.log_uniform_ms(DECOY_AGE.0, oldest));
        let age = if old || Duration::from_millis(usual) > oldest { catching_up } else { usual };
        let then = now.unix_ms.saturating_sub(age) / 1000;
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

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    use super::super::Role;
    use super::super::finds::tests::header;
    use super::*;
    use board::header::PageHeader;

    const WAIT: Duration = Duration::from_secs(120);
    /// Five seconds after the last page closed.
    const NOW: Now = Now { mono_ms: 0, unix_ms: 1_700_000_005_000 };

    /// A mailbox whose pages close every ten seconds, `pages` of them.
    fn board(pages: u64) -> Mailbox {
        let mut mailbox = Mailbox::new([1; 32], Role::Own, [2; 32], NOW, Mode::Steady);
        let frame = |page: u64| {
            let closed_at = NOW.unix_s() - 5 - (pages - 1 - page) * 10;
            let header = PageHeader { closed_at, count: 24, ..header(page) };
            (page, DigestFrame { header, prefixes: vec![[0; 8]; 24] })
        };
        mailbox.frames = (0..pages).map(frame).collect();
        mailbox
    }

    #[test]
    fn brd_34_decoys_are_as_old_as_what_somebody_waits_for_but_for_one_in_four() {
        let pages = 4320;
        let mailbox = board(pages);
        let mut dice = Dice::from_seed([3; 32]);
        let drawn: Vec<(u64, u16)> =
            (0..20_000).map(|_| mailbox.decoy(NOW, WAIT, &mut dice)).collect();
        assert!((0..3).all(|chunk| drawn.iter().any(|(_, c)| *c == chunk)));
        let age = |page: u64| 5 + (pages - 1 - page) * 10;
        for seconds in [15_u32, 65, 125, 305, 605, 3605] {
            let within = drawn.iter().filter(|(page, _)| age(*page) <= seconds.into()).count();
            let share = f64::from(u32::try_from(within).unwrap()) / 20_000.0;
            let s = f64::from(seconds);
            // What waits is fetched after Exp(120 s); of what is old, as many in each doubling.
            let waited = 1.0 - (-s / 120.0).exp();
            let old = (s / 10.0).ln() / 4320_f64.ln();
            let wanted = 0.75 * waited + 0.25 * old;
            assert!((share - wanted).abs() < 0.015, "{seconds} s: {share}, not {wanted}");
        }
    }

    #[test]
    fn brd_34_the_dice_of_a_decoy_fall_alike_whatever_is_known() {
        let after = |pages| {
            let mut dice = Dice::from_seed([4; 32]);
            let decoys = (0..50).map(|_| board(pages).decoy(NOW, WAIT, &mut dice));
            assert!(decoys.map(|(page, _)| page).all(|page| page < pages.max(1)));
            dice.between_ms(0, u64::MAX)
        };
        assert_eq!(after(0), after(1));
        assert_eq!(after(0), after(500));
    }
}
