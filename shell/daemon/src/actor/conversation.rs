//! Messages: sending, reading, paging.

use super::Core;
use super::calls::{done, wrong};
use super::contacts::{find, id_text, names};
use crate::clock;
use crate::dice::Dice;
use crate::types::MAX_LINE;
use crate::types::error::Failure;
use crate::types::method::Sent;
use crate::types::view;
use crate::wording;
use content::display::Untrusted;
use crypto::Zeroizing;
use engine::changes::MessageState;
use engine::{Command, ContactId, Due, Reply};
use serde_json::Value;
use std::collections::BTreeMap;
use store::StoredMessage;

/// Longest idempotency key in bytes.
const MAX_KEY: usize = 128;
/// Most messages of a page (RPC-15).
const MAX_LIMIT: u32 = 200;
/// Without a receipt for so long a message is "not confirmed yet" (PRD-1, RPC-16), seconds.
pub(super) const UNCONFIRMED_S: u64 = 24 * 3600;
/// Bytes of an answer's line that its messages may take.
const ROOM: usize = MAX_LINE - 64 * 1024;

impl Core {
    /// Queues a message; when this returns it is saved. A key is used once, for 14 days (PRD-17, RPC-9).
    pub(super) fn send(
        &mut self,
        contact: &str,
        text: Zeroizing<String>,
        key: &str,
    ) -> Result<Sent, Failure> {
        if key.len() > MAX_KEY {
            return Err(wrong(wording::KEY_TOO_LONG));
        }
        let (engine, store) = self.parts()?;
        let (mode, (pace, _)) = (engine.mode(), engine.pace(clock::now()));
        let (mode, pace) = (super::status::mode_view(mode), super::status::pace_view(pace));
        let usual_delay = wording::usual_delay(mode, pace).to_owned();
        if !key.is_empty()
            && let Some(id) = store.idempotency(key).map_err(|error| wording::storage(&error))?
        {
            let before = store.find_message(&id).map_err(|error| wording::storage(&error))?;
            let ours = before.iter().find(|m| m.message.state != MessageState::Received);
            let state = ours.map_or(view::MessageState::Queued, |m| state(m.message.state));
            return Ok(Sent { message: id_text('m', &id), state, usual_delay });
        }
        let (contact, name) = find(engine, contact)?;
        let now = clock::now();
        let command = Command::Send { contact, text };
        let (reply, step) = engine
            .handle_command(&mut Dice, now, command)
            .map_err(|error| wording::refused_send(error, &name))?;
        let Reply::Message(id) = reply else { return Err(wording::internal()) };
        if key.is_empty() {
            self.commit(step)?;
        } else {
            self.commit_by(step, |store, changes| store.save_with_key(changes, key, &id))?;
        }
        let state = view::MessageState::Queued;
        Ok(Sent { message: id_text('m', &id), state, usual_delay })
    }

    pub(super) fn recall(&mut self, message: &str) -> Result<Value, Failure> {
        let message = self.find_own(message)?;
        let (contact, message) = (message.message.contact, message.message.id);
        self.done(Command::Recall { contact, message })
    }

    pub(super) fn retry(&mut self, message: &str) -> Result<Value, Failure> {
        let StoredMessage { message, .. } = self.find_own(message)?;
        if !message.state.is_failed() {
            return Err(wrong(wording::NOT_FAILED));
        }
        let left = message.state != MessageState::Recalled;
        let engine::changes::Message { contact, id, text, sent, timer, .. } = message;
        self.done(Command::Retry { contact, message: id, text, sent, left, timer })
    }

    pub(super) fn message(&mut self, message: &str) -> Result<view::Message, Failure> {
        let found = self.find_messages(message)?;
        let (engine, _) = self.parts()?;
        Ok(message_view(&one(found)?, &names(engine), engine.due(clock::now())))
    }

    /// Marks one message as read: its timer begins (ENG-7).
    pub(super) fn read(&mut self, message: &str) -> Result<Value, Failure> {
        let mut found = self.find_messages(message)?;
        found.retain(|message| message.message.state == MessageState::Received);
        let row = one(found)?.row;
        let (engine, store) = self.parts()?;
        let now = engine.due(clock::now()).now;
        done(store.mark_one_read(row, now).map_err(|error| wording::storage(&error)))
    }

    /// What came in and was not marked read, oldest first; as much as fits in one answer (RPC-15). With
    /// `ack` what is returned is marked, nothing else (PRD-2).
    pub(super) fn inbox(&mut self, ack: bool) -> Result<Vec<view::Message>, Failure> {
        let (engine, store) = self.parts()?;
        let (names, due) = (names(engine), engine.due(clock::now()));
        let unread = store.unread(ROOM).map_err(|error| wording::storage(&error))?;
        let messages = fitting(unread.iter().map(|message| message_view(message, &names, due)));
        if let Some(last) = messages.last().filter(|_| ack) {
            store.mark_read(last.row, due.now).map_err(|error| wording::storage(&error))?;
        }
        Ok(messages)
    }

    /// A page of a conversation, newest last; of the page's beginning what fits in one answer.
    pub(super) fn history(
        &mut self,
        contact: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<view::Message>, Failure> {
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(wrong(wording::LIMIT));
        }
        let (engine, store) = self.parts()?;
        let (contact, _) = find(engine, contact)?;
        let (names, due) = (names(engine), engine.due(clock::now()));
        let page =
            store.history(&contact, before, limit).map_err(|error| wording::storage(&error))?;
        let newest_first = page.iter().rev().map(|message| message_view(message, &names, due));
        let mut messages = fitting(newest_first);
        messages.reverse();
        Ok(messages)
    }

    /// A message of ours by its identifier or its beginning.
    fn find_own(&mut self, text: &str) -> Result<StoredMessage, Failure> {
        let mut found = self.find_messages(text)?;
        found.retain(|message| message.message.state != MessageState::Received);
        one(found)
    }

    fn find_messages(&mut self, text: &str) -> Result<Vec<StoredMessage>, Failure> {
        let (_, store) = self.parts()?;
        let prefix = prefix(text).ok_or_else(|| wrong(wording::NO_MESSAGE))?;
        let mut found = store.find_message(&prefix).map_err(|error| wording::storage(&error))?;
        // The last digit may stand alone, and the store knows whole bytes.
        found.retain(|message| id_text('m', &message.message.id).starts_with(text));
        Ok(found)
    }
}

fn one(mut found: Vec<StoredMessage>) -> Result<StoredMessage, Failure> {
    match (found.pop(), found.is_empty()) {
        (Some(message), true) => Ok(message),
        (None, _) => Err(wrong(wording::NO_MESSAGE)),
        (Some(_), false) => Err(wrong(wording::SEVERAL)),
    }
}

/// The whole bytes of `m_` and hex digits.
fn prefix(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("m_")?.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let (pairs, _) = digits.as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The first ones that fit in one line together.
fn fitting(messages: impl Iterator<Item = view::Message>) -> Vec<view::Message> {
    let mut room = ROOM;
    messages
        .take_while(|message| {
            let len = serde_json::to_string(message).map_or(0, |text| text.len());
            let fits = len < room;
            room = room.saturating_sub(len).saturating_sub(1);
            fits
        })
        .collect()
}

pub(super) fn message_view(
    stored: &StoredMessage,
    names: &BTreeMap<ContactId, String>,
    due: Due,
) -> view::Message {
    let message = &stored.message;
    let age = clock::now().unix_s().saturating_sub(message.saved);
    let waits = matches!(message.state, MessageState::Queued | MessageState::Stored);
    view::Message {
        id: id_text('m', &message.id),
        row: stored.row,
        contact: names.get(&message.contact).cloned().unwrap_or_default(),
        state: state(message.state),
        text: Untrusted::Text(&message.text).display(),
        sent: message.sent,
        saved: message.saved,
        unconfirmed: waits && age >= UNCONFIRMED_S,
        why: why(message.state),
        timer: message.timer,
        gone_in: (stored.expires > 0).then(|| stored.expires.saturating_sub(due.now)),
    }
}

const fn state(state: MessageState) -> view::MessageState {
    match state {
        MessageState::Queued => view::MessageState::Queued,
        MessageState::Stored => view::MessageState::Stored,
        MessageState::Delivered => view::MessageState::Delivered,
        MessageState::Failed | MessageState::Recalled | MessageState::NotStored => {
            view::MessageState::Failed
        }
        MessageState::Received => view::MessageState::Received,
    }
}

const fn why(state: MessageState) -> Option<view::FailedWhy> {
    match state {
        MessageState::Failed => Some(view::FailedWhy::NotConfirmed),
        MessageState::NotStored => Some(view::FailedWhy::NotStored),
        MessageState::Recalled => Some(view::FailedWhy::Recalled),
        MessageState::Queued
        | MessageState::Stored
        | MessageState::Delivered
        | MessageState::Received => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: String) -> view::Message {
        view::Message {
            id: id_text('m', &[7; 16]),
            row: 1,
            contact: "Alice".to_owned(),
            state: view::MessageState::Received,
            text,
            sent: 0,
            saved: 0,
            unconfirmed: false,
            why: None,
            timer: 0,
            gone_in: None,
        }
    }

    #[test]
    fn prd_15_rpc_15_an_answer_never_outgrows_its_line() {
        // The longest message at its worst: every byte doubles as JSON.
        let long = || message("\"".repeat(256 * 1024));
        let many = fitting(std::iter::repeat_with(long).take(200));
        assert_eq!(many.len(), 1);
        assert!(serde_json::to_string(&many).unwrap().len() < MAX_LINE);
        let short = fitting(std::iter::repeat_with(|| message("hi".to_owned())).take(200));
        assert_eq!(short.len(), 200);
    }

    #[test]
    fn message_identifiers_may_be_short() {
        assert_eq!(prefix("m_0a1"), Some(vec![10]));
        assert_eq!(prefix("m_ffff"), Some(vec![255, 255]));
        for bad in ["", "m_", "m_xx", "0a", "m_+1"] {
            assert_eq!(prefix(bad), None, "{bad}");
        }
    }
}
