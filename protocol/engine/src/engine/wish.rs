//! Carrying out what people ask for.

use super::Engine;
use crate::MessageId;
use crate::changes::{Change, EventKind, Message, MessageState};
use crate::clock::Now;
use crate::command::{Command, CommandError, Reply};
use crate::contact::{Contact, ContactId, Trust, VERIFY_TRIES};
use crate::outbox::{Item, Load, Owner};
use crate::pairing::{Pairing, Phase, slot};
use crate::step::Step;
use board::tag::{Direction, InviteSlots};
use content::{TextError, Timer, split_text};
use crypto::Zeroizing;
use handshake::{Invite, InviteError, Inviter};
use identity::{Sas, word_matches};
use rand_core::CryptoRng;

/// Hours that an invite may live at most (INV-3).
const MAX_INVITE_H: u32 = 30 * 24;
/// A message is sent again as the same one so long after it was written (BRD-50), in seconds.
const RETRY_S: u64 = 30 * 24 * 3600;

/// A message to be queued.
struct New<'a> {
    message: MessageId,
    text: &'a Zeroizing<String>,
    timer: Timer,
    /// When it was first sent, and whether something of it may have left, if it is sent again.
    again: Option<(u64, bool)>,
}

impl Engine {
    /// Carries out a wish, or says why nothing was done.
    ///
    /// # Errors
    /// [`CommandError`]; the engine is as it was.
    pub fn handle_command(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        command: Command,
    ) -> Result<(Reply, Step), CommandError> {
        let mut step = Step::default();
        let reply = self.command(rng, now, command, &mut step)?;
        self.files_due(rng, now, &mut step);
        self.arm_fast(now);
        self.settle(&mut step);
        Ok((reply, step))
    }

    fn command(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        command: Command,
        step: &mut Step,
    ) -> Result<Reply, CommandError> {
        match command {
            Command::SetMode(mode) => {
                self.profile.mode = mode;
                self.save_profile(step);
                Ok(Reply::Done)
            }
            Command::SetPace(pace) => self.choose_pace(rng, now, step, pace),
            Command::SetRetention(days) => self.set_retention(step, days),
            Command::AddMailbox(key) => self.add_mailbox(rng, now, step, key),
            Command::RemoveMailbox(key) => self.remove_mailbox(rng, now, step, key),
            Command::NewInvite { name, hours } => self.new_invite(rng, now, step, name, hours),
            Command::RevokeInvite(id) => {
                self.pairings.get(&id).ok_or(CommandError::Unknown)?;
                self.kill_pairing(now, step, &id);
                Ok(Reply::Done)
            }
            Command::Accept { uri, name } => self.accept(rng, now, step, &uri, name),
            Command::Rename { contact, name } => self.rename(step, contact, &name),
            Command::RemoveContact(id) => {
                self.contacts.get(&id).ok_or(CommandError::Unknown)?;
                self.forget_contact(now, step, &id);
                Ok(Reply::Done)
            }
            Command::Block { contact, blocked } => self.block(now, step, contact, blocked),
            Command::SetTimer { contact, seconds } => {
                self.set_timer(rng, now, step, contact, seconds)
            }
            Command::BeginVerify(id) => self.begin_verify(id),
            Command::Verify { contact, words } => self.verify(rng, now, step, contact, &words),
            Command::Send { contact, text } => {
                let mut id = [0; 16];
                rng.fill_bytes(&mut id);
                let timer = self.timer_of(&contact);
                let new = New { message: id, text: &text, timer, again: None };
                self.send(rng, now, step, contact, new)
            }
            Command::SendFile { contact, name, bytes } => {
                self.send_file(rng, now, step, contact, name, &bytes)
            }
            Command::CancelFile { contact, file } => self.cancel_file(now, step, (contact, file)),
            Command::FileSaved { contact, file, name } => {
                self.file_saved(now, step, (contact, file), name)
            }
            Command::Recall { contact, message } => self.recall(now, step, contact, message),
            Command::Retry { contact, message, text, sent, left, timer } => {
                if self.outbox.of_message(contact, message).next().is_some() {
                    return Err(CommandError::TooLate);
                }
                if now.unix_s().saturating_sub(sent) > RETRY_S {
                    return Err(CommandError::TooOld); // BRD-50
                }
                let timer = Timer::new(timer).unwrap_or(Timer::OFF);
                let again = New { message, text: &text, timer, again: Some((sent, left)) };
                self.send(rng, now, step, contact, again)
            }
        }
    }

    fn new_invite(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        name: String,
        hours: u32,
    ) -> Result<Reply, CommandError> {
        check_name(&name, true)?;
        if hours == 0 || hours > MAX_INVITE_H {
            return Err(CommandError::BadHours);
        }
        if self.own.inbox().is_empty() {
            return Err(CommandError::NoMailbox);
        }
        let expires = now.hours().saturating_add(hours);
        let inviter = Inviter::new(rng, &self.profile.identity, self.own.inbox(), expires)
            .map_err(|_| CommandError::Internal)?;
        let slots = InviteSlots::new(inviter.secret().expose_secret());
        let m1 = inviter.m1().to_vec();
        let mailboxes = self.own.inbox().to_vec();
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let phase = Phase::Depositing(Box::new(inviter));
        self.pairings.insert(id, Pairing::new(id, name, expires, phase));
        let d = Direction::ToInvited;
        self.deposit(rng, now, step, &id, &slots, d, slot::M1, &m1, &mailboxes);
        self.save_pairing(step, &id);
        self.watch_pairing(&id);
        Ok(Reply::Invite(id))
    }

    fn accept(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        uri: &str,
        name: String,
    ) -> Result<Reply, CommandError> {
        check_name(&name, true)?;
        let invite = Invite::from_uri(uri.trim()).map_err(|error| match error {
            InviteError::Mistyped => CommandError::Mistyped,
            _ => CommandError::NotAnInvite,
        })?;
        if invite.expiry_hours() < now.hours() {
            return Err(CommandError::Expired);
        }
        if self.own.inbox().is_empty() {
            return Err(CommandError::NoMailbox);
        }
        let same = |other: &Invite| other.m1_hash() == invite.m1_hash();
        let known = self.pairings.values().any(|pairing| match &pairing.phase {
            Phase::Depositing(inviter) | Phase::Ready(inviter) => same(&inviter.invite()),
            Phase::Fetching(other) | Phase::Accepting { invite: other, .. } => same(other),
            _ => false,
        });
        if known {
            return Err(CommandError::OwnInvite);
        }
        let mut id = [0; 16];
        rng.fill_bytes(&mut id);
        let expires = invite.expiry_hours();
        let phase = Phase::Fetching(Box::new(invite));
        self.pairings.insert(id, Pairing::new(id, name, expires, phase));
        self.save_pairing(step, &id);
        self.sync_mailboxes(now);
        self.watch_pairing(&id);
        self.look_for_invite(now, &id);
        Ok(Reply::Invite(id))
    }

    fn rename(
        &mut self,
        step: &mut Step,
        id: ContactId,
        name: &str,
    ) -> Result<Reply, CommandError> {
        check_name(name, false)?;
        if self.contacts.values().any(|contact| contact.name == name && contact.id != id) {
            return Err(CommandError::BadName);
        }
        let contact = self.contacts.get_mut(&id).ok_or(CommandError::Unknown)?;
        name.clone_into(&mut contact.name);
        self.save_contact(step, &id);
        Ok(Reply::Done)
    }

    fn begin_verify(&self, id: ContactId) -> Result<Reply, CommandError> {
        let contact = self.contacts.get(&id).ok_or(CommandError::Unknown)?;
        // Whoever has verified already still reads aloud for the other side.
        if contact.trust == Trust::Locked {
            return Err(CommandError::Locked);
        }
        let words = Sas::from_code(contact.sas).words();
        let place = |at: usize| u8::try_from(at.saturating_add(1)).unwrap_or(0);
        let read = |at: usize| (place(at), words.get(at).copied().unwrap_or_default());
        Ok(Reply::Comparison {
            read_aloud: contact.own_words().map(read),
            listen_for: contact.peer_words().map(place),
            tries_left: VERIFY_TRIES.saturating_sub(contact.tries),
        })
    }

    /// Typed words decide (SAS-3); three wrong tries lock the contact and void the pairing.
    fn verify(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: ContactId,
        words: &[String; 3],
    ) -> Result<Reply, CommandError> {
        let contact = self.contacts.get_mut(&id).ok_or(CommandError::Unknown)?;
        match contact.trust {
            Trust::Verified { .. } => return Err(CommandError::AlreadyVerified),
            Trust::Locked => return Err(CommandError::Locked),
            Trust::Unverified | Trust::Changed => {}
        }
        let mut right = true;
        for (at, typed) in contact.peer_words().into_iter().zip(words) {
            let byte = contact.sas.get(at).copied().unwrap_or_default();
            right &= word_matches(byte, at, typed.trim());
        }
        if right {
            contact.trust = Trust::Verified { since: now.unix_s() };
            contact.tries = 0;
            let invited = !contact.inviter;
            step.event(now, EventKind::ContactVerified, Some(id));
            self.save_contact(step, &id);
            self.go_on_pursuing(now, step, &id);
            if invited {
                self.greet(rng, now, step, &id);
            }
            // Whoever paired anew may know another setting, or none.
            self.tell_timer(rng, now, step, &id);
            return Ok(Reply::Verified);
        }
        contact.tries = contact.tries.saturating_add(1);
        let tries_left = VERIFY_TRIES.saturating_sub(contact.tries);
        if tries_left == 0 {
            contact.trust = Trust::Locked;
            step.event(now, EventKind::VerificationFailed, Some(id));
            self.watch_contact(&id);
            self.watch_sync(&id);
            self.void_files(now, step, &id);
        }
        self.save_contact(step, &id);
        Ok(Reply::WrongWords { tries_left })
    }

    fn send(
        &mut self,
        rng: &mut impl CryptoRng,
        now: Now,
        step: &mut Step,
        id: ContactId,
        new: New<'_>,
    ) -> Result<Reply, CommandError> {
        let New { message, text, timer, again } = new;
        let contact = self.contacts.get(&id).ok_or(CommandError::Unknown)?;
        may_write(contact)?;
        let seq = self.next_seq(&id, now);
        let (sent, left) = again.unwrap_or((now.unix_s(), false));
        let parts = split_text(message, seq, sent, timer, text).map_err(|e| match e {
            TextError::Empty => CommandError::Empty,
            TextError::TooLong => CommandError::TooLong,
        })?;
        if let Some(session) = self.sessions.get_mut(&id) {
            session.seq_out = seq.saturating_add(1);
        }
        for part in parts {
            let item = self.make_item(rng, now, Owner::Contact(id), Load::Part(part));
            self.outbox.change(&item, |item| item.left = left);
            self.save_item(step, &item);
        }
        let state = MessageState::Queued;
        step.change(match again {
            Some(_) => Change::MessageState { contact: id, id: message, state },
            None => Change::Message(Message {
                id: message,
                contact: id,
                state,
                text: text.clone(),
                sent,
                saved: now.unix_s(),
                since: self.steady.at(now),
                timer: timer.seconds(),
            }),
        });
        self.save_session(step, &id);
        Ok(Reply::Message(message))
    }

    fn recall(
        &mut self,
        now: Now,
        step: &mut Step,
        contact: ContactId,
        message: MessageId,
    ) -> Result<Reply, CommandError> {
        let items: Vec<&Item> = self.outbox.of_message(contact, message).collect();
        if items.is_empty() {
            return Err(CommandError::Unknown);
        }
        if items.iter().any(|item| item.sealed.is_some() || item.left) {
            return Err(CommandError::TooLate);
        }
        let items: Vec<[u8; 16]> = items.into_iter().map(|item| item.id).collect();
        self.drop_message(step, &contact, items);
        let state = MessageState::Recalled;
        step.change(Change::MessageState { contact, id: message, state });
        step.message_event(now, EventKind::State, Some(contact), Some(message));
        Ok(Reply::Done)
    }

    /// Messages of ours that wait for this contact; for views.
    pub(super) fn pending(&self, contact: &ContactId) -> usize {
        let mut messages: Vec<MessageId> =
            self.outbox.of(Owner::Contact(*contact)).filter_map(Item::message).collect();
        messages.dedup();
        messages.len()
    }
}

/// Whether words may be queued for this contact, or why not (SAS-4, ID-3, ENG-4).
pub(super) const fn may_write(contact: &Contact) -> Result<(), CommandError> {
    match contact.trust {
        Trust::Unverified => Err(CommandError::Unverified),
        Trust::Changed => Err(CommandError::KeyChanged),
        Trust::Locked => Err(CommandError::Locked),
        Trust::Verified { .. } if contact.terms.blocked => Err(CommandError::Blocked),
        Trust::Verified { .. } => Ok(()),
    }
}

fn check_name(name: &str, may_be_empty: bool) -> Result<(), CommandError> {
    let fits = name.len() <= handshake::MAX_NAME_LEN && !name.chars().any(char::is_control);
    if fits && (may_be_empty || !name.trim().is_empty()) {
        Ok(())
    } else {
        Err(CommandError::BadName)
    }
}
