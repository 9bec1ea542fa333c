use crate::sabotage::Sabotage;
use crypto::Zeroizing;
use engine::Due;
use engine::changes::{Change, Changes, Event, EventKind, MessageState, Snapshot, Table};
use std::collections::{BTreeMap, BTreeSet};

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
    /// When it was saved, on the clock for ages, in seconds.
    pub since: u64,
    /// How long it stays, in seconds.
    pub timer: u32,
    /// When it goes, on the clock for ages; 0 is never, or not begun.
    pub expires: u64,
}

impl SavedMessage {
    /// Its timer begins, if it has one that has not begun.
    fn begin(&mut self, now: u64) {
        if self.timer > 0 && self.expires == 0 {
            self.expires = now + u64::from(self.timer);
        }
    }
}

/// Names a message on a disk: conversation and identifier.
pub type MessageKey = ([u8; 16], [u8; 16]);

/// Names a row.
type RowKey = (Table, Vec<u8>);

/// What a client has saved. A clone of it is what is left after `kill -9`.
#[derive(Clone, Default)]
pub struct Disk {
    rows: BTreeMap<RowKey, Vec<u8>>,
    /// Messages in the order of saving.
    pub messages: Vec<SavedMessage>,
    /// Where a message stands in `messages`.
    places: BTreeMap<MessageKey, usize>,
    /// Events in the order of saving.
    pub events: Vec<Event>,
    /// Messages of ours that came to a new state since somebody asked.
    pub(crate) moved: Vec<(MessageKey, MessageState)>,
    /// Messages that were deleted when they were read, in a broken store.
    pub(crate) deleted: BTreeSet<MessageKey>,
    sabotage: Option<Sabotage>,
    /// What a power cut leaves of a broken store, and writes since then.
    synced: Option<(Box<Self>, u32)>,
    /// What was in the outbox before each write that a broken store has not synced, oldest first.
    apart: Vec<(RowKey, Option<Vec<u8>>)>,
    /// Messages that are gone.
    forgotten: BTreeSet<MessageKey>,
}

/// How many steps a broken store saves before it syncs them.
const UNSYNCED: u32 = 16;
/// How many writes to the outbox a broken store leaves open.
const APART: usize = 16;

impl Disk {
    /// Applies the writes of one step.
    ///
    /// # Panics
    /// If one of our messages is inserted twice, or one that was never there changes its state:
    /// both are faults of the engine.
    pub fn apply(&mut self, changes: &Changes) {
        self.sync_sometimes();
        for change in &changes.0 {
            match change {
                Change::Put { table, key, value } => {
                    self.row(*table, key, Some(value.to_vec()));
                }
                Change::Delete { table, key } => self.row(*table, key, None),
                Change::Message(message) => self.insert(&SavedMessage {
                    id: message.id,
                    contact: message.contact,
                    state: message.state,
                    text: message.text.to_string(),
                    since: message.since,
                    timer: message.timer,
                    expires: 0,
                }),
                Change::MessageState { contact, id, state } => {
                    let Some(message) = self.message_mut((*contact, *id)) else { continue };
                    message.state = *state;
                    if *state == MessageState::Queued {
                        message.expires = 0;
                    }
                    self.moved.push(((*contact, *id), *state));
                }
                Change::BeginTimer { contact, id, at } => {
                    let Some(message) = self.message_mut((*contact, *id)) else { continue };
                    message.begin(*at);
                }
                Change::Event(event) => self.events.push(event.clone()),
                Change::ForgetConversation { contact } => {
                    self.messages.retain(|m| m.contact != *contact);
                    self.events.retain(|event| event.contact != Some(*contact));
                    self.find_places();
                }
            }
        }
    }

    /// What the peer says twice is kept twice, for whoever counts; the store would ignore it.
    fn insert(&mut self, message: &SavedMessage) {
        let place = self.messages.len();
        let known = self.places.insert((message.contact, message.id), place);
        assert!(known.is_none() || self.sabotage.is_some(), "a message was inserted twice");
        self.messages.push(message.clone());
    }

    fn row(&mut self, table: Table, key: &[u8], value: Option<Vec<u8>>) {
        let key = (table, key.to_vec());
        match (self.sabotage, table) {
            (Some(Sabotage::ForgetMids), Table::Seen) => {}
            (Some(Sabotage::OutboxApart), Table::Outbox) => {
                self.apart.push((key.clone(), self.rows.get(&key).cloned()));
                self.write(key, value);
            }
            _ => self.write(key, value),
        }
    }

    fn write(&mut self, key: RowKey, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.rows.insert(key, value),
            None => self.rows.remove(&key),
        };
    }

    fn sync_sometimes(&mut self) {
        if self.apart.len() >= APART {
            self.apart.clear();
        }
        if self.sabotage != Some(Sabotage::AckBeforeSave) {
            return;
        }
        match &mut self.synced {
            Some((_, writes)) if *writes < UNSYNCED => *writes += 1,
            _ => {
                self.synced = None;
                self.synced = Some((Box::new(self.clone()), 0));
            }
        }
    }

    /// The store is broken from here on.
    pub(crate) fn sabotage(&mut self, sabotage: Sabotage) {
        self.sabotage = Some(sabotage);
    }

    /// Whether the store is broken in this way.
    pub(crate) fn is_broken(&self, by: Sabotage) -> bool {
        self.sabotage == Some(by)
    }

    /// The program or the machine died: what was not on the disk is gone. A sound store has
    /// nothing to lose here, for it says that something is saved after it was synced.
    pub(crate) fn crashed(&mut self) {
        if let Some((synced, _)) = self.synced.take() {
            *self = *synced;
        }
        for (key, before) in core::mem::take(&mut self.apart).into_iter().rev() {
            self.write(key, before);
        }
    }

    /// The program ended in an orderly way: a broken store makes up for what it left open.
    pub(crate) fn closed(&mut self) {
        self.synced = None;
        self.apart.clear();
    }

    fn message_mut(&mut self, key: MessageKey) -> Option<&mut SavedMessage> {
        let place = self.places.get(&key).copied();
        assert!(place.is_some() || self.forgotten.contains(&key), "a message that was never saved");
        self.messages.get_mut(place?)
    }

    /// Takes the history of another disk, as a restored profile has it from its backup.
    pub fn take_history(&mut self, from: &Self) {
        self.messages.clone_from(&from.messages);
        self.find_places();
    }

    fn find_places(&mut self) {
        let places = self.messages.iter().enumerate();
        self.places = places.map(|(at, m)| ((m.contact, m.id), at)).collect();
    }

    /// Marks everything that came in as read, at this moment of the clock for ages.
    pub fn read(&mut self, now: u64) {
        let received = |m: &&mut SavedMessage| m.state == MessageState::Received;
        self.messages.iter_mut().filter(received).for_each(|message| message.begin(now));
    }

    /// Deletes what is due, as the store does every minute.
    pub fn forget_due(&mut self, due: Due) {
        let is_due = |m: &SavedMessage| {
            m.since < due.since_before || (m.expires > 0 && m.expires <= due.now)
        };
        let gone: Vec<MessageKey> =
            self.messages.iter().filter(|m| is_due(m)).map(|m| (m.contact, m.id)).collect();
        if gone.is_empty() {
            return;
        }
        self.forgotten.extend(gone);
        self.messages.retain(|message| !is_due(message));
        self.find_places();
        let gone = &self.forgotten;
        self.events.retain(|event| {
            !event.contact.zip(event.message).is_some_and(|named| gone.contains(&named))
        });
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
        self.rows(table).collect()
    }

    /// The same, one after the other.
    pub(crate) fn rows(&self, table: Table) -> impl Iterator<Item = (&[u8], &[u8])> {
        let from = (table, Vec::new());
        let rows = self.rows.range(from..).take_while(move |((t, _), _)| *t == table);
        rows.map(|((_, key), value)| (key.as_slice(), value.as_slice()))
    }

    /// Whether a table has a row of this key.
    #[must_use]
    pub fn has(&self, table: Table, key: &[u8]) -> bool {
        self.rows.contains_key(&(table, key.to_vec()))
    }

    /// Turns the last bit of the last row of a table.
    ///
    /// # Panics
    /// If it has none.
    pub fn spoil(&mut self, table: Table) {
        let row = self.rows.iter_mut().rfind(|((t, _), _)| *t == table).unwrap().1;
        *row.last_mut().unwrap() ^= 1;
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

    /// A message, if it is there.
    #[must_use]
    pub fn message(&self, key: &MessageKey) -> Option<&SavedMessage> {
        self.messages.get(*self.places.get(key)?)
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
