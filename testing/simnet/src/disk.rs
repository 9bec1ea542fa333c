use crypto::Zeroizing;
use engine::changes::{Change, Changes, Event, EventKind, MessageState, Snapshot, Table};
use std::collections::BTreeMap;

/// A message on a client's disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedMessage {
    /// Identifier.
    pub id: [u8; 16],
    /// Whose conversation.
    pub contact: [u8; 16],
    /// How far it got.
    pub state: MessageState,
    /// What was said.
    pub text: String,
}

/// What a client has saved. A clone of it is what is left after `kill -9`.
#[derive(Clone, Default)]
pub struct Disk {
    rows: BTreeMap<(Table, Vec<u8>), Vec<u8>>,
    /// Messages in the order of saving.
    pub messages: Vec<SavedMessage>,
    /// Events in the order of saving.
    pub events: Vec<Event>,
}

impl Disk {
    /// Applies the writes of one step.
    ///
    /// # Panics
    /// If a message is inserted twice, or one that is not there changes its state: both are
    /// faults of the engine.
    pub fn apply(&mut self, changes: &Changes) {
        for change in &changes.0 {
            match change {
                Change::Put { table, key, value } => {
                    self.rows.insert((*table, key.clone()), value.to_vec());
                }
                Change::Delete { table, key } => {
                    self.rows.remove(&(*table, key.clone()));
                }
                Change::Message(message) => {
                    let known = self
                        .messages
                        .iter()
                        .any(|m| (m.contact, m.id) == (message.contact, message.id));
                    assert!(!known, "a message was inserted twice");
                    self.messages.push(SavedMessage {
                        id: message.id,
                        contact: message.contact,
                        state: message.state,
                        text: message.text.to_string(),
                    });
                }
                Change::MessageState { contact, id, state } => {
                    let message = self
                        .messages
                        .iter_mut()
                        .find(|m| (m.contact, m.id) == (*contact, *id))
                        .expect("the state of a message that was never saved");
                    message.state = *state;
                }
                Change::Event(event) => self.events.push(event.clone()),
                Change::ForgetConversation { contact } => {
                    self.messages.retain(|m| m.contact != *contact);
                    self.events.retain(|event| event.contact != Some(*contact));
                }
            }
        }
    }

    /// What an engine is loaded from.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let row = |((table, key), value): (&(Table, Vec<u8>), &Vec<u8>)| {
            (*table, key.clone(), Zeroizing::new(value.clone()))
        };
        Snapshot(self.rows.iter().map(row).collect())
    }

    /// Rows of a table, by key.
    #[must_use]
    pub fn values(&self, table: Table) -> Vec<(&[u8], &[u8])> {
        self.rows
            .iter()
            .filter(|((t, _), _)| *t == table)
            .map(|((_, key), value)| (key.as_slice(), value.as_slice()))
            .collect()
    }

    /// Removes the rows of a table.
    pub fn forget(&mut self, table: Table) {
        self.rows.retain(|(t, _), _| *t != table);
    }

    /// Writes a row, past the engine.
    pub fn put(&mut self, table: Table, key: &[u8], value: &[u8]) {
        self.rows.insert((table, key.to_vec()), value.to_vec());
    }

    /// How often something happened.
    #[must_use]
    pub fn count(&self, kind: EventKind) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    /// Texts that came in, in the order of saving.
    #[must_use]
    pub fn received(&self) -> Vec<&str> {
        let received = |m: &&SavedMessage| m.state == MessageState::Received;
        self.messages.iter().filter(received).map(|m| m.text.as_str()).collect()
    }

    /// States of own messages, in the order of saving.
    #[must_use]
    pub fn sent_states(&self) -> Vec<MessageState> {
        let sent = |m: &&SavedMessage| m.state != MessageState::Received;
        self.messages.iter().filter(sent).map(|m| m.state).collect()
    }
}
