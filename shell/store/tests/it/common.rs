//! A profile in a temporary directory, and changes to save in it.

use crypto::Zeroizing;
use crypto::password::Cost;
use crypto::rand_core::SeedableRng;
use engine::changes::{Change, Changes, Event, EventKind, Message, MessageState, Table};
use rand_chacha::ChaCha20Rng;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use store::{ProfileDir, Store, StoreError};

/// The floor of STO-12.
pub(crate) const COST: Cost = Cost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
pub(crate) const PASSPHRASE: &[u8] = b"correct horse";
pub(crate) const ALICE: [u8; 16] = [0xa1; 16];
pub(crate) const BOB: [u8; 16] = [0xb0; 16];

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A profile that is removed with the test.
pub(crate) struct Home {
    _root: tempfile::TempDir,
    pub(crate) path: PathBuf,
    pub(crate) dir: ProfileDir,
}

impl Home {
    pub(crate) fn empty() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("pvtcoms/alice");
        let dir = ProfileDir::create(&path).unwrap();
        Self { _root: root, path, dir }
    }

    pub(crate) fn with_profile() -> (Self, Store) {
        let home = Self::empty();
        let store = Store::create(&home.dir, PASSPHRASE, COST, &mut rng(1)).unwrap();
        (home, store)
    }

    pub(crate) fn unlock(&self) -> Result<Store, StoreError> {
        Store::unlock(&self.dir, PASSPHRASE)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file as if it had been there.
    pub(crate) fn put_file(&self, name: &str, bytes: &[u8]) {
        fs::write(self.file(name), bytes).unwrap();
        fs::set_permissions(self.file(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Every regular file below the profile, with its content.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        files_below(&self.path)
    }
}

pub(crate) fn files_below(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.push((path, bytes));
        }
    }
    found.sort();
    found
}

pub(crate) fn contains(bytes: &[u8], marker: &[u8]) -> bool {
    bytes.windows(marker.len()).any(|window| window == marker)
}

pub(crate) fn id(n: u64) -> [u8; 16] {
    u128::from(n).to_be_bytes()
}

pub(crate) fn put(table: Table, key: &[u8], value: &[u8]) -> Change {
    Change::Put { table, key: key.to_vec(), value: Zeroizing::new(value.to_vec()) }
}

pub(crate) fn message(contact: [u8; 16], n: u64, state: MessageState, text: &str) -> Change {
    Change::Message(Message {
        id: id(n),
        contact,
        state,
        text: Zeroizing::new(text.to_owned()),
        sent: 1_000 + n,
        saved: 2_000 + n,
        since: 2_000 + n,
        timer: 0,
    })
}

pub(crate) fn with_timer(contact: [u8; 16], n: u64, state: MessageState, timer: u32) -> Change {
    match message(contact, n, state, &n.to_string()) {
        Change::Message(message) => Change::Message(Message { timer, ..message }),
        other => other,
    }
}

pub(crate) fn event(n: u64) -> Change {
    Change::Event(Event {
        kind: EventKind::Message,
        contact: Some(ALICE),
        message: Some(id(n)),
        at: n,
    })
}

pub(crate) fn save(store: &mut Store, changes: Vec<Change>) {
    store.save(&Changes(changes)).unwrap();
}

/// All rows of the engine's tables, so that two states can be compared.
pub(crate) fn rows(store: &Store) -> Vec<(Table, Vec<u8>, Vec<u8>)> {
    store.load().unwrap().0.into_iter().map(|(t, k, v)| (t, k, v.to_vec())).collect()
}

pub(crate) fn texts(messages: &[store::StoredMessage]) -> Vec<&str> {
    messages.iter().map(|stored| stored.message.text.as_str()).collect()
}
