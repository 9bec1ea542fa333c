//! The store as the daemon uses it, and as a disk, a thief and a power cut find it.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "test code")]

#[path = "it/backup.rs"]
mod backup;
#[path = "it/common.rs"]
mod common;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/damage.rs"]
mod damage;
#[path = "it/events.rs"]
mod events;
#[path = "it/forget.rs"]
mod forget;
#[path = "it/full.rs"]
mod full;
#[path = "it/messages.rs"]
mod messages;
#[path = "it/passphrase.rs"]
mod passphrase;
#[path = "it/profile.rs"]
mod profile;
#[path = "it/save.rs"]
mod save;
