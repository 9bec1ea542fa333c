//! SQLCipher database, key slots, profile directory.
//!
//! [`Store`] saves what a step of the engine changed, in one transaction, and hands back what was
//! saved; nothing of a profile is on the disk in any other place. The bytes, the order of opening
//! and the reasons are `docs/spec/store.md` (STO-1 to STO-34).

mod backup;
mod damage;
mod error;
mod events;
mod folder;
mod forget;
mod history;
mod key;
mod migrate;
mod open;
mod passphrase;
mod place;
mod profile;
mod save;
mod slots;
mod store;

pub use backup::{
    BackupError, BackupReport, BackupSource, Carry, RestoreReport, RestoreTerms, Stamp,
};
pub use error::StoreError;
pub use events::StoredEvent;
pub use folder::{FolderError, read_whole, save_file};
pub use history::{Counts, ROW_BYTES, StoredMessage};
pub use passphrase::DEFAULT_COST;
pub use profile::{ProfileDir, ProfileLock};
pub use store::Store;
