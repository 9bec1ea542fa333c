//! What each person must see: a model that knows no protocol, only who said what to whom.

use crate::client::Client;
use crate::disk::{Disk, MessageKey, SavedMessage};
use crate::world::{DAY, World};
use engine::changes::{MessageState, Table};
use engine::{ContactId, MessageId};
use soak::{Difference, Tally, compare};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A message is given up after this, by the sender's clock, which may be a day ahead.
const GIVE_UP: u64 = 13 * DAY;

/// What somebody said, and what is known of it.
struct Said {
    id: MessageId,
    text: String,
    at: u64,
    /// Given up, after so long that it may be: whether it is seen, nobody knows.
    failed: bool,
    /// Taken back: it is not seen.
    recalled: bool,
}

/// Who speaks, to whom, and the how-manieth message it is.
pub type Place = (usize, usize, usize);

/// A difference between what a person sees and what the model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// It was said, and is not seen.
    Lost(Place),
    /// It is seen twice.
    Duplicated(Place),
    /// It is seen after one that was said later.
    Reordered(Place),
    /// It is seen though its sender took it back.
    TakenBack(Place),
    /// Other words are seen than were said.
    Altered(Place),
    /// Something is seen that this contact never said.
    Stranger(usize),
    /// It is gone from the sender's own history.
    Forgotten(Place),
    /// The sender is told that it was delivered, and the peer's disk does not hold it.
    ReceiptTooEarly(Place),
    /// It was given up though it was young.
    GivenUp(Place),
    /// Two streams of a client shared an isolation token, so many times.
    SharedCircuit(u64),
    /// A program fell over.
    Panicked,
}

impl Finding {
    fn of(difference: Difference, from: usize, to: usize) -> Self {
        match difference {
            Difference::Lost(k) => Self::Lost((from, to, k)),
            Difference::Duplicated(k) => Self::Duplicated((from, to, k)),
            Difference::Reordered(k) => Self::Reordered((from, to, k)),
            Difference::Altered(k) => Self::Altered((from, to, k)),
            Difference::Stranger => Self::Stranger(to),
        }
    }

    /// Counts it where it belongs.
    pub const fn count(&self, tally: &mut Tally) {
        let count = match self {
            Self::Lost(_) | Self::Forgotten(_) => &mut tally.lost,
            Self::Duplicated(_) => &mut tally.duplicated,
            Self::Reordered(_) => &mut tally.reordered,
            _ => &mut tally.other,
        };
        *count += 1;
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Lost(_) => "lost",
            Self::Duplicated(_) => "duplicated",
            Self::Reordered(_) => "reordered",
            Self::TakenBack(_) => "taken back, and seen",
            Self::Altered(_) => "altered",
            Self::Stranger(_) => "never said",
            Self::Forgotten(_) => "forgotten by its sender",
            Self::ReceiptTooEarly(_) => "delivered, but on no disk",
            Self::GivenUp(_) => "given up too early",
            Self::SharedCircuit(_) => "shared a circuit",
            Self::Panicked => "a program fell over",
        };
        match self {
            Self::Lost((from, to, k))
            | Self::Duplicated((from, to, k))
            | Self::Reordered((from, to, k))
            | Self::TakenBack((from, to, k))
            | Self::Altered((from, to, k))
            | Self::Forgotten((from, to, k))
            | Self::ReceiptTooEarly((from, to, k))
            | Self::GivenUp((from, to, k)) => write!(f, "{what}: {k} from {from} to {to}"),
            Self::Stranger(by) => write!(f, "{what}: seen by {by}"),
            Self::SharedCircuit(times) => write!(f, "{what}: {times} times"),
            Self::Panicked => f.write_str(what),
        }
    }
}

/// What everybody said.
#[derive(Default)]
pub struct Model {
    said: BTreeMap<(usize, usize), Vec<Said>>,
    places: BTreeMap<(usize, MessageKey), Place>,
    /// Whom a client means by a contact, and the other way round.
    people: BTreeMap<(usize, ContactId), usize>,
    contacts: BTreeMap<(usize, usize), ContactId>,
    /// Said and neither delivered nor given up.
    open: BTreeSet<Place>,
    /// Delivered: shown, or waiting for its turn.
    delivered: BTreeSet<Place>,
    findings: Vec<Finding>,
    now: u64,
}

impl Model {
    /// A model of the pairs of a world, who have said nothing yet.
    #[must_use]
    pub fn of(world: &World, pairs: &[(usize, usize)]) -> Self {
        let mut model = Self::default();
        for (a, b) in pairs.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]) {
            let contact = world.peer(a, b);
            model.people.insert((a, contact), b);
            model.contacts.insert((a, b), contact);
            model.said.insert((a, b), Vec::new());
        }
        model
    }

    /// How much was said from one to another.
    #[must_use]
    pub fn count(&self, from: usize, to: usize) -> usize {
        self.said.get(&(from, to)).map_or(0, Vec::len)
    }

    /// Somebody's program says that this is queued, or shows it after a crash.
    pub(crate) fn said(&mut self, now: u64, from: usize, to: usize, message: &SavedMessage) {
        let all = self.said.entry((from, to)).or_default();
        let place = (from, to, all.len());
        all.push(Said {
            id: message.id,
            text: message.text.clone(),
            at: now,
            failed: false,
            recalled: false,
        });
        self.places.insert((from, (message.contact, message.id)), place);
        self.open.insert(place);
    }

    pub(crate) const fn tick(&mut self, now: u64) {
        self.now = now;
    }

    /// A client has saved a step.
    pub(crate) fn saved(&mut self, client: usize, clients: &mut [Client]) {
        for (key, state) in core::mem::take(&mut clients[client].disk.moved) {
            let Some(place) = self.places.get(&(client, key)).copied() else { continue };
            let (from, to, k) = place;
            match state {
                MessageState::Delivered => {
                    self.open.remove(&place);
                    self.delivered.insert(place);
                    let contact = self.contacts[&(to, from)];
                    if !holds(&clients[to].disk, (contact, key.1)) {
                        self.findings.push(Finding::ReceiptTooEarly(place));
                    }
                }
                MessageState::Failed | MessageState::NotStored => {
                    self.open.remove(&place);
                    let said = self.said.get_mut(&(from, to)).and_then(|all| all.get_mut(k));
                    if let Some(said) = said {
                        said.failed = true;
                        if self.now < said.at + GIVE_UP {
                            self.findings.push(Finding::GivenUp(place));
                        }
                    }
                }
                MessageState::Recalled => {
                    self.open.remove(&place);
                    let said = self.said.get_mut(&(from, to)).and_then(|all| all.get_mut(k));
                    said.into_iter().for_each(|said| said.recalled = true);
                }
                _ => {}
            }
        }
    }

    /// What was said last from one to another.
    pub(crate) fn last(&self, from: usize, to: usize) -> Option<MessageKey> {
        let said = self.said.get(&(from, to))?.last()?;
        Some((*self.contacts.get(&(from, to))?, said.id))
    }

    /// How much was taken back, and how much was given up.
    pub(crate) fn withdrawn(&self) -> (u64, u64) {
        let count = |so: fn(&&Said) -> bool| self.said.values().flatten().filter(so).count();
        let counts = (count(|said| said.recalled), count(|said| said.failed));
        (u64::try_from(counts.0).unwrap(), u64::try_from(counts.1).unwrap())
    }

    /// Whether something was said of which its sender does not know what became of it, or was
    /// delivered and waits for its turn.
    #[must_use]
    pub fn waits(&self, clients: &[Client]) -> bool {
        let shown = |(from, to, k): &Place| {
            let key = (self.contacts[&(*to, *from)], self.said[&(*from, *to)][*k].id);
            let message = clients[*to].disk.message(&key);
            message.is_some_and(|m| m.state == MessageState::Received)
        };
        !self.open.is_empty() || !self.delivered.iter().all(shown)
    }

    /// How much was said.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.said.values().map(|all| u64::try_from(all.len()).unwrap()).sum()
    }

    /// Compares what everybody has read with what was said to them.
    #[must_use]
    pub fn judge(&self, clients: &[Client]) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        for ((from, to), all) in &self.said {
            let said: Vec<soak::Said<'_, MessageId>> = all
                .iter()
                .map(|said| {
                    let given_up = said.failed || said.recalled;
                    soak::Said { key: said.id, text: &said.text, given_up }
                })
                .collect();
            let contact = self.contacts[&(*to, *from)];
            let shown = clients[*to].shown.iter().filter(|key| key.0 == contact);
            let seen = shown.map(|key| {
                let message = clients[*to].disk.message(key);
                (key.1, message.map(|message| message.text.as_str()))
            });
            let mut differences = compare(&said, seen);
            // What was given up and comes after all comes when it will.
            differences.retain(|d| !matches!(d, Difference::Reordered(k) if all[*k].failed));
            findings.extend(differences.into_iter().map(|d| Finding::of(d, *from, *to)));
            let shown: BTreeSet<MessageId> = clients[*to].shown.iter().map(|key| key.1).collect();
            let back = all.iter().enumerate().filter(|(_, said)| said.recalled);
            let seen = back.filter(|(_, said)| shown.contains(&said.id));
            findings.extend(seen.map(|(k, _)| Finding::TakenBack((*from, *to, k))));
            let own = self.contacts[&(*from, *to)];
            for (k, said) in all.iter().enumerate() {
                if clients[*from].disk.message(&(own, said.id)).is_none() {
                    findings.push(Finding::Forgotten((*from, *to, k)));
                }
            }
        }
        findings
    }
}

/// Whether a disk holds a message of the peer's: shown, or whole and waiting for its turn.
fn holds(disk: &Disk, key: MessageKey) -> bool {
    let row = [key.0, key.1].concat();
    disk.message(&key).is_some_and(|m| m.state == MessageState::Received)
        || disk.has(Table::Partial, &row)
}
