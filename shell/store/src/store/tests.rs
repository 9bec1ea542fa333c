use super::*;
use crate::open::tests::alone;
use crypto::rand_core::SeedableRng;
use engine::changes::{Change, Changes, Table};
use rand_chacha::ChaCha20Rng;
use std::path::Path;

const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

fn create(path: &Path) -> (ProfileDir, Store) {
    let dir = ProfileDir::create(&path.join("profile")).unwrap();
    let store = Store::create(&dir, b"pass", COST, &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
    (dir, store)
}

fn put(key: u8, len: usize) -> Change {
    Change::Put { table: Table::Outbox, key: vec![key], value: vec![key; len].into() }
}

fn keys(store: &Store) -> Vec<Vec<u8>> {
    store.load().unwrap().0.into_iter().map(|(_, key, _)| key).collect()
}

#[test]
fn sto_24_a_full_disk_is_named_and_leaves_nothing_half_written() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (dir, mut store) = create(root.path());
    store.save(&Changes(vec![put(1, 100)])).unwrap();
    let pages: i64 = store.writer.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = |store: &Store, pages: i64| {
        store.writer.pragma_update(None, "max_page_count", pages).unwrap();
    };
    limit(&store, pages + 3);
    let big = Changes(vec![put(2, 100), put(1, 5000), put(3, 100_000)]);
    assert_eq!(store.save(&big), Err(StoreError::DiskFull));
    assert_eq!(keys(&store), [[1]]);
    assert_eq!(store.load().unwrap().0[0].2.len(), 100);

    // Room again: the same step is saved, without a new unlock.
    limit(&store, 1_000_000);
    store.save(&big).unwrap();
    drop(store);
    let store = Store::unlock(&dir, b"pass").unwrap();
    assert_eq!(keys(&store), [[1], [2], [3]]);
}

#[test]
fn sto_30_a_newer_database_is_refused_untouched() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (dir, mut store) = create(root.path());
    store.save(&Changes(vec![put(1, 100)])).unwrap();
    drop(store);
    let content = || {
        DATABASE_FILES.map(|name| std::fs::read(dir.join(name)).ok().filter(|all| !all.is_empty()))
    };
    let known = {
        let key = read_slots(&dir).unwrap().open(b"pass").unwrap().key;
        let file = DatabaseFile::existing(&dir).unwrap();
        let writer = open_hard(&file, &key, Role::Writer).unwrap();
        let known = user_version(&writer).unwrap();
        // Left in the log: a refusal must not move it into the database either.
        writer.pragma_update(None, "user_version", known + 1).unwrap();
        known
    };
    let before = content();
    assert!(before[1].is_some());
    for _ in 0..2 {
        let refused = StoreError::NewerVersion { found: known + 1, known };
        assert_eq!(Store::unlock(&dir, b"pass").err(), Some(refused));
        let after = content();
        assert_eq!((&before[0], &before[1]), (&after[0], &after[1]));
    }
}

#[test]
fn sto_4_a_database_without_a_schema_is_damage_not_a_new_profile() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (dir, store) = create(root.path());
    drop(store);
    let key = read_slots(&dir).unwrap().open(b"pass").unwrap().key;
    dir.remove(DATABASE).unwrap();
    let file = DatabaseFile::create(&dir).unwrap();
    let writer = open_hard(&file, &key, Role::Writer).unwrap();
    writer.execute_batch("CREATE TABLE t (x) STRICT").unwrap_err();
    writer.execute_batch("CREATE TABLE t (x ANY) STRICT").unwrap();
    keep_log_on_close(&writer, false).unwrap();
    drop(writer);
    assert_eq!(Store::unlock(&dir, b"pass").err(), Some(StoreError::Damaged { salvage: Some(1) }));
}

#[test]
fn sto_8_a_creation_that_was_interrupted_is_begun_again() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (dir, store) = create(root.path());
    drop(store);
    // As a crash between the two renames leaves it: the database in place, the slots not yet.
    let slots = dir.read(SLOTS, 640).unwrap();
    dir.remove(SLOTS).unwrap();
    assert_eq!(Store::unlock(&dir, b"pass").err(), Some(StoreError::SlotsMissing));
    let again = |seed| Store::create(&dir, b"new", COST, &mut ChaCha20Rng::seed_from_u64(seed));
    assert_eq!(again(2).err(), Some(StoreError::SlotsMissing), "its slots may be in a backup");
    dir.nursery().unwrap().write_new(SLOTS, &slots).unwrap();
    assert_eq!(Store::unlock(&dir, b"pass").err(), Some(StoreError::NoProfile));
    drop(again(2).unwrap());
    assert!(Store::unlock(&dir, b"new").is_ok());
    assert_eq!(again(3).err(), Some(StoreError::Exists));
}

/// STO-8, BAK-8: an end before each change of the directory in turn.
#[test]
fn bak_8_sto_8_wherever_a_profile_that_is_made_is_cut_off_there_is_none_or_a_whole_one() {
    let _guard = alone();
    let (mut none, mut whole) = (0, 0);
    for changes in 0.. {
        let root = tempfile::tempdir().unwrap();
        let dir = ProfileDir::create(&root.path().join("profile")).unwrap();
        let build = |seed| {
            let rng = &mut ChaCha20Rng::seed_from_u64(seed);
            Store::build(&dir, b"pass", COST, rng, |connection| {
                let sql = "INSERT INTO seen (key, value) VALUES (x'01', x'02')";
                connection.execute(sql, [])?;
                Ok::<(), StoreError>(())
            })
            .map(|(store, ())| store)
        };
        crate::profile::after(changes);
        let ended = build(1).map(drop).is_ok();
        crate::profile::after(u32::MAX);
        if Store::exists(&dir) {
            assert_eq!(keys(&Store::unlock(&dir, b"pass").unwrap()), [[1]], "{changes}");
            whole += 1;
        } else {
            assert_eq!(Store::unlock(&dir, b"pass").err(), Some(StoreError::NoProfile));
            assert_eq!(keys(&build(2).unwrap()), [[1]], "{changes}");
            none += 1;
        }
        if ended {
            break;
        }
    }
    assert!(none >= 6 && whole >= 2, "{none} {whole}");
}

#[test]
fn sto_24_after_a_failed_write_nothing_is_written_until_the_next_unlock() {
    let _guard = alone();
    let root = tempfile::tempdir().unwrap();
    let (dir, mut store) = create(root.path());
    let failed =
        store.write(|_| -> Result<(), _> { Err(StoreError::Io(std::io::ErrorKind::Other)) });
    assert_eq!(failed, Err(StoreError::Io(std::io::ErrorKind::Other)));
    assert_eq!(store.save(&Changes(vec![put(1, 1)])), Err(StoreError::Broken));
    assert_eq!(store.forget_due(engine::Due { now: 0, since_before: 0 }), Err(StoreError::Broken));
    drop(store);
    let mut store = Store::unlock(&dir, b"pass").unwrap();
    store.save(&Changes(vec![put(1, 1)])).unwrap();
}
