//! Into a file and back: whole, or not at all, and by a typed error.

use crate::common::{
    ALICE, BOB, COST, Home, PASSPHRASE, contains, id, message, put, rng, rows, save, texts,
    with_timer,
};
use crypto::Zeroizing;
use crypto::password::Cost;
use engine::Due;
use engine::changes::{Change, MessageState, Table};
use proptest::prelude::*;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use store::{
    BackupError, BackupReport, Carry, ProfileDir, RestoreReport, RestoreTerms, Stamp, Store,
    StoreError,
};

const OTHER: &[u8] = b"battery staple";
const STAMP: Stamp = Stamp { made: 77, private_network: false };
const TERMS: RestoreTerms = RestoreTerms { private_network: false, now: 0 };
/// Rows as they are: what the engine makes of them is the engine's test.
const AS_THEY_ARE: Carry = |_, _, value| Ok(Some(value));

fn back_up(store: &Store, to: &Path) -> Result<BackupReport, BackupError> {
    let source = store.backup_source()?;
    source.write(to, OTHER, COST, STAMP, AS_THEY_ARE, &mut rng(5), &mut |_, _| true)
}

fn restore(home: &Home, from: &Path) -> Result<(Store, RestoreReport), BackupError> {
    restore_with(home, from, OTHER, &TERMS)
}

fn restore_with(
    home: &Home,
    from: &Path,
    passphrase: &[u8],
    terms: &RestoreTerms,
) -> Result<(Store, RestoreReport), BackupError> {
    let (rng, progress) = (&mut rng(6), &mut |_: u64, _: u64| true);
    Store::restore(&home.dir, from, passphrase, PASSPHRASE, COST, terms, AS_THEY_ARE, rng, progress)
}

/// A profile with something in every table, and where its backup goes.
fn furnished(messages: u64) -> (Home, Store, PathBuf) {
    let (home, mut store) = Home::with_profile();
    save(&mut store, Table::ALL.map(|table| put(table, b"key", table.name().as_bytes())).into());
    let mut changes = Vec::new();
    for n in 0..messages {
        let (contact, state) =
            if n % 3 == 0 { (ALICE, MessageState::Received) } else { (BOB, MessageState::Stored) };
        changes.push(message(contact, n, state, &format!("text {n} {}", "x".repeat(900))));
    }
    save(&mut store, changes);
    store.mark_read(1, 0).unwrap();
    let to = home.path.parent().unwrap().join("alice.backup");
    (home, store, to)
}

fn kept(store: &Store) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    let left_out = [Table::Ratchet, Table::Invite, Table::Cursor, Table::File, Table::FilePart];
    rows(store).into_iter().filter(|(table, ..)| !left_out.contains(table)).collect()
}

#[test]
fn bak_5_bak_7_what_is_backed_up_comes_back_and_ratchets_do_not() {
    let (home, store, to) = furnished(200);
    let report = back_up(&store, &to).unwrap();
    assert_eq!(report.messages, 200);
    let length = fs::metadata(&to).unwrap();
    assert_eq!((length.len(), length.permissions().mode() & 0o7777), (report.bytes, 0o600));
    assert_eq!((report.bytes - 128) % 65_552, 0);
    let beside: Vec<_> = fs::read_dir(to.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 2, "nothing unfinished is left");

    let new = Home::empty();
    let (restored, told) = restore(&new, &to).unwrap();
    assert_eq!(told, RestoreReport { stamp: STAMP, messages: 200, over: 0 });
    assert_eq!(rows(&restored), kept(&store));
    assert_eq!(kept(&store).len(), 7);
    for contact in [ALICE, BOB] {
        let (a, b) = (store.history(&contact, None, 999), restored.history(&contact, None, 999));
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(texts(&a), texts(&b));
        let states = |page: &[store::StoredMessage]| {
            let one = |m: &store::StoredMessage| {
                (m.message.id, m.message.state, m.message.sent, m.message.saved, m.read)
            };
            page.iter().map(one).collect::<Vec<_>>()
        };
        assert_eq!(states(&a), states(&b));
    }
    assert_eq!(restored.unread(usize::MAX).unwrap().len(), 66);
    drop(restored);
    // The new profile opens under its own passphrase, and not under the backup's.
    assert_eq!(Store::unlock(&new.dir, OTHER).err(), Some(StoreError::WrongPassphrase));
    assert!(new.unlock().is_ok());
    drop(home);
}

/// TH-4: neither a text nor a row nor a name of ours stands in the file.
#[test]
fn bak_3_nothing_stands_in_the_file_readably() {
    let (_home, store, to) = furnished(50);
    back_up(&store, &to).unwrap();
    let file = fs::read(&to).unwrap();
    for marker in [&b"text 7"[..], b"xxxxxxxx", b"contact", b"outbox", OTHER, PASSPHRASE] {
        assert!(!contains(&file, marker));
    }
    assert!(contains(&file, b"PVTCBACK"), "control");
}

#[test]
fn bak_4_the_size_of_a_small_backup_says_nothing() {
    let (_home, store, to) = furnished(0);
    let small = back_up(&store, &to).unwrap().bytes;
    let (_home, store, to) = furnished(900);
    assert_eq!(back_up(&store, &to).unwrap().bytes, small);
    let (_home, store, to) = furnished(2000);
    assert!(back_up(&store, &to).unwrap().bytes > small, "control");
}

#[test]
fn bak_3_bak_8_a_damaged_file_makes_no_profile() {
    let (_home, store, to) = furnished(40);
    back_up(&store, &to).unwrap();
    let good = fs::read(&to).unwrap();
    let mut turned = good.clone();
    turned[128 + 2 * 65_552 + 5] ^= 1;
    for (bytes, expected) in [
        (&turned[..], BackupError::Damaged { at: 128 + 2 * 65_552 }),
        (&good[..good.len() - 1], BackupError::Truncated { at: 128 + 15 * 65_552 }),
        (&[&good[..], b"x"].concat()[..], BackupError::Appended { at: 128 + 16 * 65_552 }),
        (&good[1..], BackupError::NotABackup),
    ] {
        let home = Home::empty();
        let from = home.path.parent().unwrap().join("broken");
        fs::write(&from, bytes).unwrap();
        assert_eq!(restore(&home, &from).err(), Some(expected));
        assert!(home.files().is_empty(), "half a profile is left");
    }
}

#[test]
fn bak_1_a_weak_cost_is_not_written() {
    let (_home, store, to) = furnished(0);
    let source = store.backup_source().unwrap();
    let weak = Cost { passes: 2, ..COST };
    let error = source.write(&to, OTHER, weak, STAMP, AS_THEY_ARE, &mut rng(5), &mut |_, _| true);
    assert_eq!(error, Err(BackupError::Store(StoreError::Weak)));
    assert!(!to.exists());
}

#[test]
fn bak_2_bak_8_another_passphrase_network_or_profile_makes_nothing() {
    let (home, store, to) = furnished(3);
    back_up(&store, &to).unwrap();
    let new = Home::empty();
    for wrong in [&b"battery stapl"[..], PASSPHRASE, b""] {
        let error = restore_with(&new, &to, wrong, &TERMS).err();
        assert_eq!(error, Some(BackupError::WrongPassphrase));
    }
    let private = RestoreTerms { private_network: true, ..TERMS };
    let error = restore_with(&new, &to, OTHER, &private).err();
    assert_eq!(error, Some(BackupError::OtherNetwork));
    let nowhere = to.with_extension("none");
    assert_eq!(restore(&new, &nowhere).err(), Some(BackupError::Missing));
    let folder = to.parent().unwrap();
    assert_eq!(restore(&new, folder).err(), Some(BackupError::NotABackup));
    assert!(new.files().is_empty());

    let before = home.files();
    let error = restore(&home, &to).err();
    assert_eq!(error, Some(BackupError::Store(StoreError::Exists)));
    assert_eq!(home.files(), before);
}

#[test]
fn bak_9_what_has_run_out_does_not_come_back() {
    let (_home, store, to) = furnished(100);
    back_up(&store, &to).unwrap();
    let new = Home::empty();
    // Saved at 2000 + n.
    let (mut restored, told) = restore(&new, &to).unwrap();
    assert_eq!((told.messages, told.over), (100, 0));
    assert_eq!(restored.forget_due(Due { now: 0, since_before: 2060 }), Ok(60));
    assert_eq!(restored.find_message(&id(59)).unwrap().len(), 0);
    assert_eq!(restored.find_message(&id(60)).unwrap().len(), 1);
}

/// A message that is due and was not swept yet, one whose timer runs, and one whose has not begun.
#[test]
fn bak_9_a_timer_that_has_run_out_is_not_carried() {
    let (_home, mut store, to) = furnished(0);
    save(&mut store, (1..4).map(|n| with_timer(ALICE, n, MessageState::Stored, 60)).collect());
    let begin = |n, at| Change::BeginTimer { contact: ALICE, id: id(n), at };
    save(&mut store, vec![begin(1, STAMP.made - 60), begin(2, STAMP.made)]);
    back_up(&store, &to).unwrap();
    let expires = |store: &Store| -> Vec<(u32, u64)> {
        let all = store.history(&ALICE, None, 10).unwrap();
        all.iter().map(|m| (m.message.timer, m.expires)).collect()
    };
    let (restored, told) = restore(&Home::empty(), &to).unwrap();
    assert_eq!(told.messages, 2, "one was over");
    assert_eq!(expires(&restored), [(60, STAMP.made + 60), (60, 0)]);
    assert_eq!(restored.find_message(&id(1)).unwrap().len(), 0);
    // By the time of restoring another one is over.
    let later = RestoreTerms { now: STAMP.made + 60, ..TERMS };
    let (restored, told) = restore_with(&Home::empty(), &to, OTHER, &later).unwrap();
    assert_eq!((told.messages, told.over), (1, 1));
    assert_eq!(expires(&restored), [(60, 0)]);
}

#[test]
fn bak_7_a_name_that_is_taken_or_nowhere_is_left_alone() {
    let (_home, store, to) = furnished(1);
    fs::write(&to, b"mine").unwrap();
    assert_eq!(back_up(&store, &to), Err(BackupError::Exists));
    assert_eq!(fs::read(&to).unwrap(), b"mine");
    assert_eq!(back_up(&store, Path::new("relative")), Err(BackupError::Path));
    let nowhere = to.parent().unwrap().join("no/such/folder");
    assert_eq!(back_up(&store, &nowhere), Err(BackupError::Missing));
    let link = to.with_extension("link");
    std::os::unix::fs::symlink(to.with_extension("target"), &link).unwrap();
    assert_eq!(back_up(&store, &link), Err(BackupError::Exists));
}

/// Somebody takes the name while the backup is written: that file stays.
#[test]
fn bak_7_a_name_that_is_taken_meanwhile_is_left_alone() {
    let (_home, store, to) = furnished(5);
    let source = store.backup_source().unwrap();
    let mut take = |_: u64, _: u64| {
        fs::write(&to, b"mine").unwrap();
        true
    };
    let error = source.write(&to, OTHER, COST, STAMP, AS_THEY_ARE, &mut rng(5), &mut take);
    assert_eq!(error, Err(BackupError::Exists));
    assert_eq!(fs::read(&to).unwrap(), b"mine");
    assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 2);
}

/// The disk loses a byte between writing and reading back.
#[test]
fn bak_7_what_does_not_read_back_is_no_backup() {
    let (_home, store, to) = furnished(40);
    let folder = to.parent().unwrap().to_owned();
    let source = store.backup_source().unwrap();
    let mut spoilt = 0;
    let mut spoil = |done: u64, total: u64| {
        if done == total / 2 + 1 {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|end| end == "part") {
                    let mut bytes = fs::read(&path).unwrap();
                    let at = bytes.len() - 10;
                    bytes[at] ^= 1;
                    fs::write(&path, bytes).unwrap();
                    spoilt += 1;
                }
            }
        }
        true
    };
    let error = source.write(&to, OTHER, COST, STAMP, AS_THEY_ARE, &mut rng(5), &mut spoil);
    assert_eq!(error, Err(BackupError::NotVerified));
    assert_eq!(spoilt, 1);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside the profile");
}

#[test]
fn bak_7_a_backup_that_is_given_up_leaves_nothing() {
    let (_home, store, to) = furnished(10);
    let source = store.backup_source().unwrap();
    let mut once = |done: u64, _: u64| done < 5;
    let error = source.write(&to, OTHER, COST, STAMP, AS_THEY_ARE, &mut rng(5), &mut once);
    assert_eq!(error, Err(BackupError::Cancelled));
    assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
    assert!(back_up(&store, &to).is_ok(), "control");
}

/// The store goes on meanwhile, and the backup is of the moment at which it began.
#[test]
fn bak_7_a_backup_is_of_one_moment() {
    let (_home, mut store, to) = furnished(4);
    let source = store.backup_source().unwrap();
    save(&mut store, vec![message(ALICE, 900, MessageState::Received, "later")]);
    save(&mut store, vec![put(Table::Contact, b"key", b"changed")]);
    let report =
        source.write(&to, OTHER, COST, STAMP, AS_THEY_ARE, &mut rng(5), &mut |_, _| true).unwrap();
    assert_eq!(report.messages, 4);
    let (restored, _) = restore(&Home::empty(), &to).unwrap();
    let contact = rows(&restored).into_iter().find(|(table, ..)| *table == Table::Contact);
    assert_eq!(contact.unwrap().2, b"contact");
}

#[test]
fn bak_7_a_full_disk_is_said_and_nothing_is_left() {
    let (home, store, to) = furnished(10);
    drop(store);
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "backup::child_with_a_small_limit"])
        .env("STORE_TEST_PROFILE", &home.path)
        .env("STORE_TEST_BACKUP", &to)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
    assert_eq!(fs::read_dir(to.parent().unwrap()).unwrap().count(), 1);
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn child_with_a_small_limit() {
    let path = std::env::var_os("STORE_TEST_PROFILE").unwrap();
    let to = PathBuf::from(std::env::var_os("STORE_TEST_BACKUP").unwrap());
    let dir = ProfileDir::open(Path::new(&path)).unwrap();
    let store = Store::unlock(&dir, PASSPHRASE).unwrap();
    setrlimit(Resource::Fsize, Rlimit { current: Some(600_000), maximum: None }).unwrap();
    assert_eq!(back_up(&store, &to), Err(BackupError::DiskFull));
}

/// BAK-8: killed while it fills the database; what lies there then is no obstacle.
#[test]
fn bak_8_a_restore_that_is_killed_leaves_no_profile() {
    let (_home, store, to) = furnished(30);
    back_up(&store, &to).unwrap();
    for after in [1, 7, 36] {
        let new = Home::empty();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", "backup::child_that_restores"])
            .env("STORE_TEST_PROFILE", &new.path)
            .env("STORE_TEST_BACKUP", &to)
            .env("STORE_TEST_AFTER", after.to_string())
            .output()
            .unwrap();
        assert!(!child.status.success(), "{child:?}");
        assert!(!new.files().is_empty(), "something was begun");
        assert!(!Store::exists(&new.dir));
        assert_eq!(new.unlock().err(), Some(StoreError::NoProfile));
        let (store, _) = restore(&new, &to).unwrap();
        assert_eq!(texts(&store.history(&BOB, None, 99).unwrap()).len(), 20);
        assert!(!new.file("new").exists());
    }
}

#[test]
#[ignore = "in a process of its own, that kills itself, by the test above"]
fn child_that_restores() {
    let variable = |name| std::env::var_os(name).unwrap();
    let dir = ProfileDir::open(Path::new(&variable("STORE_TEST_PROFILE"))).unwrap();
    let mut left: u32 = variable("STORE_TEST_AFTER").to_str().unwrap().parse().unwrap();
    let mut progress = |_: u64, _: u64| {
        left -= 1;
        if left == 0 {
            std::process::abort();
        }
        true
    };
    let from = PathBuf::from(variable("STORE_TEST_BACKUP"));
    let _ = Store::restore(
        &dir,
        &from,
        OTHER,
        PASSPHRASE,
        COST,
        &TERMS,
        AS_THEY_ARE,
        &mut rng(6),
        &mut progress,
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Rows and texts of any length and number, across the segments' borders.
    #[test]
    fn bak_6_whatever_a_profile_holds_round_trips(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..70_000), 0..20),
        texts_in in prop::collection::vec("\\PC{0,4000}", 0..40),
    ) {
        let (_home, mut store) = Home::with_profile();
        let outbox = values.iter().zip(0_u64..).map(|(v, n)| put(Table::Outbox, &id(n), v));
        save(&mut store, outbox.collect());
        let said = texts_in.iter().zip(0_u64..);
        save(&mut store, said.map(|(t, n)| message(BOB, n, MessageState::Received, t)).collect());
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("b");
        back_up(&store, &to).unwrap();
        let (restored, _) = restore(&Home::empty(), &to).unwrap();
        prop_assert_eq!(rows(&restored), kept(&store));
        let page = restored.history(&BOB, None, 999).unwrap();
        prop_assert_eq!(texts(&page), texts_in.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// A value that wipes itself is what rows are carried in.
#[test]
fn bak_5_the_engine_decides_what_is_carried() {
    let (_home, store, to) = furnished(2);
    let none: Carry = |_, _, _| Ok(None);
    let source = store.backup_source().unwrap();
    source.write(&to, OTHER, COST, STAMP, none, &mut rng(5), &mut |_, _| true).unwrap();
    let (restored, told) = restore(&Home::empty(), &to).unwrap();
    assert_eq!((rows(&restored).len(), told.messages), (0, 2));

    let (_home, store, to) = furnished(2);
    back_up(&store, &to).unwrap();
    let back: Carry = |_, _, _| Ok(Some(Zeroizing::new(b"other".to_vec())));
    let (new, progress) = (Home::empty(), &mut |_: u64, _: u64| true);
    let (restored, _) =
        Store::restore(&new.dir, &to, OTHER, PASSPHRASE, COST, &TERMS, back, &mut rng(6), progress)
            .unwrap();
    assert!(rows(&restored).iter().all(|(_, _, value)| value == b"other"));
}

/// Rows that the engine cannot read are in no backup, and out of none.
#[test]
fn bak_5_a_row_that_is_damaged_stops_it() {
    let bad: Carry = |_, _, _| Err(wire::Malformed::Short);
    let (_home, store, to) = furnished(2);
    let source = store.backup_source().unwrap();
    let error = source.write(&to, OTHER, COST, STAMP, bad, &mut rng(5), &mut |_, _| true);
    assert_eq!(error, Err(BackupError::Store(StoreError::Damaged { salvage: None })));
    back_up(&store, &to).unwrap();
    let (new, progress) = (Home::empty(), &mut |_: u64, _: u64| true);
    let error =
        Store::restore(&new.dir, &to, OTHER, PASSPHRASE, COST, &TERMS, bad, &mut rng(6), progress);
    assert_eq!(error.err(), Some(BackupError::Content));
    assert!(new.files().is_empty());
}
