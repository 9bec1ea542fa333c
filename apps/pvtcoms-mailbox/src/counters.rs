//! Totals, and nothing that belongs to one connection (BRD-24).

use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Name of the file in the data directory that `status` reads.
pub const STATUS_FILE: &str = "status.json";

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What the server has done since its start.
        #[derive(Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: Counter,)+
        }

        impl Counters {
            /// All totals by name.
            #[must_use]
            pub fn to_json(&self) -> Value {
                json!({ $(stringify!($name): self.$name.get(),)+ })
            }
        }
    };
}

counters! {
    /// Connections accepted.
    connections,
    /// Envelopes stored.
    stored,
    /// Deposits whose bytes were stored already.
    repeated,
    /// Deposits answered RETRY.
    retried,
    /// Chunks read.
    fetched,
    /// Reads of what is not there.
    unknown,
    /// Digests opened.
    digests,
    /// Connections closed without a byte.
    refused,
    /// Pages closed.
    pages,
}

/// One total.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The total.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Replaces the status file; a reader sees the old one or the new one.
///
/// # Errors
/// From the file system.
pub fn write_status(data: &Path, status: &Value) -> io::Result<()> {
    let (path, draft) = (data.join(STATUS_FILE), data.join("status.new"));
    fs::write(&draft, format!("{status:#}\n"))?;
    fs::rename(draft, path)
}
