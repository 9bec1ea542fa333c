//! How the engine is set, for the store and for whoever measures the engine alone.

use fjall::compaction::Leveled;
use fjall::config::{CompressionPolicy, PinningPolicy};
use fjall::{CompressionType, Database, KeyspaceCreateOptions, KvSeparationOptions};
use std::path::Path;
use std::sync::Arc;

const CACHE_BYTES: u64 = 8 << 20;
const JOURNAL_BYTES: u64 = 128 << 20;
const MEMTABLE_BYTES: u64 = 16 << 20;
/// Written memtables that gather before they are merged into the rest of the day.
const MEMTABLES_TO_MERGE: u8 = 8;
/// Values from this size lie in files of their own, which compaction does not rewrite.
const SEPARATE_FROM: u32 = 1024;

/// Opens the database in `dir`, made if missing.
///
/// # Errors
/// The engine's own; `Locked` if another process has it open.
pub fn open(dir: &Path) -> fjall::Result<Database> {
    Database::builder(dir)
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNAL_BYTES)
        .journal_compression(CompressionType::None)
        .worker_threads(1)
        .open()
}

/// Options of a day's keyspace, for what finds envelopes, for frames, which can be large, and for
/// whoever measures the engine with envelopes in it. Sealed bytes do not compress. Filters and indices stay in memory, about
/// 4 MB for a million envelopes: those of a whole day are larger than the cache, and would be read,
/// and their checksum computed, at every look-up.
#[must_use]
pub fn day_options() -> KeyspaceCreateOptions {
    let apart = KvSeparationOptions::default()
        .compression(CompressionType::None)
        .separation_threshold(SEPARATE_FROM);
    let lazy = Leveled::default().with_l0_threshold(MEMTABLES_TO_MERGE);
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .compaction_strategy(Arc::new(lazy))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .data_block_compression_policy(CompressionPolicy::disabled())
        .with_kv_separation(Some(apart))
}
