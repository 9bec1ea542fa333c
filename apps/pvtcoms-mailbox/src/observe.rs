//! What an operator who wants to know can write down (`--observe`).
//!
//! Nothing here is hidden from any operator: it is what the protocol shows to whoever runs the
//! server. The flag exists so that people can look at it, and so that the linkability experiment
//! has the real server's view (TH-2). Without it the server keeps no record of a connection
//! (BRD-24), and the answers are the same either way.

use crate::clock;
use crate::store::PageNo;
use board::frame::{HEAD_LEN, PUT_LEN, Window};
use board::tag::Tag;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

/// What an operator can see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A connection came.
    Accept,
    /// An envelope was put.
    Put {
        /// Its tag.
        tag: Tag,
        /// Whether the answer is STORED.
        stored: bool,
        /// The page that is open.
        open_page: PageNo,
    },
    /// It is durable.
    Disk,
    /// A chunk was asked for.
    Fetch {
        /// Number of the page.
        page: PageNo,
        /// Number of the chunk in it.
        chunk: u16,
        /// Bytes of the answer.
        bytes_out: usize,
    },
    /// Digest frames were asked for.
    Digest(Window),
    /// The connection ended.
    Close {
        /// With its answer.
        answered: bool,
    },
    /// A page closed; this comes without a connection.
    Page {
        /// Its number.
        page: PageNo,
        /// The first 8 bytes of each tag in it, in their order; eight to a chunk.
        prefixes: Vec<[u8; 8]>,
    },
}

/// Whoever looks on.
pub trait Watch: Send + Sync {
    /// Something is seen, on a connection or, if a page closed, on none.
    fn see(&self, connection: Option<u64>, seen: Seen);
}

/// Tells a watcher, or nobody.
#[derive(Default)]
pub struct Observer(Option<Box<dyn Watch>>);

impl Observer {
    /// Tells `watch`.
    #[must_use]
    pub fn new(watch: impl Watch + 'static) -> Self {
        Self(Some(Box::new(watch)))
    }

    /// Appends to `path`, one JSON object a line.
    ///
    /// # Errors
    /// From the file system.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self::new(Lines(Mutex::new(file))))
    }

    /// Tells what is seen; it is made only if somebody watches.
    pub fn note(&self, connection: Option<u64>, seen: impl FnOnce() -> Seen) {
        if let Some(watch) = &self.0 {
            watch.see(connection, seen());
        }
    }
}

struct Lines(Mutex<File>);

impl Watch for Lines {
    fn see(&self, connection: Option<u64>, seen: Seen) {
        let mut line = describe(&seen);
        if let Some(line) = line.as_object_mut() {
            line.insert("at".into(), json!(clock::now()));
            if let Some(connection) = connection {
                line.insert("connection".into(), json!(connection));
            }
        }
        if let Ok(mut file) = self.0.lock() {
            // A full disk costs the observer his line, never a client its answer.
            let _unwritten = writeln!(file, "{line}");
        }
    }
}

fn describe(seen: &Seen) -> Value {
    match seen {
        Seen::Accept => json!({ "event": "accept" }),
        Seen::Put { tag, stored, open_page } => {
            let tag = tag.0.first_chunk().map(hex);
            json!({ "event": "put", "bytes_in": PUT_LEN, "tag": tag, "stored": stored, "open_page": open_page })
        }
        Seen::Disk => json!({ "event": "disk" }),
        Seen::Fetch { page, chunk, bytes_out } => {
            json!({ "event": "fetch", "bytes_in": HEAD_LEN, "page": page, "chunk": chunk, "bytes_out": bytes_out })
        }
        Seen::Digest(window) => {
            json!({ "event": "digest", "bytes_in": HEAD_LEN, "window": format!("{window:?}") })
        }
        Seen::Close { answered } => json!({ "event": "close", "answered": answered }),
        Seen::Page { page, prefixes } => {
            let tags: Vec<String> = prefixes.iter().map(hex).collect();
            json!({ "event": "page", "page": page, "tags": tags })
        }
    }
}

fn hex(prefix: &[u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(*prefix))
}
