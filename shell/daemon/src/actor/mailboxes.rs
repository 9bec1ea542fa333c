//! Own mailboxes.

use super::Core;
use super::calls::wrong;
use crate::clock;
use crate::types::error::Failure;
use crate::types::view;
use crate::wording;
use board::address::{self, AddressError};
use engine::{Command, Engine};
use serde_json::Value;

impl Core {
    pub(super) fn mailbox_add(&mut self, address: &str) -> Result<view::Mailbox, Failure> {
        let key = address::decode(address).map_err(|error| {
            wrong(match error {
                AddressError::NotOnion => wording::NO_ADDRESS,
                AddressError::Mistyped => wording::MISTYPED_ADDRESS,
            })
        })?;
        self.done(Command::AddMailbox(key))?;
        let address = address::encode(&key);
        let added = self.mailboxes()?.into_iter().find(|mailbox| mailbox.address == address);
        added.ok_or_else(|| wrong(wording::NO_MAILBOX))
    }

    pub(super) fn mailboxes(&mut self) -> Result<Vec<view::Mailbox>, Failure> {
        let (engine, _) = self.parts()?;
        Ok(mailbox_views(engine))
    }

    pub(super) fn mailbox_remove(&mut self, address: &str) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let wanted = address.trim().to_ascii_lowercase();
        let wanted = wanted.strip_prefix("pvtcoms-mailbox:").unwrap_or(&wanted);
        let found: Vec<_> = engine
            .mailboxes()
            .filter(|mailbox| {
                !wanted.is_empty() && address::encode(&mailbox.key).starts_with(wanted)
            })
            .map(|mailbox| mailbox.key)
            .collect();
        match found.as_slice() {
            [key] => self.done(Command::RemoveMailbox(*key)),
            [] => Err(wrong(wording::NO_MAILBOX)),
            _ => Err(wrong(wording::SEVERAL)),
        }
    }
}

pub(super) fn mailbox_views(engine: &Engine) -> Vec<view::Mailbox> {
    let now = clock::now().mono_ms;
    engine
        .mailboxes()
        .map(|mailbox| view::Mailbox {
            address: address::encode(&mailbox.key),
            answered_ago: mailbox.answered.map(|at| now.saturating_sub(at) / 1000),
            failures: mailbox.failures,
            reason: mailbox.reason.map(|reason| wording::fail_reason(reason).to_owned()),
            alarm: mailbox.alarm,
            skew_s: mailbox.skew_s,
            left_until: mailbox.left_until,
        })
        .collect()
}
