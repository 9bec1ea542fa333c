use crate::common::{ALICE, Home, message, put, save};
use engine::changes::{MessageState, Table};
use std::fs;
use std::path::PathBuf;
use store::StoreError;

const PAGE: usize = 4096;

fn filled() -> Home {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![put(Table::Ratchet, b"k", &[7; 3 * PAGE])]);
    save(
        &mut store,
        (0..20).map(|n| message(ALICE, n, MessageState::Received, &"x".repeat(500))).collect(),
    );
    drop(store);
    home
}

fn salvaged(home: &Home, n: u32) -> PathBuf {
    home.file(&format!("salvage-{n}"))
}

/// STO-29: whichever page is bad, it is said, everything is kept, and nothing is written.
#[test]
fn sto_29_a_flipped_bit_in_any_page_is_damage_and_the_files_are_copied_first() {
    let home = filled();
    let good = fs::read(home.file("pvtcoms.db")).unwrap();
    let pages = good.len() / PAGE;
    assert!(pages > 8);
    // First page, where the salt is; some in the middle; the last one's tag.
    let flips = [0, 100, 3 * PAGE + 5, (pages / 2) * PAGE + 99, good.len() - 1];
    for (n, at) in (1..).zip(flips) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        fs::write(home.file("pvtcoms.db"), &bad).unwrap();
        let expected = Some(StoreError::Damaged { salvage: Some(n) });
        assert_eq!(home.unlock().err(), expected, "byte {at}");
        assert_eq!(fs::read(home.file("pvtcoms.db")).unwrap(), bad, "untouched");
        assert_eq!(fs::read(salvaged(&home, n).join("pvtcoms.db")).unwrap(), bad);
        // Trying again does not fill the disk with copies of the same.
        assert_eq!(home.unlock().err(), expected);
        assert!(!salvaged(&home, n + 1).exists());
    }
    fs::write(home.file("pvtcoms.db"), &good).unwrap();
    assert!(home.unlock().is_ok(), "control");
}

#[test]
fn sto_29_a_cut_missing_or_empty_database_is_damage_and_never_a_new_one() {
    let home = filled();
    let good = fs::read(home.file("pvtcoms.db")).unwrap();
    for len in [good.len() - PAGE, good.len() - 1, PAGE, 10, 0] {
        fs::write(home.file("pvtcoms.db"), &good[..len]).unwrap();
        assert!(matches!(home.unlock(), Err(StoreError::Damaged { .. })), "{len}");
        assert_eq!(fs::read(home.file("pvtcoms.db")).unwrap(), &good[..len]);
    }
    fs::remove_file(home.file("pvtcoms.db")).unwrap();
    assert!(matches!(home.unlock(), Err(StoreError::Damaged { .. })));
    assert!(!home.file("pvtcoms.db").exists());
}

#[test]
fn sto_29_the_log_is_kept_as_it_was_found() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![put(Table::Ratchet, b"k", b"only in the log")]);
    let copy = Home::empty();
    for (path, bytes) in home.files() {
        copy.put_file(path.file_name().unwrap().to_str().unwrap(), &bytes);
    }
    let mut database = fs::read(copy.file("pvtcoms.db")).unwrap();
    let last = database.len() - 1;
    database[last] ^= 1;
    fs::write(copy.file("pvtcoms.db"), &database).unwrap();
    let log = fs::read(copy.file("pvtcoms.db-wal")).unwrap();
    assert!(!log.is_empty());
    assert_eq!(copy.unlock().err(), Some(StoreError::Damaged { salvage: Some(1) }));
    assert_eq!(fs::read(copy.file("pvtcoms.db-wal")).unwrap(), log);
    assert_eq!(fs::read(salvaged(&copy, 1).join("pvtcoms.db-wal")).unwrap(), log);
}

/// Trap, and the reason why the log is fsynced and never touched: SQLite takes a frame that does
/// not check out for the end of the log, and says nothing.
#[test]
fn sto_24_trap_a_flipped_byte_in_the_log_ends_recovery_without_an_error() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![put(Table::Ratchet, b"1", b"x")]);
    save(&mut store, vec![put(Table::Ratchet, b"2", b"x")]);
    let copied = |flip: bool| {
        let copy = Home::empty();
        for (path, mut bytes) in home.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            if flip && name.ends_with("-wal") {
                let last = bytes.len() - 1;
                bytes[last] ^= 1;
            }
            // Recovery reads the log only where no index of it is found.
            if !name.ends_with("-shm") {
                copy.put_file(name, &bytes);
            }
        }
        copy.unlock().unwrap().load().unwrap().0.len()
    };
    assert_eq!(copied(false), 2, "control");
    assert_eq!(copied(true), 1);
}

#[test]
fn sto_29_a_plaintext_database_is_refused_by_name() {
    let home = filled();
    fs::remove_file(home.file("pvtcoms.db")).unwrap();
    let plain = rusqlite::Connection::open(home.file("pvtcoms.db")).unwrap();
    plain.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(plain);
    assert_eq!(home.unlock().err(), Some(StoreError::Plaintext));
}
