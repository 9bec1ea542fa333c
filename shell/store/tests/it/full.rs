//! The system refuses a write in the middle of a step.

use crate::common::{Home, PASSPHRASE, put, rows, save};
use engine::changes::{Changes, Table};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::path::Path;
use std::process::Command;
use store::{ProfileDir, Store, StoreError};

#[test]
fn sto_24_a_refused_write_leaves_nothing_half_written() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![put(Table::Ratchet, b"k", b"before")]);
    let before = rows(&store);
    drop(store);
    // A shell, because only what starts the process can have it ignore the signal of the limit.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "full::child_with_a_small_limit"])
        .env("STORE_TEST_PROFILE", &home.path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{child:?}");
    assert!(String::from_utf8_lossy(&child.stdout).contains("1 passed"), "{child:?}");
    let mut store = home.unlock().unwrap();
    assert_eq!(rows(&store), before);
    save(&mut store, vec![put(Table::Ratchet, b"k", b"after")]);
}

#[test]
#[ignore = "in a process of its own, by the test above"]
fn child_with_a_small_limit() {
    let path = std::env::var_os("STORE_TEST_PROFILE").unwrap();
    let dir = ProfileDir::open(Path::new(&path)).unwrap();
    let mut store = Store::unlock(&dir, PASSPHRASE).unwrap();
    let before = rows(&store);
    let bytes = std::fs::metadata(Path::new(&path).join("pvtcoms.db")).unwrap().len();
    setrlimit(Resource::Fsize, Rlimit { current: Some(bytes), maximum: None }).unwrap();
    let step = Changes(vec![
        put(Table::Ratchet, b"k", b"half"),
        put(Table::Outbox, b"big", &vec![1; 3_000_000]),
    ]);
    assert!(matches!(store.save(&step), Err(StoreError::Io(_))));
    assert_eq!(rows(&store), before);
    // What the system did with the refused pages is not known: nothing is written after it.
    setrlimit(Resource::Fsize, Rlimit { current: None, maximum: None }).unwrap();
    assert_eq!(store.save(&Changes::default()), Err(StoreError::Broken));
}
