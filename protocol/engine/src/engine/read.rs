//! Reading digests: streams and windows, and what is found in their pages (BRD-35, 37, 43).

use super::{Engine, Purpose};
use crate::changes::{EventKind, Table};
use crate::clock::Now;
use crate::contact::{Contact, ContactId, is_blocked};
use crate::mailbox::held::HeldKey;
use crate::mailbox::{Mailbox, Role, Seen};
use crate::step::{Effect, OpId, OperationKind, Step};
use crate::watch::{Changed, Meaning};
use board::frame::Window;
use board::header::{DigestFrame, PageHeader};
use board::tag::{OnionKey, Tag};
use rand_core::CryptoRng;
use std::collections::BTreeMap;

impl Engine {
    /// Opens and closes digest streams and windows (BRD-35).
    pub(super) fn reads_due(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        let mode = self.profile.mode;
        let keys: Vec<OnionKey> = self.mailboxes.keys().copied().collect();
        for key in keys {
            let closing = self.mailboxes.get_mut(&key).map(|m| m.take_closing(now));
            for id in closing.into_iter().flatten() {
                self.operations.remove(&id);
                step.effect(Effect::Stop(id));
            }
            while let Some(window) =
                self.mailboxes.get_mut(&key).and_then(|m| m.take_due(now, mode))
            {
                let purpose = Purpose::Digest { mailbox: key, window, day: now.days() };
                let id = self.start(rng, step, key, OperationKind::Digest(window), purpose);
                if let Some(mailbox) =
                    self.mailboxes.get_mut(&key).filter(|_| window == Window::Stream)
                {
                    mailbox.stream_opened(id, now);
                }
            }
        }
    }

    pub(super) fn digest_frame(
        &mut self,
        now: Now,
        step: &mut Step,
        key: OnionKey,
        window: Window,
        frame: DigestFrame,
    ) {
        let Some(mailbox) = self.mailboxes.get_mut(&key) else { return };
        mailbox.health.worked(now);
        let page = frame.header.page;
        match mailbox.take_frame(frame, window, now) {
            Seen::Known | Seen::Early => return,
            Seen::Fork => raise_alarm(mailbox, now, step),
            Seen::New => {}
        }
        if mailbox.role != Role::Target {
            self.look_in(&key, page);
            self.judge_loops(now, step, &key);
        }
    }

    /// Notes the chunks of a page that hold something of ours.
    fn look_in(&mut self, key: &OnionKey, page: u64) {
        let Some(mailbox) = self.mailboxes.get_mut(key) else { return };
        let Some(frame) = mailbox.frame(page) else { return };
        let header = frame.header;
        let mut prefixes = frame.prefixes.clone();
        prefixes.dedup();
        let found: Vec<(u16, Tag, Meaning)> = prefixes
            .iter()
            .flat_map(|prefix| {
                let tags = self.watch.with_prefix(key, prefix);
                tags.flat_map(move |(tag, meaning)| {
                    frame.chunks_of(prefix).map(move |chunk| (chunk, tag, meaning))
                })
            })
            .collect();
        for (chunk, tag, meaning) in found {
            note(&self.contacts, mailbox, &header, chunk, tag, meaning);
        }
    }

    /// Looks for tags that became known after their pages were read, and forgets what nobody
    /// waits for any more.
    pub(super) fn watch_changed(&mut self, changed: &Changed) {
        for ((key, _), tag) in &changed.gone {
            if let Some(mailbox) = self.mailboxes.get_mut(key) {
                mailbox.finds.forget(&tag.0);
            }
        }
        for ((key, meaning), tag) in &changed.fresh {
            // Random, and put after this: it lies on no page that is held.
            if matches!(meaning, Meaning::Loop { .. }) {
                continue;
            }
            let Some(mailbox) = self.mailboxes.get_mut(key) else { continue };
            let Some(prefix) = tag.0.first_chunk::<8>() else { continue };
            let found: Vec<(PageHeader, u16)> = mailbox
                .frames()
                .flat_map(|frame| frame.chunks_of(prefix).map(|chunk| (frame.header, chunk)))
                .collect();
            for (header, chunk) in found {
                note(&self.contacts, mailbox, &header, chunk, *tag, *meaning);
            }
        }
    }

    /// Saves how far the own mailboxes were read, as part of the step that brought it about.
    pub(super) fn settle(&mut self, step: &mut Step) {
        for key in &self.read {
            let Some(mailbox) = self.mailboxes.get_mut(key) else { continue };
            let found = mailbox.finds.take_changed().into_iter();
            let held = mailbox.held.take_changed().into_iter();
            if mailbox.role != Role::Own {
                continue;
            }
            let found = found.map(|(page, row)| (found_key(key, page), row));
            for (key, row) in found.chain(held.map(|(held, row)| (held_key(key, held), row))) {
                match row {
                    Some(row) => step.put(Table::Cursor, &key, row),
                    None => step.delete(Table::Cursor, &key),
                }
            }
            if let Some(cursor) = mailbox.settle() {
                step.put(Table::Cursor, key, cursor.to_row());
            }
        }
    }

    /// Removes what was saved of the progress at a mailbox.
    pub(super) fn forget_progress(&self, step: &mut Step, key: &OnionKey) {
        step.delete(Table::Cursor, key);
        let Some(mailbox) = self.mailboxes.get(key) else { return };
        for page in mailbox.finds.pages() {
            step.delete(Table::Cursor, &found_key(key, page));
        }
        for held in mailbox.held.keys() {
            step.delete(Table::Cursor, &held_key(key, held));
        }
    }

    pub(super) fn digest_ended(&mut self, now: Now, key: OnionKey, window: Window, id: OpId) {
        let mode = self.profile.mode;
        if let Some(mailbox) = self.mailboxes.get_mut(&key) {
            match window {
                Window::Stream => mailbox.stream_lost(id, now, mode),
                _ => mailbox.window_read(),
            }
        }
    }
}

/// Says, once, that a mailbox showed what no honest one shows (BRD-37, ENG-11).
pub(super) fn raise_alarm(mailbox: &mut Mailbox, now: Now, step: &mut Step) {
    if !mailbox.alarm {
        mailbox.alarm = true;
        step.event(now, EventKind::MailboxAlarm, None);
    }
}

/// A chunk may hold what is waited for under this tag: it is to be fetched, or only noted while its
/// contact is blocked (ENG-4).
fn note(
    contacts: &BTreeMap<ContactId, Contact>,
    mailbox: &mut Mailbox,
    header: &PageHeader,
    chunk: u16,
    tag: Tag,
    meaning: Meaning,
) {
    match meaning.contact().filter(|id| is_blocked(contacts, id)) {
        Some(contact) => mailbox.held.note(contact, header, chunk),
        None => mailbox.finds.note(header, chunk, tag.0, meaning.owner().into()),
    }
}

/// Key of the row of a page with something that is still to be fetched.
fn found_key(mailbox: &OnionKey, page: u64) -> Vec<u8> {
    [mailbox.as_slice(), &page.to_be_bytes()].concat()
}

/// Key of the row of a page with something of a blocked contact.
fn held_key(mailbox: &OnionKey, (contact, page): HeldKey) -> Vec<u8> {
    [mailbox.as_slice(), &page.to_be_bytes(), &contact].concat()
}
