//! What an operator who wants to know can write down (`--observe`).
//!
//! Nothing here is hidden from any operator: it is what the protocol shows to whoever runs the
//! server. The flag exists so that people can look at it, and so that the linkability experiment
//! has the real server's view (TH-2). Without it the server keeps no record of a connection
//! (BRD-24), and the answers are the same either way.

use crate::clock;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

/// Writes one JSON object a line, or nothing at all.
#[derive(Default)]
pub struct Observer(Option<Mutex<File>>);

impl Observer {
    /// Appends to `path`.
    ///
    /// # Errors
    /// From the file system.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        Ok(Self(Some(Mutex::new(file))))
    }

    /// Notes `event` on connection `connection`; `details` is made only if somebody watches.
    pub fn note(&self, connection: u64, event: &str, details: impl FnOnce() -> Value) {
        let Some(file) = &self.0 else { return };
        let mut line = Map::new();
        line.insert("at".into(), json!(clock::now()));
        line.insert("connection".into(), json!(connection));
        line.insert("event".into(), json!(event));
        if let Value::Object(details) = details() {
            line.extend(details);
        }
        if let Ok(mut file) = file.lock() {
            // A full disk costs the observer his line, never a client its answer.
            let _unwritten = writeln!(file, "{}", Value::Object(line));
        }
    }
}
