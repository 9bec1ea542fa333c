//! Blocking a contact (ENG-4).

use super::Engine;
use crate::changes::EventKind;
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::contact::{ContactId, is_blocked};
use crate::mailbox::finds::For;
use crate::outbox::{ItemId, Owner};
use crate::step::Step;
use board::envelope::Envelope;
use board::tag::OnionKey;

impl Engine {
    /// ENG-4: the schedule, the mailboxes that it visits and the tags that are looked for stay as
    /// they are; what changes is only what a slot carries.
    pub(super) fn block(
        &mut self,
        now: Now,
        step: &mut Step,
        id: ContactId,
        blocked: bool,
    ) -> Result<Reply, CommandError> {
        let contact = self.contacts.get_mut(&id).ok_or(CommandError::Unknown)?;
        if contact.terms.blocked == blocked {
            return Ok(Reply::Done);
        }
        contact.terms.blocked = blocked;
        self.save_contact(step, &id);
        let kind = if blocked { EventKind::ContactBlocked } else { EventKind::ContactUnblocked };
        step.event(now, kind, Some(id));
        if blocked {
            self.end_files(now, step, &id); // FIL-13
        } else {
            self.go_on_pursuing(now, step, &id);
            self.unhold();
        }
        Ok(Reply::Done)
    }

    /// What was noted and is of nobody who is blocked is fetched like all else; what is of nobody
    /// is forgotten.
    pub(super) fn unhold(&mut self) {
        let contacts = &self.contacts;
        for mailbox in self.mailboxes.values_mut() {
            let freed = mailbox.held.release(|id| !is_blocked(contacts, id)).into_iter();
            for (id, page) in freed.filter(|(id, _)| contacts.contains_key(id)) {
                for chunk in page.chunks {
                    mailbox.finds.keep(&page.header, chunk, For::Contact(id));
                }
            }
        }
    }

    /// Notes where envelopes of blocked contacts lie: they are not opened.
    pub(super) fn hold(&mut self, key: &OnionKey, page: u64, chunk: u16, envelopes: &[Envelope]) {
        for envelope in envelopes {
            let meaning = self.watch.meaning(key, &envelope.tag());
            let blocked = meaning.and_then(|m| m.contact());
            if let Some(contact) = blocked.filter(|id| is_blocked(&self.contacts, id))
                && let Some(mailbox) = self.mailboxes.get_mut(key)
            {
                let Some(header) = mailbox.header_of(page).copied() else { return };
                mailbox.held.note(contact, &header, chunk);
            }
        }
    }

    /// What could not leave begins its 14 days when it may (BRD-41).
    pub(super) fn go_on_pursuing(&mut self, now: Now, step: &mut Step, id: &ContactId) {
        let waiting: Vec<ItemId> = self
            .outbox
            .of(Owner::Contact(*id))
            .filter(|item| item.sealed.is_none())
            .map(|item| item.id)
            .collect();
        for item in waiting {
            self.outbox.change(&item, |item| item.queued = now.unix_s());
            self.save_item(step, &item);
        }
    }
}
