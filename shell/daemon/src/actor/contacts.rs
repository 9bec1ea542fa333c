//! Contacts: names, trust, comparing words.

use super::calls::wrong;
use super::{Core, Open};
use crate::types::error::Failure;
use crate::types::method::Comparison;
use crate::types::view;
use crate::wording;
use content::display::Untrusted;
use engine::{Command, ContactId, Engine, Reply, Trust};
use serde_json::Value;
use std::collections::BTreeMap;

/// Digits of an identifier that a nameless contact is called by.
const SHORT: usize = 8;

/// The name of every contact, cleaned for display and unique on this device (RPC-13).
///
/// The engine's names are unique before they are cleaned. Where cleaning makes two alike, the one
/// that needed no cleaning keeps its name, and then the verified one; the other gets a number.
pub(super) fn names(engine: &Engine) -> BTreeMap<ContactId, String> {
    let mut contacts: Vec<_> = engine
        .contacts()
        .map(|contact| {
            let shown = shown(&contact.id, &contact.name);
            let verified = matches!(contact.trust, Trust::Verified { .. });
            ((shown != contact.name, !verified, contact.id), shown)
        })
        .collect();
    contacts.sort();
    let mut names: BTreeMap<ContactId, String> = BTreeMap::new();
    for ((.., id), wish) in contacts {
        let mut name = wish.clone();
        let mut number = 2_u32;
        while names.values().any(|taken| *taken == name) {
            name = format!("{wish} ({number})");
            number = number.saturating_add(1);
        }
        names.insert(id, name);
    }
    names
}

fn shown(id: &ContactId, name: &str) -> String {
    let name = Untrusted::Name(name).display();
    if !name.is_empty() {
        return name;
    }
    let digits: String = hex(id).chars().take(SHORT).collect();
    format!("{} {digits}", wording::NAMELESS)
}

/// The contact of a name, as it is or in another case; or of an identifier or its beginning.
pub(super) fn find(engine: &Engine, text: &str) -> Result<(ContactId, String), Failure> {
    let names = names(engine);
    let wanted = Untrusted::Name(text).display();
    let lower = wanted.to_lowercase();
    let by = |fits: &dyn Fn(&ContactId, &str) -> bool| -> Vec<(ContactId, String)> {
        let fitting = names.iter().filter(|(id, name)| fits(id, name));
        fitting.map(|(id, name)| (*id, name.clone())).collect()
    };
    let mut found = by(&|_, name| name == wanted);
    if found.is_empty() {
        found = by(&|_, name| name.to_lowercase() == lower);
    }
    if found.is_empty() && text.starts_with("c_") {
        found = by(&|id, _| id_text('c', id).starts_with(text));
    }
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(wrong(wording::NO_CONTACT)),
        (Some(_), false) => Err(wrong(wording::SEVERAL)),
    }
}

/// `c_`, `i_`, `m_` and 32 hex digits.
pub(super) fn id_text(kind: char, id: &[u8; 16]) -> String {
    format!("{kind}_{}", hex(id))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Core {
    pub(super) fn contacts(&mut self) -> Result<Vec<view::Contact>, Failure> {
        let (engine, store) = self.parts()?;
        let counts = store.counts().map_err(|error| wording::storage(&error))?;
        let names = names(engine);
        let mut contacts: Vec<_> = engine
            .contacts()
            .map(|contact| {
                let count = counts.iter().find(|count| count.contact == contact.id);
                view::Contact {
                    id: id_text('c', &contact.id),
                    name: names.get(&contact.id).cloned().unwrap_or_default(),
                    trust: trust(contact.trust),
                    blocked: contact.blocked,
                    timer: contact.timer,
                    pending: count.map_or(0, |c| c.queued.saturating_add(c.stored)),
                    unread: count.map_or(0, |c| c.unread),
                    long_check: matches!(contact.trust, Trust::Verified { .. })
                        .then(|| engine.long_check(&contact.id))
                        .flatten()
                        .map(|words| words.map(str::to_owned).to_vec()),
                }
            })
            .collect();
        contacts.sort_by_key(|contact| contact.name.to_lowercase());
        Ok(contacts)
    }

    pub(super) fn rename(&mut self, contact: &str, name: String) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let (contact, _) = find(engine, contact)?;
        let wanted = Untrusted::Name(&name).display();
        let taken =
            names(engine).iter().any(|(other, taken)| *other != contact && *taken == wanted);
        if wanted.is_empty() || taken {
            return Err(wrong(if taken { wording::NAME_TAKEN } else { wording::NAME_EMPTY }));
        }
        self.done(Command::Rename { contact, name: wanted })
    }

    pub(super) fn remove(&mut self, contact: &str) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let (contact, _) = find(engine, contact)?;
        self.done(Command::RemoveContact(contact))
    }

    /// ENG-4, RPC-17: nothing in, nothing out.
    pub(super) fn block(&mut self, contact: &str, blocked: bool) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let (contact, _) = find(engine, contact)?;
        self.done(Command::Block { contact, blocked })
    }

    /// ENG-7, RPC-19: how long messages stay, on both sides.
    pub(super) fn set_timer(&mut self, contact: &str, seconds: u32) -> Result<Value, Failure> {
        let (engine, _) = self.parts()?;
        let (contact, _) = find(engine, contact)?;
        self.done(Command::SetTimer { contact, seconds })
    }

    /// STO-31: what is due from here on goes with the loop's next round.
    pub(super) fn set_retention(&mut self, days: u16) -> Result<Value, Failure> {
        let done = self.done(Command::SetRetention(days))?;
        if let Some(open) = &mut self.open {
            open.tidy_at = 0;
        }
        Ok(done)
    }

    /// RPC-14: what is read aloud, and which places are listened for; not what is heard there.
    pub(super) fn verify_begin(&mut self, contact: &str) -> Result<Comparison, Failure> {
        let (engine, _) = self.parts()?;
        let (id, name) = find(engine, contact)?;
        match self.command(Command::BeginVerify(id))? {
            Reply::Comparison { read_aloud, listen_for, tries_left } => Ok(Comparison {
                contact: name,
                read_aloud: read_aloud
                    .into_iter()
                    .map(|(at, word)| (at, word.to_owned()))
                    .collect(),
                listen_for: listen_for.to_vec(),
                tries_left,
            }),
            _ => Err(wording::internal()),
        }
    }

    pub(super) fn verify_words(
        &mut self,
        contact: &str,
        words: Vec<String>,
    ) -> Result<view::Contact, Failure> {
        let (engine, _) = self.parts()?;
        let (contact, _) = find(engine, contact)?;
        let Ok(words) = <[String; 3]>::try_from(words) else {
            return Err(wrong(wording::THREE_WORDS));
        };
        match self.command(Command::Verify { contact, words })? {
            Reply::Verified => {
                let id = id_text('c', &contact);
                let verified = self.contacts()?.into_iter().find(|view| view.id == id);
                verified.ok_or_else(|| wrong(wording::NO_CONTACT))
            }
            Reply::WrongWords { tries_left } => Err(wording::wrong_words(tries_left)),
            _ => Err(wording::internal()),
        }
    }

    /// Engine and store of the open profile.
    pub(super) fn parts(&mut self) -> Result<(&mut Engine, &mut store::Store), Failure> {
        self.open.as_mut().map_or_else(|| Err(wording::locked()), Open::parts)
    }
}

const fn trust(trust: Trust) -> view::Trust {
    match trust {
        Trust::Unverified => view::Trust::Unverified,
        Trust::Verified { since } => view::Trust::Verified { since },
        Trust::Changed => view::Trust::Changed,
        Trust::Locked => view::Trust::Locked,
    }
}
