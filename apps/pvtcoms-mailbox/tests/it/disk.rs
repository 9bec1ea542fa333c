//! What a crash or a power cut leaves in the files of envelopes (BRD-21, BRD-27).

use crate::common::{dir, random};
use crate::conformance::{close, open, put, read_back};
use board::envelope::Envelope;
use board::page::Entry;
use mailbox::seal::Keyring;
use mailbox::store::{ClosedPage, DiskStore, Put, Store, StoreError};
use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const DAY: u32 = 5;
/// `page(8) ‖ check(32)`, and `idx(16) ‖ nonce(24) ‖ sealed envelope(4096) ‖ tag(16)`.
const HEAD: u64 = 40;
const RECORD: u64 = 4152;

fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join("board/envelopes").join(name)
}

/// Of page 0, and of others that are even.
fn journal(dir: &Path) -> PathBuf {
    file(dir, "d00005.journal-even")
}

fn shelf(dir: &Path) -> PathBuf {
    file(dir, "d00005.shelf")
}

fn some(count: usize) -> Vec<Envelope> {
    (0..count).map(|_| random()).collect()
}

fn waiting(store: &DiskStore, page: u64) -> Vec<Entry> {
    store.waiting(page).unwrap().iter().map(|waiting| waiting.entry).collect()
}

/// The envelopes of a page as they are read, each where the page has it.
fn read(store: &DiskStore, closed: &ClosedPage) -> Vec<Envelope> {
    let read = read_back(store, closed.frame.header.page);
    let entries: Vec<Entry> = read.iter().map(Entry::of).collect();
    assert_eq!(entries, closed.layout.entries());
    read
}

/// Six deposits that were synced and four that were not, and what the disk may have of them.
fn cut(spoil: impl Fn(&fs::File, u64)) -> usize {
    let dir = dir();
    let (synced, written) = (some(6), some(4));
    {
        let store = open(dir.path()).unwrap();
        put(&store, DAY, 0, &synced);
        let batch = written.iter().cloned().map(Into::into).collect();
        let _nobody_is_told = store.write(DAY, 0, batch).unwrap();
    }
    let spoilt = OpenOptions::new().write(true).open(journal(dir.path())).unwrap();
    spoil(&spoilt, HEAD + 6 * RECORD);
    let store = open(dir.path()).unwrap();
    let entries = waiting(&store, 0);
    assert!(synced.iter().all(|envelope| entries.contains(&Entry::of(envelope))));
    let left = written.iter().filter(|envelope| entries.contains(&Entry::of(envelope))).count();
    assert_eq!(entries.len(), 6 + left, "nothing else waits");
    // They come again, with others, across another restart, and each is in the page once.
    let others = some(3);
    let puts = put(&store, DAY, 0, &[written.as_slice(), others.as_slice()].concat());
    assert_eq!(puts.iter().filter(|put| **put == Put::Known).count(), left);
    drop(store);
    let store = open(dir.path()).unwrap();
    let read = read(&store, &close(&store, DAY, 0));
    for envelope in synced.iter().chain(&written).chain(&others) {
        assert_eq!(read.iter().filter(|found| *found == envelope).count(), 1);
    }
    left
}

#[test]
fn brd_18_brd_27_a_power_cut_takes_nothing_that_was_synced() {
    assert_eq!(cut(|_, _| {}), 4, "control: a killed process leaves all that it wrote");
    for (len, left) in [(0, 0), (1, 0), (RECORD - 1, 0), (RECORD, 1), (3 * RECORD + 17, 3)] {
        assert_eq!(cut(|file, end| file.set_len(end + len).unwrap()), left, "{len} bytes of four");
    }
    // Lengths come to a disk before bytes, or other bytes did.
    let zeros = vec![0; usize::try_from(2 * RECORD).unwrap()];
    assert_eq!(cut(|file, end| file.write_all_at(&zeros, end).unwrap()), 2);
    assert_eq!(cut(|file, end| file.write_all_at(&[7; 100], end + RECORD + 50).unwrap()), 3);
}

#[test]
fn brd_27_a_journal_that_was_never_synced_is_an_empty_one() {
    for head in [&[][..], &[0; 39], &[0; 40], &[0; 5000]] {
        let dir = dir();
        drop(put(&open(dir.path()).unwrap(), DAY, 0, &some(1)));
        fs::write(journal(dir.path()), head).unwrap();
        let store = open(dir.path()).unwrap();
        assert_eq!(waiting(&store, 0), []);
        let envelopes = some(2);
        put(&store, DAY, 0, &envelopes);
        let read = read(&store, &close(&store, DAY, 0));
        assert!(envelopes.iter().all(|envelope| read.contains(envelope)));
    }
}

#[test]
fn brd_27_a_journal_of_another_key_or_page_is_damage_and_no_empty_one() {
    let dir = dir();
    drop(put(&open(dir.path()).unwrap(), DAY, 0, &some(1)));
    let good = fs::read(journal(dir.path())).unwrap();
    for at in [0, 7, 8, 39] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(journal(dir.path()), bytes).unwrap();
        assert!(matches!(open(dir.path()).err(), Some(StoreError::Damaged(_))), "byte {at}");
    }
    fs::write(journal(dir.path()), good).unwrap();
    assert_eq!(waiting(&open(dir.path()).unwrap(), 0).len(), 1, "control");
    // Of a page that cannot be open yet, and of the wrong file.
    fs::remove_file(journal(dir.path())).unwrap();
    drop(put(&open(dir.path()).unwrap(), DAY, 2, &some(1)));
    assert!(matches!(open(dir.path()).err(), Some(StoreError::Damaged(_))));
    fs::rename(journal(dir.path()), file(dir.path(), "d00005.journal-odd")).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(StoreError::Damaged(_))));
}

#[test]
fn brd_18_brd_27_the_same_envelope_twice_in_a_journal_waits_once() {
    let dir = dir();
    let envelopes = some(3);
    drop(put(&open(dir.path()).unwrap(), DAY, 0, &envelopes));
    // A batch that failed half-way was sent again.
    let mut bytes = fs::read(journal(dir.path())).unwrap();
    bytes.extend_from_within(usize::try_from(HEAD).unwrap()..);
    fs::write(journal(dir.path()), bytes).unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(waiting(&store, 0).len(), 3);
    put(&store, DAY, 0, &some(2));
    assert_eq!(fs::metadata(journal(dir.path())).unwrap().len(), HEAD + 8 * RECORD);
    let read = read(&store, &close(&store, DAY, 0));
    for envelope in &envelopes {
        assert_eq!(read.iter().filter(|found| *found == envelope).count(), 1);
    }
}

#[test]
fn brd_21_a_closed_page_shows_no_order_of_arrival() {
    let dir = dir();
    let store = open(dir.path()).unwrap();
    put(&store, DAY, 0, &some(40));
    assert_eq!(fs::metadata(journal(dir.path())).unwrap().len(), HEAD + 40 * RECORD);
    let closed = close(&store, DAY, 0);
    assert_eq!(fs::metadata(journal(dir.path())).unwrap().len(), 0);
    let key = Keyring::open(&dir.path().join("keys")).unwrap().load(DAY).unwrap().unwrap();
    let bytes = fs::read(shelf(dir.path())).unwrap();
    let records = bytes.chunks_exact(usize::try_from(RECORD).unwrap());
    let names = records.map(|record| &record[..16]).collect::<Vec<_>>();
    let by_page: Vec<_> = closed.layout.entries().iter().map(|entry| key.index(entry)).collect();
    assert_eq!(names, by_page.iter().map(|idx| &idx[..16]).collect::<Vec<_>>());
}

#[test]
fn brd_27_a_journal_whose_page_has_closed_is_not_taken_for_what_waits() {
    let dir = dir();
    let envelopes = some(9);
    let (left, closed) = {
        let store = open(dir.path()).unwrap();
        put(&store, DAY, 0, &envelopes);
        (fs::read(journal(dir.path())).unwrap(), close(&store, DAY, 0))
    };
    // That the file was emptied did not come to the disk.
    fs::write(journal(dir.path()), left).unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(waiting(&store, 1), []);
    assert_eq!(put(&store, DAY, 1, &envelopes), [Put::Known; 9]);
    let others = some(2);
    assert_eq!(put(&store, DAY, 1, &others), [Put::Stored; 2]);
    let second = close(&store, DAY, 1);
    assert!(others.iter().all(|envelope| read(&store, &second).contains(envelope)));
    read(&store, &closed);
}

#[test]
fn brd_27_what_a_crash_left_on_a_shelf_is_written_over() {
    let dir = dir();
    let first = {
        let store = open(dir.path()).unwrap();
        put(&store, DAY, 0, &some(10));
        close(&store, DAY, 0)
    };
    // The next page was copied, and the crash came before the engine knew of it.
    let left = OpenOptions::new().append(true).open(shelf(dir.path())).unwrap();
    left.write_all_at(&[7; 20_000], 16 * RECORD).unwrap();
    let store = open(dir.path()).unwrap();
    put(&store, DAY, 1, &some(3));
    let second = close(&store, DAY, 1);
    drop(store);
    let store = open(dir.path()).unwrap();
    for closed in [first, second] {
        read(&store, &closed);
    }
    // Control: what is on the shelf is what is read.
    let spoilt = OpenOptions::new().write(true).open(shelf(dir.path())).unwrap();
    spoilt.write_all_at(&[7; 8], 2 * RECORD + 100).unwrap();
    assert!(matches!(store.chunk(0, 0).err(), Some(StoreError::Damaged(_))));
    assert!(store.chunk(0, 1).unwrap().is_some());
}

#[test]
fn brd_22_a_day_that_is_over_leaves_no_file() {
    let dir = dir();
    let store = open(dir.path()).unwrap();
    put(&store, DAY, 0, &some(3));
    close(&store, DAY, 0);
    assert!(journal(dir.path()).exists() && shelf(dir.path()).exists());
    store.drop_day(DAY).unwrap();
    assert!(!journal(dir.path()).exists() && !shelf(dir.path()).exists());
}

#[test]
fn brd_22_brd_27_files_of_a_day_that_the_engine_does_not_know_are_removed() {
    let dir = dir();
    {
        let store = open(dir.path()).unwrap();
        put(&store, DAY, 0, &some(3));
    }
    // A power cut took back that they were unlinked, or came before the day was begun.
    for day in ["d00004", "d00006"] {
        for kind in ["journal-even", "journal-odd", "shelf"] {
            fs::write(file(dir.path(), &format!("{day}.{kind}")), [7; 5000]).unwrap();
        }
    }
    fs::write(file(dir.path(), "other"), [7; 5000]).unwrap();
    let store = open(dir.path()).unwrap();
    let files = fs::read_dir(dir.path().join("board/envelopes")).unwrap();
    let mut left: Vec<_> = files.map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["d00005.journal-even", "d00005.journal-odd", "d00005.shelf", "other"]);
    assert_eq!(waiting(&store, 0).len(), 3);
    // Days that begin after them have files of their own.
    let batch = vec![random().into()];
    close(&store, DAY, 0);
    assert_eq!(store.write(6, 1, batch).map(|_written| ()).err().map(|e| e.to_string()), None);
}

#[test]
fn a_board_of_an_earlier_build_is_refused_and_left_as_it_is() {
    let dir = dir();
    fs::create_dir_all(dir.path().join("board/keyspaces")).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(StoreError::Old)));
    assert_eq!(fs::read_dir(dir.path().join("board")).unwrap().count(), 1);
    // With one journal a day.
    fs::remove_dir(dir.path().join("board/keyspaces")).unwrap();
    drop(put(&open(dir.path()).unwrap(), DAY, 0, &some(1)));
    let old = file(dir.path(), "d00005.journal");
    fs::rename(journal(dir.path()), &old).unwrap();
    assert!(matches!(open(dir.path()).err(), Some(StoreError::Old)));
    assert_eq!(fs::metadata(old).unwrap().len(), HEAD + RECORD);
}
