//! How long the messages of a conversation stay (ENG-7), and what is due now (STO-31).

use super::Engine;
use crate::changes::{Change, EventKind, Table};
use crate::clock::Now;
use crate::command::{CommandError, Reply};
use crate::contact::ContactId;
use crate::engine::wish::may_write;
use crate::outbox::{ItemId, Load};
use crate::steady::CLOCK_KEY;
use crate::step::Step;
use crate::{Due, MessageId};
use content::{Timer, TimerSetting};
use rand_core::CryptoRng;

/// A counter that is further ahead than this was not reached by setting a timer: whoever sends it
/// wants nobody to be able to set another one (ENG-7).
const LEAP: u32 = 1024;
/// Faces are told of a contact's timer once in this time, whatever the contact does, in seconds.
const TELL_S: u64 = 3600;
/// Longest retention that is not for ever.
const MAX_RETENTION_DAYS: u16 = 365;
const DAY_S: u64 = 24 * 3600;

impl Engine {
    /// What is to be deleted from conversations at this moment.
    #[must_use]
    pub fn due(&self, now: Now) -> Due {
        let steady = self.steady.at(now);
        let kept = match self.profile.retention {
            0 => steady,
            days => u64::from(days).saturating_mul(DAY_S),
        };
        Due { now: steady, since_before: steady.saturating_sub(kept) }
    }

    /// Days that messages stay on this device; 0 is for ever.
    #[must_use]
    pub const fn retention(&self) -> u16 {
        self.profile.retention
    }

    pub(super) fn set_retention(
        &mut self,
        step: &mut Step,
        days: u16,
    ) -> Result<Reply, CommandError> {
        if days > MAX_RETENTION_DAYS {
            return Err(CommandError::BadRetention);
        }
        self.profile.retention = days;
        self.save_profile(step);
        Ok(Reply::Done)
    }

    /// Sets the timer of a conversation and tells the contact.
    pub(super) fn set_timer(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: ContactId,
        seconds: u32,
    ) -> Result<Reply, CommandError> {
        let timer = Timer::new(seconds).ok_or(CommandError::BadTimer)?;
        let contact = self.contacts.get_mut(&id).ok_or(CommandError::Unknown)?;
        may_write(contact)?;
        let terms = &mut contact.terms;
        if terms.timer.timer == timer {
            return Ok(Reply::Done);
        }
        let counter = terms.timer.counter.checked_add(1).ok_or(CommandError::BadTimer)?;
        terms.timer = TimerSetting { counter, timer };
        terms.told = timer;
        step.event(now, EventKind::ContactTimer, Some(id));
        self.save_contact(step, &id);
        self.tell_timer(rng, now, step, &id);
        Ok(Reply::Done)
    }

    /// Queues the setting in force for the contact, in the place of an older one that has not left.
    /// Also after a session was made anew: the peer may have an older one, or none.
    pub(super) fn tell_timer(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: &ContactId,
    ) {
        let Some(terms) = self.contacts.get(id).map(|contact| contact.terms) else { return };
        if terms.timer.counter == 0 {
            return;
        }
        self.drop_unsaid_timer(step, id);
        let item = self.queue(rng, now, step, id, Load::Timer(terms.timer));
        if let Some(contact) = self.contacts.get_mut(id) {
            contact.terms.telling = Some(item);
        }
        self.save_contact(step, id);
    }

    /// Drops what says a setting that is no longer in force, if it has not left. The caller saves the
    /// contact.
    fn drop_unsaid_timer(&mut self, step: &mut Step, id: &ContactId) {
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let unsaid = |item: &ItemId| self.outbox.get(item).is_some_and(|i| i.sealed.is_none());
        if let Some(item) = contact.terms.telling.take_if(|item| unsaid(item)) {
            self.drop_item(step, &item);
        }
    }

    /// The contact has set the timer. What both have set is settled by CNT-9.
    pub(super) fn timer_told(
        &mut self,
        now: Now,
        step: &mut Step,
        id: &ContactId,
        setting: TimerSetting,
    ) {
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let held = contact.terms.timer;
        if !setting.outranks(held) || setting.counter > held.counter.saturating_add(LEAP) {
            return;
        }
        contact.terms.timer = setting;
        // What says the one that has lost need not leave any more.
        self.drop_unsaid_timer(step, id);
        self.save_contact(step, id);
        self.say_timer(now, step, id);
    }

    /// Tells faces of a contact's timer: at once, or when the last time was an hour ago, and then
    /// the one in force.
    pub(super) fn say_timer(&mut self, now: Now, step: &mut Step, id: &ContactId) {
        let at = self.steady.at(now);
        let Some(contact) = self.contacts.get_mut(id) else { return };
        let terms = &mut contact.terms;
        if terms.told == terms.timer.timer || at < terms.told_at.saturating_add(TELL_S) {
            return;
        }
        (terms.told, terms.told_at) = (terms.timer.timer, at);
        step.event(now, EventKind::ContactTimer, Some(*id));
        self.save_contact(step, id);
    }

    /// The timer that a message to this contact carries.
    pub(super) fn timer_of(&self, id: &ContactId) -> Timer {
        self.contacts.get(id).map_or(Timer::OFF, |contact| contact.terms.timer.timer)
    }

    /// A message of ours has left: its timer begins, if it has one and it did not begin before.
    pub(super) fn begin_timer(&self, now: Now, step: &mut Step, contact: ContactId, id: MessageId) {
        step.change(Change::BeginTimer { contact, id, at: self.steady.at(now) });
    }

    /// What is done about ages every minute.
    pub(super) fn age(&mut self, now: Now, step: &mut Step) {
        if let Some(row) = self.steady.note(now) {
            step.put(Table::Profile, CLOCK_KEY, row);
        }
        let untold = |terms: &crate::terms::Terms| terms.told != terms.timer.timer;
        let untold = self.contacts.values().filter(|contact| untold(&contact.terms));
        let untold: Vec<ContactId> = untold.map(|contact| contact.id).collect();
        for contact in untold {
            self.say_timer(now, step, &contact);
        }
    }
}
