//! The own inbox set changes: contacts are told, and what was left is still read (BRD-48).

use super::Engine;
use crate::changes::Table;
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::contact::ContactId;
use crate::own::{Full, Gone, Own};
use crate::pairing::InviteId;
use crate::step::Step;
use board::tag::OnionKey;
use rand_core::CryptoRng;

impl Engine {
    pub(super) fn add_mailbox(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        key: OnionKey,
    ) -> Result<Reply, CommandError> {
        self.own.join(key).map_err(|Full| CommandError::MailboxLimit)?;
        step.put(Table::Mailbox, &key, Own::to_row(None));
        self.inbox_changed(rng, now, step);
        Ok(Reply::Done)
    }

    pub(super) fn remove_mailbox(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        key: OnionKey,
    ) -> Result<Reply, CommandError> {
        let inbox = self.own.inbox();
        if inbox == [key] && !self.contacts.is_empty() {
            return Err(CommandError::NoMailbox);
        }
        self.leave(rng, now, step, key).then_some(Reply::Done).ok_or(CommandError::Unknown)
    }

    /// Leaves a mailbox, or forgets one that was left.
    fn leave(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        key: OnionKey,
    ) -> bool {
        let gone = self.own.leave(&key, now.unix_s());
        let known = !gone.is_empty();
        let moved = gone.iter().any(|gone| matches!(gone, Gone::Left(..)));
        for gone in gone {
            match gone {
                Gone::Left(key, until) => step.put(Table::Mailbox, &key, Own::to_row(Some(until))),
                Gone::Forgotten(key) => self.forget_mailbox(step, &key),
            }
        }
        if moved {
            self.inbox_changed(rng, now, step);
        } else if known {
            self.read_changed(now);
        }
        known
    }

    fn forget_mailbox(&self, step: &mut Step, key: &OnionKey) {
        step.delete(Table::Mailbox, key);
        self.forget_progress(step, key);
    }

    /// Leaves a mailbox of the inbox set that raised an alarm, if another one is left that did not and
    /// that answers, and forgets those that were left long ago.
    pub(super) fn move_on(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        let inbox = || self.own.inbox().iter().filter_map(|key| self.mailboxes.get(key));
        let bad: Vec<OnionKey> = inbox().filter(|m| m.alarm).map(|m| m.key).collect();
        // One that is gone is no place to be: contacts would write to nothing else.
        let good = inbox().any(|mailbox| !mailbox.alarm && mailbox.health.answers());
        for key in bad.iter().filter(|_| good) {
            self.leave(rng, now, step, *key);
        }
        let over = self.own.expire(now.unix_s());
        for key in &over {
            self.forget_mailbox(step, key);
        }
        if !over.is_empty() {
            self.read_changed(now);
        }
    }

    /// Tells every contact of the own inbox set.
    fn inbox_changed(&mut self, rng: &mut impl CryptoRng, now: Now, step: &mut Step) {
        self.profile.inbox_version = self.profile.inbox_version.saturating_add(1);
        self.save_profile(step);
        let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
        for contact in contacts {
            self.greet(rng, now, step, &contact);
            self.begin_anew(step, &contact);
        }
        self.read_changed(now);
    }

    /// Makes everything that is waited for follow the mailboxes that are read.
    fn read_changed(&mut self, now: Now) {
        self.sync_mailboxes(now);
        let contacts: Vec<ContactId> = self.contacts.keys().copied().collect();
        for contact in contacts {
            self.watch_contact(&contact);
            self.watch_sync(&contact);
            self.watch_renewed(&contact);
        }
        let pairings: Vec<InviteId> = self.pairings.keys().copied().collect();
        for pairing in pairings {
            self.watch_pairing(&pairing);
        }
        self.watch_files();
        self.watch_beacons();
    }
}
