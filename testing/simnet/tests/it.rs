//! The engine on simulated mailboxes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

#[path = "it/absence.rs"]
mod absence;
#[path = "it/abuse.rs"]
mod abuse;
#[path = "it/backup.rs"]
mod backup;
#[path = "it/blocking.rs"]
mod blocking;
#[path = "it/coupling.rs"]
mod coupling;
#[path = "it/crash.rs"]
mod crash;
#[path = "it/delivery.rs"]
mod delivery;
#[path = "it/faults.rs"]
mod faults;
#[path = "it/files.rs"]
mod files;
#[path = "it/floors.rs"]
mod floors;
#[path = "it/hostile.rs"]
mod hostile;
#[path = "it/knowledge.rs"]
mod knowledge;
#[path = "it/moving.rs"]
mod moving;
#[path = "it/pairing.rs"]
mod pairing;
#[path = "it/receipts.rs"]
mod receipts;
#[path = "it/resync.rs"]
mod resync;
#[path = "it/soak.rs"]
mod soak;
#[path = "it/states.rs"]
mod states;
#[path = "it/timers.rs"]
mod timers;
#[path = "it/twins.rs"]
mod twins;
