use crate::clock::{self, Seconds};
use crate::counters::Counters;
use crate::effort::Policy;
use crate::store::Store;
use crate::view::View;
use board::page::Settings;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// What the status file is made of: settings, totals, and the newest header (BRD-24).
pub(super) struct Report {
    pub(super) settings: Settings,
    pub(super) policy: Policy,
    pub(super) view: Arc<RwLock<View>>,
    pub(super) counters: Arc<Counters>,
    /// When the server started.
    pub(super) since: Seconds,
    pub(super) socket: PathBuf,
    pub(super) keys: PathBuf,
    pub(super) store: Arc<dyn Store>,
}

impl Report {
    /// The status file's content.
    pub(super) fn describe(&self, state: &str) -> Value {
        let (Settings { interval_s, fill, ttl_h, mailbox }, policy) = (self.settings, self.policy);
        let now = clock::now();
        let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
        json!({
            "state": state,
            "at": now,
            "since": self.since,
            "pid": std::process::id(),
            "mailbox": board::address::encode(&mailbox),
            "socket": self.socket,
            "keys": self.keys,
            "days": self.store.days(),
            "interval_s": interval_s,
            "fill": fill,
            "ttl_h": ttl_h,
            "effort": {
                "now": view.last.map(|last| last.effort),
                "lowest_that_pays": view.lowest_effort(now),
                "base": policy.base,
                "max": policy.max,
            },
            "people": policy.people,
            "soft_limit_bytes": policy.soft,
            "reserve_bytes": policy.reserve,
            "open_page": view.open_page(),
            "last_page_at": view.last.map(|last| last.closed_at),
            "totals": self.counters.to_json(),
        })
    }
}
