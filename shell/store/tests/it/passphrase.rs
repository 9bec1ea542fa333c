use crate::common::{COST, Home, PASSPHRASE, put, rng, rows, save};
use crypto::password::Cost;
use engine::changes::Table;
use std::fs;
use std::os::unix::fs::FileExt;
use store::{Store, StoreError};

#[test]
fn sto_14_old_passphrase_fails_after_a_change_also_on_the_old_blocks() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![put(Table::Profile, b"", b"mine")]);
    let before = rows(&store);
    drop(store);
    let database = fs::read(home.file("pvtcoms.db")).unwrap();
    let old_file = fs::read(home.file("slots.bin")).unwrap();
    // As a thief with the raw disk: the blocks of the old file, whatever its name is by now.
    let old_inode = fs::File::open(home.file("slots.bin")).unwrap();
    assert!(home.unlock().is_ok(), "control: the old passphrase opened before");

    Store::change_passphrase(&home.dir, PASSPHRASE, "nouvelle clé".as_bytes(), &mut rng(2))
        .unwrap();
    assert_eq!(home.unlock().err(), Some(StoreError::WrongPassphrase));
    let store = Store::unlock(&home.dir, "nouvelle clé".as_bytes()).unwrap();
    assert_eq!(rows(&store), before);
    drop(store);
    assert_eq!(fs::read(home.file("pvtcoms.db")).unwrap(), database);
    assert_eq!(home.files().len(), 2, "no copy stays");

    let mut blocks = [0; 640];
    old_inode.read_exact_at(&mut blocks, 0).unwrap();
    assert!(blocks[64..].iter().zip(&old_file[64..]).filter(|(a, b)| a == b).count() < 450);
    fs::write(home.file("slots.bin"), blocks).unwrap();
    assert_eq!(home.unlock().err(), Some(StoreError::WrongPassphrase));
    // Control: with the blocks as they were, it opens.
    fs::write(home.file("slots.bin"), &old_file).unwrap();
    assert!(home.unlock().is_ok());
}

/// A crash between the steps of a change: the next unlock, with whichever passphrase is in force,
/// leaves no file under the other.
#[test]
fn sto_14_a_change_that_was_interrupted_is_finished() {
    let (home, store) = Home::with_profile();
    drop(store);
    let old = fs::read(home.file("slots.bin")).unwrap();
    Store::change_passphrase(&home.dir, PASSPHRASE, b"new", &mut rng(2)).unwrap();
    let new = fs::read(home.file("slots.bin")).unwrap();
    // After the rename, before the old blocks were overwritten.
    home.put_file("slots.bin.old", &old);
    let blocks = fs::File::open(home.file("slots.bin.old")).unwrap();
    assert_eq!(home.unlock().err(), Some(StoreError::WrongPassphrase));
    assert!(home.file("slots.bin.old").exists(), "nothing is touched before a slot opened");
    drop(Store::unlock(&home.dir, b"new").unwrap());
    let mut left = vec![0; 640];
    blocks.read_exact_at(&mut left, 0).unwrap();
    assert_eq!(left, new);
    assert_eq!(home.files().len(), 2);

    // Before the rename: half of the new file, and a second name of the old one.
    fs::remove_file(home.file("slots.bin")).unwrap();
    home.put_file("slots.bin", &old);
    home.put_file("slots.bin.next", &new[..100]);
    fs::hard_link(home.file("slots.bin"), home.file("slots.bin.old")).unwrap();
    drop(home.unlock().unwrap());
    assert_eq!(fs::read(home.file("slots.bin")).unwrap(), old);
    assert_eq!(home.files().len(), 2);
}

#[test]
fn sto_14_a_refused_change_changes_nothing() {
    let (home, store) = Home::with_profile();
    drop(store);
    let before = home.files();
    let change = |old: &[u8], new: &[u8]| {
        Store::change_passphrase(&home.dir, old, new, &mut rng(3)).err().unwrap()
    };
    assert_eq!(change(b"wrong", b"new"), StoreError::WrongPassphrase);
    assert_eq!(change(PASSPHRASE, PASSPHRASE), StoreError::SamePassphrase);
    assert_eq!(change(PASSPHRASE, b""), StoreError::Passphrase);
    assert_eq!(home.files(), before);
}

#[test]
fn sto_13_passphrases_are_1_to_1024_bytes_of_text_and_one_form_of_it() {
    let home = Home::empty();
    for bad in [&b""[..], &[b'x'; 1025], b"\xff\xfe"] {
        let refused = Store::create(&home.dir, bad, COST, &mut rng(1)).err();
        assert_eq!(refused, Some(StoreError::Passphrase));
        assert!(!Store::exists(&home.dir));
    }
    // A letter with its accent, as one code point and as two.
    drop(Store::create(&home.dir, "caf\u{e9}".as_bytes(), COST, &mut rng(1)).unwrap());
    assert!(Store::unlock(&home.dir, "cafe\u{301}".as_bytes()).is_ok());
    assert_eq!(Store::unlock(&home.dir, b"cafe").err(), Some(StoreError::WrongPassphrase));
    let longest = [b'x'; 1024];
    Store::change_passphrase(&home.dir, "caf\u{e9}".as_bytes(), &longest, &mut rng(2)).unwrap();
    assert!(Store::unlock(&home.dir, &longest).is_ok());
}

#[test]
fn sto_12_a_weak_cost_makes_no_profile() {
    let home = Home::empty();
    let weak = Cost { memory_kib: COST.memory_kib - 1, ..COST };
    let refused = Store::create(&home.dir, PASSPHRASE, weak, &mut rng(1)).err();
    assert_eq!(refused, Some(StoreError::Weak));
    assert_eq!(home.unlock().err(), Some(StoreError::NoProfile));
    assert!(Store::create(&home.dir, PASSPHRASE, COST, &mut rng(1)).is_ok());
}
