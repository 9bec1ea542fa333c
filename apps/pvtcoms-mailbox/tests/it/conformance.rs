//! What every engine behind `Store` must do (BRD-25).

use crate::common::{SETTINGS, dir, random, same_tag};
use board::envelope::Envelope;
use board::page::{Entry, Layout, Place, filling};
use mailbox::clock::Day;
use mailbox::store::{ClosedPage, DiskStore, Put, Store, StoreError, durable};
use std::collections::BTreeSet;
use std::path::Path;

pub(crate) fn open(dir: &Path) -> Result<DiskStore, StoreError> {
    DiskStore::open(&dir.join("board"), &dir.join("keys"))
}

pub(crate) fn put(store: &dyn Store, day: Day, page: u64, envelopes: &[Envelope]) -> Vec<Put> {
    let batch = envelopes.iter().cloned().map(Into::into).collect();
    durable(store, vec![store.write(day, page, batch).unwrap()]).unwrap().concat()
}

/// Closes the page that is open, with all that waits for it.
pub(crate) fn close(store: &dyn Store, day: Day, page: u64) -> ClosedPage {
    let waiting: Vec<Entry> = store.waiting(page).unwrap().iter().map(|m| m.entry).collect();
    let filling: Vec<_> = (0..filling(waiting.len(), 8)).map(|_| random()).collect();
    let layout =
        Layout::new(waiting.into_iter().chain(filling.iter().map(Entry::of)).collect()).unwrap();
    let closed_at = u64::from(day) * 86_400 + page;
    let prev = store.last().unwrap().map_or([0; 32], |last| last.head());
    let place = Place { page, closed_at, oldest: 0, prev, seed: [1; 32], effort: 1 };
    let closed = ClosedPage { day, frame: layout.frame(&SETTINGS, &place), layout, filling };
    store.close(&closed).unwrap();
    closed
}

pub(crate) fn read_back(store: &dyn Store, page: u64) -> Vec<Envelope> {
    let frame = store.frame(page).unwrap().unwrap();
    (0..u16::try_from(frame.header.chunks()).unwrap())
        .flat_map(|chunk| {
            let found = store.chunk(page, chunk).unwrap().unwrap();
            board::frame::FetchAnswer::new(page, chunk, &found.path, &found.envelopes)
                .unwrap()
                .verify(&frame.header, page, chunk)
                .ok()
                .unwrap()
        })
        .collect()
}

#[test]
fn brd_25_stores_closes_and_reads_back_across_a_restart() {
    let dir = dir();
    let envelopes: Vec<_> = (0..20).map(|_| random()).collect();
    {
        let store = open(dir.path()).unwrap();
        assert_eq!(store.last().unwrap(), None);
        let puts = put(&store, 5, 0, &envelopes[..12]);
        assert_eq!(puts, [Put::Stored; 12]);
        let closed = close(&store, 5, 0);
        assert_eq!(closed.frame.header.count, 16);
        put(&store, 5, 1, &envelopes[12..]);
        store.add_seed(3, &[3; 32]).unwrap();
        store.add_seed(4, &[4; 32]).unwrap();
        store.add_seed(5, &[5; 32]).unwrap();
    }
    let store = open(dir.path()).unwrap();
    let header = store.last().unwrap().unwrap();
    assert_eq!(store.headers().unwrap(), [(5, header)]);
    assert_eq!(store.seeds().unwrap().keys().collect::<Vec<_>>(), [&4, &5]);
    let read = read_back(&store, 0);
    assert!(envelopes[..12].iter().all(|e| read.contains(e)));
    let mut waiting: Vec<_> = store.waiting(1).unwrap().iter().map(|m| m.entry).collect();
    let mut expected: Vec<_> = envelopes[12..].iter().map(Entry::of).collect();
    waiting.sort();
    expected.sort();
    assert_eq!(waiting, expected);
    close(&store, 5, 1);
    assert!(envelopes[12..].iter().all(|e| read_back(&store, 1).contains(e)));
    assert!(store.waiting(2).unwrap().is_empty());
    assert!(store.frame(2).unwrap().is_none());
    assert!(store.chunk(0, 2).unwrap().is_none());
    assert!(store.chunk(2, 0).unwrap().is_none());
}

#[test]
fn brd_18_a_deposit_that_was_sealed_for_another_day_is_stored_in_the_page_that_is_open() {
    let dir = dir();
    let store = open(dir.path()).unwrap();
    let seal = |day| {
        let envelope = random();
        (envelope.clone(), store.seal(day, envelope))
    };
    // Before its day has a key, before its page was open, in time, and for other days.
    let early = seal(5);
    put(&store, 5, 0, &[random()]);
    let before = seal(5);
    close(&store, 5, 0);
    let deposits = [early, before, seal(5), seal(4), seal(6)];
    let (envelopes, deposits): (Vec<_>, Vec<_>) = deposits.into_iter().unzip();
    let written = store.write(5, 1, deposits).unwrap();
    assert_eq!(durable(&store, vec![written]).unwrap(), [[Put::Stored; 5]]);
    assert_eq!(put(&store, 5, 1, &envelopes), [Put::Known; 5]);
    close(&store, 5, 1);
    let read = read_back(&store, 1);
    for envelope in &envelopes {
        assert_eq!(read.iter().filter(|found| *found == envelope).count(), 1);
    }
}

#[test]
fn brd_19_same_bytes_are_stored_once_same_tag_with_other_bytes_too() {
    let dir = dir();
    let store = open(dir.path()).unwrap();
    let first = random();
    let other = same_tag(&first);
    let batch = [first.clone(), first.clone(), other];
    let puts = put(&store, 5, 0, &batch);
    assert_eq!(puts, [Put::Stored, Put::Known, Put::Stored]);
    let closed = close(&store, 5, 0);
    // After the close, on the next day, and for what the server itself put in.
    for (day, page) in [(5, 1), (6, 1)] {
        let again = [first.clone(), closed.filling[0].clone()];
        assert_eq!(put(&store, day, page, &again), [Put::Known, Put::Known], "day {day}");
    }
    // Two days later a second copy may be kept.
    assert_eq!(put(&store, 7, 1, &[first]), [Put::Stored]);
}

#[test]
fn brd_19_same_bytes_are_stored_once_while_their_page_closes_too() {
    for day in [5, 6] {
        let dir = dir();
        let store = open(dir.path()).unwrap();
        let (first, second) = (random(), random());
        put(&store, 5, 0, std::slice::from_ref(&first));
        // The next page fills, and the first one is not in the chain yet.
        let puts = put(&store, day, 1, &[first.clone(), second.clone()]);
        assert_eq!(puts, [Put::Known, Put::Stored], "day {day}");
        close(&store, 5, 0);
        let again = [first.clone(), second.clone()];
        assert_eq!(put(&store, day, 1, &again), [Put::Known; 2]);
        close(&store, day, 1);
        let (one, two) = (read_back(&store, 0), read_back(&store, 1));
        assert!(one.contains(&first) && !one.contains(&second));
        assert!(two.contains(&second) && !two.contains(&first));
    }
}

#[test]
fn brd_22_a_dropped_day_leaves_nothing_and_the_chain_goes_on() {
    let dir = dir();
    let store = open(dir.path()).unwrap();
    put(&store, 5, 0, &[random()]);
    close(&store, 5, 0);
    put(&store, 6, 1, &[random()]);
    close(&store, 6, 1);
    assert_eq!(store.days(), [5, 6]);
    store.drop_day(5).unwrap();
    assert_eq!(store.days(), [6]);
    assert!(store.frame(0).unwrap().is_none() && store.chunk(0, 0).unwrap().is_none());
    assert!(!dir.path().join("keys/d00005.key").exists());
    let keyspaces =
        || std::fs::read_dir(dir.path().join("board/engine/keyspaces")).unwrap().count();
    store.drop_day(6).unwrap();
    drop(store);
    assert_eq!(keyspaces(), 2, "the chain's and the engine's own are left");
    let store = open(dir.path()).unwrap();
    assert_eq!(store.days(), Vec::<Day>::new());
    assert_eq!(store.last().unwrap().unwrap().page, 1, "numbers are not reused");
}

#[test]
fn brd_26_nothing_on_disk_shows_an_envelope_or_a_tag() {
    let dir = dir();
    let envelopes: Vec<_> = (0..8).map(|_| random()).collect();
    {
        let store = open(dir.path()).unwrap();
        put(&store, 5, 0, &envelopes);
        close(&store, 5, 0);
    }
    std::fs::write(dir.path().join("control"), envelopes[0].as_bytes()).unwrap();
    let needles: BTreeSet<[u8; 8]> = envelopes
        .iter()
        .flat_map(|e| [*e.as_bytes().first_chunk().unwrap(), *e.digest().first_chunk().unwrap()])
        .collect();
    let begins: BTreeSet<u8> = needles.iter().map(|needle| needle[0]).collect();
    let begins: Vec<bool> = (0..=255).map(|byte| begins.contains(&byte)).collect();
    let mut found = Vec::new();
    let mut dirs = vec![dir.path().to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            let shows = |w: &[u8]| begins[usize::from(w[0])] && needles.contains(w);
            if bytes.windows(8).any(shows) {
                found.push(path.file_name().unwrap().to_owned());
            }
        }
    }
    assert_eq!(found, ["control"], "the positive control, and nothing else");
}

#[test]
fn brd_26_a_day_without_its_key_is_not_opened() {
    let dir = dir();
    let store = open(dir.path()).unwrap();
    put(&store, 5, 0, &[random()]);
    drop(store);
    let key = dir.path().join("keys/d00005.key");
    let bytes = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(StoreError::KeyMissing(5))));
    // With another key, what is sealed stays shut.
    std::fs::write(&key, [1; 32]).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(StoreError::Damaged(_))));
    std::fs::write(&key, bytes).unwrap();
    assert_eq!(open(dir.path()).unwrap().waiting(0).unwrap().len(), 1);
}

#[test]
fn brd_27_a_second_server_is_refused() {
    let dir = dir();
    let _first = open(dir.path()).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(StoreError::Locked)));
}
