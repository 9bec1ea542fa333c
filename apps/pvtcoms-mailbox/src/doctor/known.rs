//! What the server said of itself in its status file, and whether it lives.

use super::{Check, Where};
use crate::counters::STATUS_FILE;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Name of the server's process, as the kernel gives it.
const COMM: &str = "pvtcoms-mailbox";

pub(super) struct Known {
    status: Option<Value>,
    /// The server's process, if it lives.
    pub(super) process: Option<PathBuf>,
}

impl Known {
    pub(super) fn read(data: &Path) -> Self {
        let text = fs::read_to_string(data.join(STATUS_FILE)).ok();
        let status = text.and_then(|text| serde_json::from_str(&text).ok());
        let mut known = Self { status, process: None };
        known.process = known
            .number("/pid")
            .map(|pid| PathBuf::from(format!("/proc/{pid}")))
            .filter(|process| {
                fs::read_to_string(process.join("comm")).is_ok_and(|name| name.trim() == COMM)
            });
        known
    }

    pub(super) fn number(&self, at: &str) -> Option<u64> {
        self.status.as_ref()?.pointer(at)?.as_u64()
    }

    pub(super) fn text(&self, at: &str) -> Option<&str> {
        self.status.as_ref()?.pointer(at)?.as_str()
    }

    /// The days that something is kept of.
    pub(super) fn days(&self) -> Vec<u64> {
        let days = self.status.as_ref().and_then(|status| status.pointer("/days")?.as_array());
        days.into_iter().flatten().filter_map(Value::as_u64).collect()
    }

    /// Whether the server says that it runs, and its process is there.
    pub(super) fn running(&self) -> bool {
        self.process.is_some() && self.text("/state") == Some("running")
    }

    /// The user that the server runs as.
    pub(super) fn user(&self) -> Option<u32> {
        self.process.as_ref().and_then(|process| fs::metadata(process).ok()).map(|m| m.uid())
    }

    pub(super) fn keys(&self, place: &Where) -> PathBuf {
        let said = || self.text("/keys").map(PathBuf::from);
        place.keys.clone().or_else(said).unwrap_or_else(|| place.data.join("keys"))
    }

    pub(super) fn socket(&self, place: &Where) -> Option<PathBuf> {
        place.listen.clone().or_else(|| self.text("/socket").map(PathBuf::from))
    }

    pub(super) fn mailbox(&self) -> Option<[u8; 32]> {
        self.text("/mailbox").and_then(|text| board::address::decode(text).ok())
    }

    /// Whether the board is dearer than its operator wants it (BRD-23).
    pub(super) fn effort(&self) -> Option<Check> {
        const WHAT: &str = "effort";
        let (now, base) = (self.number("/effort/now")?, self.number("/effort/base")?);
        let found = format!("{now}, on a quiet board {base}");
        Some(if now > base {
            Check::warn(
                WHAT,
                found,
                "a flood, a disk that fills, or a --people that is too small; it falls by itself",
            )
        } else {
            Check::ok(WHAT, found)
        })
    }
}
