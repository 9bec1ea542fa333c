use crate::common::{COST, Home, PASSPHRASE, contains, message, put, rng, save};
use engine::changes::{Changes, MessageState, Table};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use store::{ProfileDir, Store, StoreError};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn prd_16_everything_is_ours_alone() {
    let (home, mut store) = Home::with_profile();
    let _lock = home.dir.lock().unwrap();
    save(&mut store, vec![put(Table::Profile, b"", b"x")]);
    assert_eq!(mode(&home.path), 0o700);
    assert_eq!(mode(home.path.parent().unwrap()), 0o700);
    let names: Vec<_> = home
        .files()
        .into_iter()
        .map(|(path, _)| {
            assert_eq!(mode(&path), 0o600, "{path:?}");
            path.file_name().unwrap().to_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(names, ["lock", "pvtcoms.db", "pvtcoms.db-shm", "pvtcoms.db-wal", "slots.bin"]);
}

#[test]
fn prd_16_what_others_may_touch_is_refused_by_name() {
    let (home, store) = Home::with_profile();
    drop(store);
    assert!(ProfileDir::open(&home.path).is_ok(), "control");
    for (name, what) in [("slots.bin", "slots.bin"), ("pvtcoms.db", "pvtcoms.db")] {
        fs::set_permissions(home.file(name), Permissions::from_mode(0o640)).unwrap();
        assert_eq!(ProfileDir::open(&home.path).err(), Some(StoreError::Permission(what)));
        fs::set_permissions(home.file(name), Permissions::from_mode(0o600)).unwrap();
    }
    fs::set_permissions(&home.path, Permissions::from_mode(0o750)).unwrap();
    let refused = Some(StoreError::Permission("profile directory"));
    assert_eq!(ProfileDir::open(&home.path).err(), refused);
    fs::set_permissions(&home.path, Permissions::from_mode(0o700)).unwrap();

    fs::rename(home.file("slots.bin"), home.file("elsewhere")).unwrap();
    symlink(home.file("elsewhere"), home.file("slots.bin")).unwrap();
    assert_eq!(ProfileDir::open(&home.path).err(), Some(StoreError::Permission("slots.bin")));
    assert_eq!(ProfileDir::open(&home.file("none")).err(), Some(StoreError::NoProfile));
}

#[test]
fn prd_16_a_second_holder_is_refused() {
    let home = Home::empty();
    let lock = home.dir.lock().unwrap();
    let other = ProfileDir::open(&home.path).unwrap();
    assert_eq!(other.lock().err(), Some(StoreError::InUse));
    drop(lock);
    assert!(other.lock().is_ok());
}

/// Another process, and what it holds is free when it was killed.
#[test]
fn prd_16_a_killed_holder_holds_nothing() {
    let home = Home::empty();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "profile::child_that_holds_the_lock"])
        .env("STORE_TEST_PROFILE", &home.path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("holding")));
    assert_eq!(home.dir.lock().err(), Some(StoreError::InUse));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(home.dir.lock().is_ok());
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn child_that_holds_the_lock() {
    let path = std::env::var_os("STORE_TEST_PROFILE").unwrap();
    let _lock = ProfileDir::open(Path::new(&path)).unwrap().lock().unwrap();
    println!("\nholding");
    std::io::stdout().flush().unwrap();
    // Returns when the parent is gone, too.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn sto_8_a_profile_is_created_once_and_looked_for_before_it_is_unlocked() {
    let home = Home::empty();
    assert!(!Store::exists(&home.dir));
    assert_eq!(home.unlock().err(), Some(StoreError::NoProfile));
    drop(Store::create(&home.dir, PASSPHRASE, COST, &mut rng(1)).unwrap());
    assert!(Store::exists(&home.dir));
    let again = Store::create(&home.dir, PASSPHRASE, COST, &mut rng(2));
    assert_eq!(again.err(), Some(StoreError::Exists));
    let names: Vec<_> = home.files().into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, [home.file("pvtcoms.db"), home.file("slots.bin")]);
    assert_eq!(fs::read(home.file("slots.bin")).unwrap().len(), 640);
}

/// Two profiles never share a byte of key: neither file opens with the other's passphrase file.
#[test]
fn sto_8_slots_of_another_profile_do_not_open_this_database() {
    let (home, store) = Home::with_profile();
    drop(store);
    let other = Home::empty();
    drop(Store::create(&other.dir, PASSPHRASE, COST, &mut rng(2)).unwrap());
    fs::copy(other.file("slots.bin"), home.file("slots.bin")).unwrap();
    assert!(matches!(home.unlock(), Err(StoreError::Damaged { salvage: Some(1) })));
}

/// Section 2: what was said is in no file, in no file name and not on stderr.
#[test]
fn db_1_texts_and_rows_are_in_no_file_and_control_they_are_in_an_unkeyed_one() {
    const TEXT: &str = "the heron flies at noon";
    const VALUE: &[u8] = b"ratchet state of the heron";
    let (home, mut store) = Home::with_profile();
    save(&mut store, (0..200).map(|n| message([1; 16], n, MessageState::Received, TEXT)).collect());
    save(&mut store, vec![put(Table::Ratchet, b"heron key", VALUE)]);
    let clean = |home: &Home| {
        home.files().iter().all(|(_, bytes)| {
            [TEXT.as_bytes(), VALUE, b"heron key", b"CREATE TABLE", b"SQLite format", PASSPHRASE]
                .iter()
                .all(|marker| !contains(bytes, marker))
        })
    };
    // With the log full, and after it was moved into the database.
    assert!(fs::metadata(home.file("pvtcoms.db-wal")).unwrap().len() > 0);
    assert!(clean(&home));
    drop(store);
    assert!(clean(&home));

    let twin = Home::empty();
    let plain = rusqlite::Connection::open(twin.file("plain.db")).unwrap();
    plain.pragma_update(None, "journal_mode", "WAL").unwrap();
    plain.execute_batch("CREATE TABLE t (x TEXT)").unwrap();
    plain.execute("INSERT INTO t VALUES (?1)", [TEXT]).unwrap();
    let found = |name: &str| contains(&fs::read(twin.file(name)).unwrap(), TEXT.as_bytes());
    assert!(found("plain.db-wal"), "control");
    drop(plain);
    assert!(found("plain.db"), "control");
}

#[test]
fn db_1_a_failed_unlock_prints_nothing() {
    let (home, store) = Home::with_profile();
    drop(store);
    let mut database = fs::read(home.file("pvtcoms.db")).unwrap();
    database[100] ^= 1;
    fs::write(home.file("pvtcoms.db"), database).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "profile::child_that_fails_to_unlock"])
        .env("STORE_TEST_PROFILE", &home.path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"));
    assert_eq!(String::from_utf8_lossy(&child.stderr), "");

    let control = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "profile::child_that_fails_and_says_so"])
        .env("STORE_TEST_PROFILE", &home.path)
        .output()
        .unwrap();
    assert!(control.status.success(), "{control:?}");
    assert_ne!(String::from_utf8_lossy(&control.stderr), "");
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn child_that_fails_to_unlock() {
    let path = std::env::var_os("STORE_TEST_PROFILE").unwrap();
    let dir = ProfileDir::open(Path::new(&path)).unwrap();
    assert!(matches!(Store::unlock(&dir, PASSPHRASE), Err(StoreError::Damaged { .. })));
    assert_eq!(Store::unlock(&dir, b"wrong").err(), Some(StoreError::WrongPassphrase));
}

/// SQLCipher as it is when nobody tells it to be quiet.
#[test]
#[ignore = "in a process of its own, by the test above"]
fn child_that_fails_and_says_so() {
    let path = std::env::var_os("STORE_TEST_PROFILE").unwrap();
    let connection = rusqlite::Connection::open(Path::new(&path).join("pvtcoms.db")).unwrap();
    connection.pragma_update(None, "key", "x'00'").unwrap();
    connection.execute_batch("SELECT count(*) FROM sqlite_schema").unwrap_err();
}

#[test]
fn sto_4_a_store_can_move_to_another_thread() {
    let (_home, mut store) = Home::with_profile();
    std::thread::spawn(move || store.save(&Changes::default()).unwrap()).join().unwrap();
}
