//! The event log as faces read it (PRD-17, RPC-10 to RPC-12).

use super::Core;
use super::calls::{done, wrong};
use super::contacts::names;
use super::conversation::message_view;
use super::files::file_view;
use super::handle::EventPosition;
use crate::clock;
use crate::types::error::Failure;
use crate::types::view;
use crate::wording;
use engine::changes::EventKind;
use engine::{ContactId, Due, Engine};
use serde_json::Value;
use std::collections::BTreeMap;
use store::{Store, StoreError, StoredEvent};

/// Longest subscriber's name in characters.
const MAX_NAME: usize = 64;
/// Events looked at together on the way to the end of the log.
const STRIDE: u32 = 1000;

impl Core {
    /// Where a subscription starts: after the given event, else after the last acknowledged one,
    /// else, for a subscriber without a name, at the end. A new name is kept from here on.
    pub(super) fn subscribe(
        &mut self,
        name: &str,
        after: Option<&str>,
    ) -> Result<EventPosition, Failure> {
        let (_, store) = self.parts()?;
        let after = after.map(position).transpose()?;
        if name.is_empty() {
            return after.map_or_else(|| end(store), Ok).map_err(|error| wording::storage(&error));
        }
        check_name(name)?;
        let known = store.subscriber_position(name).map_err(|error| wording::storage(&error))?;
        if known.is_none() {
            store.ack_events(name, 0).map_err(|error| wording::storage(&error))?;
        }
        Ok(after.or(known).unwrap_or(0))
    }

    /// RPC-11: the only thing that moves a subscriber.
    pub(super) fn ack(&mut self, name: &str, through: &str) -> Result<Value, Failure> {
        check_name(name)?;
        let through = position(through)?;
        let (_, store) = self.parts()?;
        done(store.ack_events(name, through).map_err(|error| wording::storage(&error)))
    }

    pub(super) fn events_after(
        &mut self,
        after: EventPosition,
        limit: u32,
    ) -> Result<Vec<(EventPosition, view::Event)>, Failure> {
        let (engine, store) = self.parts()?;
        let (names, due) = (names(engine), engine.due(clock::now()));
        let events = store.events_after(after, limit).map_err(|error| wording::storage(&error))?;
        events
            .iter()
            .map(|event| Ok((event.id, event_view(event, engine, store, &names, due)?)))
            .collect::<Result<_, StoreError>>()
            .map_err(|error| wording::storage(&error))
    }
}

fn end(store: &Store) -> Result<EventPosition, StoreError> {
    let mut end = 0;
    while let Some(last) = store.events_after(end, STRIDE)?.last() {
        end = last.id;
    }
    Ok(end)
}

fn check_name(name: &str) -> Result<(), Failure> {
    if (1..=MAX_NAME).contains(&name.chars().count()) {
        Ok(())
    } else {
        Err(wrong(wording::SUBSCRIBER))
    }
}

/// Reads `e_17`.
fn position(text: &str) -> Result<EventPosition, Failure> {
    text.strip_prefix("e_")
        .and_then(|number| number.parse().ok())
        .filter(|number| *number >= 0)
        .ok_or_else(|| wrong(wording::NO_EVENT))
}

/// RPC-12: the message as it is now, not as it was when the event was written.
fn event_view(
    stored: &StoredEvent,
    engine: &Engine,
    store: &Store,
    names: &BTreeMap<ContactId, String>,
    due: Due,
) -> Result<view::Event, StoreError> {
    let event = &stored.event;
    let message = match (event.contact, event.message) {
        (Some(contact), Some(message)) => store.message(&contact, &message)?,
        _ => None,
    };
    let file = event.message.filter(|_| of_file(event.kind)).and_then(|id| {
        engine.files().find(|file| Some(file.contact) == event.contact && file.id == id)
    });
    let contact = event.contact.and_then(|id| names.get(&id).cloned());
    let words = wording::event(event.kind, event.message.is_some());
    Ok(view::Event {
        id: format!("e_{}", stored.id),
        kind: name_of(event.kind).to_owned(),
        text: contact.as_ref().map_or_else(|| words.to_owned(), |name| format!("{name}: {words}")),
        contact,
        message: message.map(|message| message_view(&message, names, due)),
        file: file.map(|file| file_view(&file, names)),
        at: event.at,
    })
}

const fn of_file(kind: EventKind) -> bool {
    matches!(kind, EventKind::FileOffered | EventKind::FileReceived | EventKind::FileEnded)
}

fn name_of(kind: EventKind) -> &'static str {
    EventKind::ALL.iter().find(|(known, ..)| *known == kind).map_or("", |(_, _, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prd_17_event_identifiers_are_read_and_nothing_else() {
        assert_eq!(position("e_17").ok(), Some(17));
        assert_eq!(position("e_0").ok(), Some(0));
        for bad in ["", "e_", "17", "e_-1", "e_1x", "m_1"] {
            assert!(position(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn prd_17_every_kind_has_a_name_and_words() {
        for (kind, _, name) in EventKind::ALL {
            assert_eq!(name_of(kind), name);
            assert!(wording::event(kind, true).ends_with('.'));
        }
    }
}
