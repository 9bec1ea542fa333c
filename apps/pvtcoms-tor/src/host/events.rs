//! What the operator, or a program, is told.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::logging;
use crate::onion;

/// Prints events: JSON lines or the bare address on standard output, words on standard error.
pub(super) struct Reporter {
    json: bool,
    start: Instant,
    published: bool,
}

impl Reporter {
    pub(super) fn new(json: bool, private_network: bool) -> Self {
        if private_network {
            logging::say("PRIVATE TEST NETWORK: not anonymous"); // TOR-31
        }
        Self { json, start: Instant::now(), published: false }
    }

    /// The service's key exists. Tells the operator how to keep it (TOR-23).
    pub(super) fn starting(&self, key: &[u8; 32], port: u16, state: &Path) {
        self.print(&json!({ "v": 1, "event": "starting", "onion": onion::address(key),
            "key": HEXLOWER.encode(key), "port": port }));
        logging::say(&format!(
            "The address is a key in {}/keystore. Save a copy of that folder: \
             without it the address is lost, and whoever has it can pose as this mailbox.",
            state.display()
        ));
    }

    /// Somebody who knows the address has reached it, for the first time since it was published.
    pub(super) fn published(&mut self, key: &[u8; 32], port: u16) {
        let address = onion::address(key);
        self.print(&json!({ "v": 1, "event": "published", "onion": address,
            "key": HEXLOWER.encode(key), "port": port, "after_ms": self.milliseconds() }));
        if !self.json && !self.published {
            self.line(&format!("{address}:{port}"));
        }
        self.published = true;
    }

    /// A dial of our own address arrived (TOR-22).
    pub(super) fn reachable(&self) {
        self.print(&json!({ "v": 1, "event": "reachable", "after_ms": self.milliseconds() }));
        logging::say("reachable 0 s ago, next check in 5 minutes");
    }

    /// A dial of our own address failed.
    pub(super) fn unreachable(&self, failures: u32) {
        self.print(&json!({ "v": 1, "event": "unreachable", "failures": failures }));
        logging::say(&format!("not reachable, {failures} in a row"));
    }

    /// The service is taken down and published again.
    pub(super) fn restarting(&self) {
        self.print(&json!({ "v": 1, "event": "restarting" }));
        logging::say("publishing the service again");
    }

    fn milliseconds(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn print(&self, event: &Value) {
        if self.json {
            self.line(&event.to_string());
        }
    }

    fn line(&self, line: &str) {
        let mut out = std::io::stdout();
        let _ = writeln!(out, "{line}").and_then(|()| out.flush()); // a closed pipe stops no mailbox
    }
}
