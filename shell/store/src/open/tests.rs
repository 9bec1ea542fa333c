use super::*;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Some settings belong to the whole process, and these tests spoil them.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

fn key() -> DbKey {
    DbKey::copy_of(&[0x4b; 32])
}

/// Opens a new, empty database under `plan`.
fn open_new(plan: &Plan, role: Role) -> Result<(), StoreError> {
    let root = tempfile::tempdir().unwrap();
    let dir = ProfileDir::create(&root.path().join("profile")).unwrap();
    let file = DatabaseFile::create(&dir).unwrap();
    open_with(plan, &file, &key(), role).map(|_| ())
}

#[test]
fn db_1_the_unchanged_plan_opens() {
    let _guard = alone();
    assert_eq!(open_new(&Plan::hard(), Role::Writer), Ok(()));
    assert_eq!(open_new(&Plan::hard(), Role::Reader), Ok(()));
}

/// DB-1, STO-5: every value spoilt in turn is an error of that name.
#[test]
fn db_1_each_pragma_changed_in_turn_is_a_named_error() {
    let _guard = alone();
    let spoilt = [
        ("cipher_log_level", "WARN"),
        ("kdf_iter", "600000"),
        ("secure_delete", "OFF"),
        ("secure_delete", "FAST"),
        ("trusted_schema", "ON"),
        ("foreign_keys", "OFF"),
        ("temp_store", "FILE"),
        ("temp_store", "DEFAULT"),
        ("cache_size", "-2000"),
        ("cell_size_check", "OFF"),
        ("synchronous", "NORMAL"),
        ("synchronous", "OFF"),
    ];
    for (name, value) in spoilt {
        let mut plan = Plan::hard();
        let settings = plan.before_key.iter_mut().chain(&mut plan.after_key);
        settings.filter(|setting| setting.0 == name).for_each(|setting| setting.1 = value);
        assert_eq!(open_new(&plan, Role::Writer), Err(StoreError::Pragma(name)), "{value}");
    }
    // What the plan leaves as SQLCipher has it.
    for (name, value) in [
        ("cipher_use_hmac", "OFF"),
        ("cipher_page_size", "8192"),
        ("cipher_hmac_algorithm", "HMAC_SHA1"),
        ("cipher_kdf_algorithm", "PBKDF2_HMAC_SHA1"),
        ("cipher_plaintext_header_size", "32"),
    ] {
        let mut plan = Plan::hard();
        plan.after_key.push((name, value));
        assert_eq!(open_new(&plan, Role::Writer), Err(StoreError::Pragma(name)));
    }
    for mode in ["DELETE", "MEMORY", "OFF"] {
        let plan = Plan { journal_mode: mode, ..Plan::hard() };
        assert_eq!(open_new(&plan, Role::Writer), Err(StoreError::Pragma("journal_mode")));
    }
    let plan = Plan { query_only: "OFF", ..Plan::hard() };
    assert_eq!(open_new(&plan, Role::Reader), Err(StoreError::Pragma("query_only")));
}

/// Whatever the libraries answer, another expectation is an error: nothing is read and ignored.
#[test]
fn sto_5_each_value_read_back_is_compared() {
    let _guard = alone();
    for at in 0..Plan::hard().texts.len() {
        let mut plan = Plan::hard();
        plan.texts[at].1 = "2";
        assert_eq!(open_new(&plan, Role::Writer), Err(StoreError::Pragma(plan.texts[at].0)));
    }
    for at in 0..Plan::hard().integers.len() {
        let mut plan = Plan::hard();
        plan.integers[at].1 += 1;
        assert_eq!(open_new(&plan, Role::Writer), Err(StoreError::Pragma(plan.integers[at].0)));
    }
}

/// Which settings would be right by the defaults of the pinned version. If a default moves, this
/// list does, and somebody looks.
#[test]
fn db_1_each_pragma_skipped_in_turn_is_seen_or_known_to_be_a_default() {
    let _guard = alone();
    let mut by_default = Vec::new();
    let names: Vec<_> = Plan::hard().after_key.iter().map(|(name, _)| *name).collect();
    for name in names {
        let mut plan = Plan::hard();
        plan.after_key.retain(|setting| setting.0 != name);
        match open_new(&plan, Role::Writer) {
            Ok(()) => by_default.push(name),
            Err(error) => assert_eq!(error, StoreError::Pragma(name)),
        }
    }
    assert_eq!(
        by_default,
        ["kdf_iter", "secure_delete", "foreign_keys", "mmap_size", "synchronous"]
    );
}

/// It can be switched on for a process, never off: only a process of its own shows it missing.
#[test]
fn db_1_memory_security_skipped_is_a_named_error() {
    in_a_process_of_its_own("open::tests::child_without_memory_security");
}

#[test]
#[ignore = "alone in a process of its own, by the test above"]
fn child_without_memory_security() {
    let mut plan = Plan::hard();
    plan.before_key.retain(|setting| setting.0 != MEMORY_SECURITY);
    assert_eq!(open_new(&plan, Role::Writer), Err(StoreError::Pragma(MEMORY_SECURITY)));
    assert_eq!(open_new(&Plan::hard(), Role::Writer), Ok(()));
}

/// Trap: it is off by default, holds for the whole process, and can never be switched off again.
#[test]
fn sto_5_memory_security_is_off_until_set_and_then_on_for_ever() {
    in_a_process_of_its_own("open::tests::child_with_memory_security");
}

#[test]
#[ignore = "alone in a process of its own, by the test above"]
fn child_with_memory_security() {
    let connection = Connection::open_in_memory().unwrap();
    assert_eq!(ask::<String>(&connection, MEMORY_SECURITY).unwrap(), "0");
    assert_eq!(open_new(&Plan::hard(), Role::Writer), Ok(()));
    set(&connection, MEMORY_SECURITY, "OFF").unwrap();
    assert_eq!(ask::<String>(&connection, MEMORY_SECURITY).unwrap(), "1");
}

const MEMORY_SECURITY: &str = "cipher_memory_security";

fn in_a_process_of_its_own(test: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test])
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
}

/// SC-3, STO-1, STO-2.
#[test]
fn sc_3_sto_1_sto_2_linked_libraries_are_the_pinned_ones_and_above_their_floors() {
    let _guard = alone();
    let connection = Connection::open_in_memory().unwrap();
    key().apply(&connection).unwrap();
    assert_eq!(floors(&connection), Ok(()));
    assert_eq!(rusqlite::version(), "3.51.3");
    let asked = |name| version(&ask::<String>(&connection, name).unwrap());
    assert_eq!(asked("cipher_version"), Some([4, 14, 0]));
    assert_eq!(asked("cipher_provider_version"), Some([3, 6, 3]));

    assert_eq!(version("OpenSSL 3.0.17 1 Jul 2025"), Some([3, 0, 17]));
    assert!(version("OpenSSL 3.0.17 1 Jul 2025") < Some([3, 5, 5]));
    assert_eq!(version("LibreSSL"), None);
    assert_eq!(version("1.2.3.4"), None);
}

/// Trap: an unkeyed new file is silently plaintext.
#[test]
fn sto_5_an_unkeyed_connection_is_seen() {
    let connection = Connection::open_in_memory().unwrap();
    assert_eq!(read_back(&Plan::hard(), &connection), Err(StoreError::Pragma("kdf_iter")));
    assert_eq!(floors(&connection), Err(StoreError::Floor("OpenSSL")));
}

fn profile(root: &Path) -> (ProfileDir, DatabaseFile) {
    let dir = ProfileDir::create(&root.join("profile")).unwrap();
    let file = DatabaseFile::create(&dir).unwrap();
    let mut connection = open_hard(&file, &key(), Role::Writer).unwrap();
    crate::migrate::migrate(&mut connection).unwrap();
    keep_log_on_close(&connection, false).unwrap();
    connection.close().unwrap();
    (dir, file)
}

/// Trap: error 26 at the first read, the same as for a damaged first page.
#[test]
fn sto_4_another_key_is_seen_at_the_first_page() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (_dir, file) = profile(root.path());
    assert!(open_hard(&file, &key(), Role::Writer).is_ok());
    let other = open_hard(&file, &DbKey::copy_of(&[0x4c; 32]), Role::Writer);
    assert_eq!(other.err(), Some(StoreError::Damaged { salvage: None }));
}

/// Trap: a raw key of 31 bytes is taken for a passphrase; the first page then does not open.
#[test]
fn sto_7_a_short_raw_key_is_caught_by_the_first_read() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (dir, _file) = profile(root.path());
    let read = |key: &str| {
        let connection = Connection::open(dir.join(DATABASE)).unwrap();
        set(&connection, "key", &format!("\"{key}\"")).unwrap();
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0))
    };
    assert!(read(&format!("x'{}'", "4b".repeat(32))).is_ok(), "control");
    let refused = read(&format!("x'{}'", "4b".repeat(31))).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase));
}

#[test]
fn sto_4_plaintext_missing_empty_and_linked_files_are_refused() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let dir = ProfileDir::create(&root.path().join("profile")).unwrap();
    let damaged = Some(StoreError::Damaged { salvage: None });
    assert_eq!(DatabaseFile::existing(&dir).err(), damaged);
    dir.write_new(DATABASE, &[]).unwrap();
    assert_eq!(DatabaseFile::existing(&dir).err(), damaged);

    let plain = Connection::open(dir.join(DATABASE)).unwrap();
    plain.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(plain);
    assert_eq!(DatabaseFile::existing(&dir).err(), Some(StoreError::Plaintext));

    let (other, _) = profile(&root.path().join("elsewhere"));
    dir.remove(DATABASE).unwrap();
    std::os::unix::fs::symlink(other.join(DATABASE), dir.join(DATABASE)).unwrap();
    let linked = DatabaseFile::existing(&dir).unwrap();
    let refused = open_hard(&linked, &key(), Role::Writer).err();
    assert_eq!(refused, Some(StoreError::Permission(DATABASE)));
}

#[test]
fn sto_6_a_reader_cannot_write() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (_dir, file) = profile(root.path());
    let insert = "INSERT INTO seen VALUES (x'00', x'00')";
    let reader = open_hard(&file, &key(), Role::Reader).unwrap();
    assert!(reader.execute_batch(insert).is_err());
    let writer = open_hard(&file, &key(), Role::Writer).unwrap();
    writer.execute_batch(insert).unwrap();
}
