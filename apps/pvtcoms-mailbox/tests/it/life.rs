//! Weeks of a board, in virtual time.

use crate::common::{POLICY, SETTINGS, dir, random};
use crate::conformance::put;
use board::frame::Window;
use board::page::Settings;
use mailbox::clock::Seconds;
use mailbox::effort::Policy;
use mailbox::pages::{OpenError, Pages};
use mailbox::store::{DiskStore, Put, Store};
use std::path::Path;
use std::sync::Arc;

/// A Monday's midnight.
const DAY: Seconds = 20_000 * 86_400;

fn board(dir: &Path, now: Seconds) -> (Arc<DiskStore>, Pages) {
    board_with(dir, SETTINGS, now)
}

fn board_with(dir: &Path, settings: Settings, now: Seconds) -> (Arc<DiskStore>, Pages) {
    let store = Arc::new(DiskStore::open(&dir.join("board"), &dir.join("keys")).unwrap());
    let shared: Arc<dyn Store> = store.clone();
    let pages = Pages::open(shared, settings, POLICY, now).unwrap();
    (store, pages)
}

#[test]
fn brd_20_pages_close_on_the_grid_and_empty_ones_every_five_minutes() {
    let dir = dir();
    let (store, mut pages) = board(dir.path(), DAY);
    assert!(pages.tick(DAY).unwrap(), "the first page closes at once, to show the seed");
    assert!(!pages.tick(DAY + 299).unwrap());
    assert!(pages.tick(DAY + 300).unwrap());
    assert_eq!(store.frame(1).unwrap().unwrap().header.count, 0);
    pages.put(vec![random()], DAY + 303).unwrap();
    assert!(!pages.tick(DAY + 309).unwrap());
    assert!(pages.tick(DAY + 310).unwrap());
    let header = store.frame(2).unwrap().unwrap().header;
    assert_eq!((header.count, header.closed_at), (8, DAY + 310));
    // Across midnight what waits closes, and belongs to the day before.
    let midnight = DAY + 86_400;
    pages.tick(midnight - 1).unwrap();
    pages.put(vec![random()], midnight - 1).unwrap();
    assert!(pages.tick(midnight).unwrap());
    assert_eq!(store.headers().unwrap().last().unwrap().0, 20_000);
    pages.put(vec![random()], midnight + 1).unwrap();
    pages.tick(midnight + 10).unwrap();
    assert_eq!(store.headers().unwrap().last().unwrap().0, 20_001);
}

#[test]
fn brd_22_a_day_expires_whole_when_its_last_page_is_older_than_the_ttl() {
    let dir = dir();
    let (store, mut pages) = board(dir.path(), DAY);
    let first = random();
    pages.put(vec![first.clone()], DAY + 5).unwrap();
    pages.put(vec![random()], DAY + 40_000).unwrap();
    assert!(pages.tick(DAY + 40_010).unwrap());
    let last = store.last().unwrap().unwrap();
    assert_eq!(last.closed_at, DAY + 40_010);
    // The TTL is 24 h from the close of the day's last page.
    pages.put(vec![random()], DAY + 86_500).unwrap();
    pages.tick(DAY + 40_009 + 86_400).unwrap();
    assert!(store.frame(0).unwrap().is_some() && store.frame(last.page).unwrap().is_some());
    pages.tick(DAY + 40_010 + 86_400).unwrap();
    for page in 0..=last.page {
        assert!(store.frame(page).unwrap().is_none() && store.chunk(page, 0).unwrap().is_none());
    }
    assert!(!dir.path().join("keys/d20000.key").exists());
    assert!(dir.path().join("keys/d20001.key").exists());
    let view = pages.view();
    assert_eq!(view.read().unwrap().oldest(), last.page + 1);
    // BRD-19: later a second copy may be kept.
    assert_eq!(pages.put(vec![first], DAY + 40_020 + 86_400).unwrap(), [Put::Stored]);
}

#[test]
fn brd_18_what_waits_survives_a_restart_and_is_in_the_next_page() {
    let dir = dir();
    let envelopes: Vec<_> = (0..5).map(|_| random()).collect();
    {
        let (_, mut pages) = board(dir.path(), DAY);
        pages.tick(DAY).unwrap();
        pages.put(envelopes.clone(), DAY + 1).unwrap();
    }
    // The day after, even: the page closes at once then.
    let later = DAY + 100_000;
    let (store, mut pages) = board(dir.path(), later);
    assert_eq!(pages.put(vec![envelopes[0].clone()], later).unwrap(), [Put::Known]);
    let header = store.last().unwrap().unwrap();
    assert_eq!((header.page, header.count, header.closed_at), (1, 8, later));
    let chunk = store.chunk(1, 0).unwrap().unwrap();
    assert!(envelopes.iter().all(|e| chunk.envelopes.contains(e)));
}

#[test]
fn brd_18_brd_27_a_crash_while_a_page_closes_loses_nothing_of_it_and_of_the_next() {
    // What was in the page that closed, and the days on which both were opened.
    for (count, days) in [(3, [20_000, 20_000]), (0, [20_000, 20_000]), (3, [20_000, 20_001])] {
        let dir = dir();
        let some = |count: usize| -> Vec<_> { (0..count).map(|_| random()).collect() };
        let pages = [some(count), some(4)];
        {
            let (store, _) = board(dir.path(), DAY);
            for ((number, envelopes), day) in (0..).zip(&pages).zip(days) {
                put(store.as_ref(), day, number, envelopes);
            }
        }
        // The day after.
        let later = DAY + 100_000;
        let (store, mut board) = board(dir.path(), later);
        assert_eq!(store.last().unwrap().unwrap().page, 0, "it has closed");
        let again = pages.concat();
        assert!(board.put(again, later).unwrap().into_iter().all(|put| put == Put::Known));
        board.tick(later + 10).unwrap();
        for (number, envelopes) in (0..).zip(&pages) {
            let chunk = store.chunk(number, 0).unwrap();
            let held = chunk.map_or_else(Vec::new, |chunk| chunk.envelopes);
            assert_eq!(
                held.iter().filter(|held| envelopes.contains(held)).count(),
                envelopes.len()
            );
        }
        let headers = store.headers().unwrap();
        let numbers: Vec<_> = headers.iter().map(|(_, header)| header.page).collect();
        assert_eq!(numbers, [0, 1]);
    }
}

#[test]
fn brd_21_numbers_go_on_after_everything_expired() {
    let dir = dir();
    let before = {
        let (store, mut pages) = board(dir.path(), DAY);
        pages.put(vec![random()], DAY).unwrap();
        pages.tick(DAY + 10).unwrap();
        store.last().unwrap().unwrap()
    };
    let (store, mut pages) = board(dir.path(), DAY + 90 * 86_400);
    pages.tick(DAY + 90 * 86_400).unwrap();
    let after = store.last().unwrap().unwrap();
    assert_eq!((after.page, after.prev), (before.page + 1, before.head()));
    assert_eq!(after.oldest, after.page);
    assert_eq!(store.days(), [20_090]);
}

#[test]
fn brd_15_a_seed_lives_an_hour_and_is_accepted_in_the_next() {
    let dir = dir();
    let (store, mut pages) = board(dir.path(), DAY);
    pages.tick(DAY).unwrap();
    let view = pages.view();
    let (epoch, seed) = store.last().unwrap().map(|h| (h.epoch, h.seed)).unwrap();
    let accepted = |now| view.read().unwrap().seed(epoch, now).copied();
    assert_eq!(accepted(DAY + 3_599), Some(seed));
    pages.tick(DAY + 3_600).unwrap();
    assert_ne!(store.last().unwrap().unwrap().seed, seed);
    assert_eq!(accepted(DAY + 7_199), Some(seed));
    assert_eq!(accepted(DAY + 7_200), None);
    assert_eq!(view.read().unwrap().seed(epoch + 9, DAY), None);
}

#[test]
fn brd_23_effort_moves_with_load_and_disk_and_goes_on_after_a_restart() {
    const MB: u64 = 1 << 20;
    let policy = Policy { people: 1, soft: 800 * MB, reserve: 0, ..POLICY };
    let dir = dir();
    let open = || {
        let store = DiskStore::open(&dir.path().join("board"), &dir.path().join("keys")).unwrap();
        Pages::open(Arc::new(store), SETTINGS, policy, DAY).unwrap()
    };
    let shown = |pages: &Pages| pages.view().read().unwrap().last.unwrap().effort;
    let lowest = |pages: &Pages, now| pages.view().read().unwrap().lowest_effort(now);
    {
        let mut pages = open();
        pages.tick(DAY).unwrap();
        assert_eq!(shown(&pages), 1);
        // 25 deposits in five minutes where ten are fair: three times the effort, in two pages.
        let envelopes: Vec<_> = (0..25).map(|_| random()).collect();
        pages.put(envelopes.clone(), DAY + 5).unwrap();
        pages.tick(DAY + 10).unwrap();
        assert_eq!(shown(&pages), 2);
        pages.put(envelopes, DAY + 15).unwrap();
        pages.tick(DAY + 20).unwrap();
        assert_eq!(shown(&pages), 2, "repeats are no deposits, and no page closes for them");
        pages.put(vec![random()], DAY + 25).unwrap();
        pages.tick(DAY + 30).unwrap();
        assert_eq!((shown(&pages), lowest(&pages, DAY + 30)), (3, Some(1)));
    }
    let mut pages = open();
    assert_eq!((shown(&pages), lowest(&pages, DAY + 40)), (3, Some(1)), "after a restart");
    // Empty pages: calm after 15 minutes, and the disk doubles it again.
    for at in (330..=1_530).step_by(300) {
        pages.tick(DAY + at).unwrap();
    }
    assert_eq!(shown(&pages), 2);
    pages.set_free(600 * MB);
    pages.tick(DAY + 1_830).unwrap();
    pages.tick(DAY + 2_130).unwrap();
    assert_eq!(shown(&pages), 4, "a quarter of the way to the reserve");
    // The header with effort 1 was the newest until DAY + 10.
    assert_eq!(lowest(&pages, DAY + 3_610), Some(1));
    assert_eq!(lowest(&pages, DAY + 3_611), Some(2));
}

#[test]
fn brd_12_windows_are_by_age_and_by_utc_day() {
    let dir = dir();
    let (_, mut pages) = board_with(dir.path(), Settings { ttl_h: 720, ..SETTINGS }, DAY);
    for at in (0..3 * 86_400).step_by(300) {
        pages.tick(DAY + at).unwrap();
    }
    let view = pages.view();
    let now = DAY + 2 * 86_400 + 86_399;
    let len = |window| view.read().unwrap().window(window, now).count();
    assert_eq!(len(Window::LastTenMinutes), 2);
    assert_eq!(len(Window::Stream), 2);
    assert_eq!(len(Window::LastHour), 12);
    for back in 0..3 {
        assert_eq!(len(Window::Day { back }), 288, "day -{back}");
    }
    assert_eq!(len(Window::Day { back: 3 }), 0);
}

#[test]
fn brd_13_a_directory_serves_one_mailbox_and_a_clock_set_back_breaks_no_chain() {
    let dir = dir();
    {
        let (store, mut pages) = board(dir.path(), DAY);
        pages.tick(DAY + 1_000).unwrap();
        pages.put(vec![random()], DAY).unwrap();
        assert!(!pages.tick(DAY + 500).unwrap());
        pages.tick(DAY + 1_010).unwrap();
        let headers = store.headers().unwrap();
        headers[1].1.check_follows(&headers[0].1).unwrap();
    }
    let store =
        Arc::new(DiskStore::open(&dir.path().join("board"), &dir.path().join("keys")).unwrap());
    let other = Settings { mailbox: [8; 32], ..SETTINGS };
    assert!(matches!(Pages::open(store, other, POLICY, DAY), Err(OpenError::OtherMailbox(_))));
}
