//! What faces may know of the engine's state.

use super::Engine;
use crate::contact::{ContactId, Trust};
use crate::mailbox::Role;
use crate::pairing::{InviteId, Phase};
use crate::schedule::Mode;
use crate::step::FailReason;
use board::tag::OnionKey;
use crypto::Zeroizing;

/// A contact, as views show it.
pub struct ContactView {
    /// Identifier.
    pub id: ContactId,
    /// Local name; not cleaned for display.
    pub name: String,
    /// How far it is trusted.
    pub trust: Trust,
    /// Blocked here (ENG-4).
    pub blocked: bool,
    /// How long messages stay, in seconds; 0 is for ever (ENG-7).
    pub timer: u32,
    /// Messages of ours that are not delivered yet.
    pub pending: usize,
}

/// Where an invite stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteState {
    /// M1 is not at the mailbox yet.
    Depositing,
    /// Can be handed out.
    Ready,
    /// The handshake goes on.
    Answered,
    /// A contact came of it.
    Used,
    /// Ours was used a second time.
    Reused,
    /// The one we took had been used before.
    Refused,
    /// We took it; the handshake goes on.
    Accepting,
    /// Over without a contact.
    Dead,
}

/// An invite, as views show it.
pub struct InviteView {
    /// Identifier.
    pub id: InviteId,
    /// Local name of the contact to be.
    pub name: String,
    /// Whether it was made here.
    pub ours: bool,
    /// Where it stands.
    pub state: InviteState,
    /// Unix seconds.
    pub expires: u64,
    /// What to hand out; only while [`InviteState::Ready`] (INV-2).
    pub uri: Option<Zeroizing<String>>,
    /// The contact that came of it.
    pub contact: Option<ContactId>,
}

/// An own mailbox, as views show it.
pub struct MailboxView {
    /// Onion key.
    pub key: OnionKey,
    /// It showed two histories, or bytes that no honest mailbox shows.
    pub alarm: bool,
    /// When it last answered, on the monotonic clock.
    pub answered: Option<u64>,
    /// Operations in a row that failed.
    pub failures: u32,
    /// Why the last one failed.
    pub reason: Option<FailReason>,
    /// Our clock minus the mailbox's, in seconds, while they are too far apart (BRD-37).
    pub skew_s: Option<i64>,
    /// Contacts are told to write elsewhere; until when it is still read, in Unix seconds (BRD-48).
    pub left_until: Option<u64>,
}

impl Engine {
    /// All contacts.
    pub fn contacts(&self) -> impl Iterator<Item = ContactView> {
        self.contacts.values().map(|contact| ContactView {
            id: contact.id,
            name: contact.name.clone(),
            trust: contact.trust,
            blocked: contact.terms.blocked,
            timer: contact.terms.timer.timer.seconds(),
            pending: self.pending(&contact.id),
        })
    }

    /// The twelve words of the long-term check (SAS-5). Costs some milliseconds.
    #[must_use]
    pub fn long_check(&self, contact: &ContactId) -> Option<[&'static str; 12]> {
        let peer = self.contacts.get(contact)?.cert.fingerprint();
        Some(identity::long_check(&self.profile.identity.cert().fingerprint(), &peer))
    }

    /// All invites, given and taken.
    pub fn invites(&self) -> impl Iterator<Item = InviteView> {
        self.pairings.values().map(|pairing| InviteView {
            id: pairing.id,
            name: pairing.name.clone(),
            ours: pairing.ours,
            state: match (&pairing.phase, pairing.reused) {
                (Phase::Answered { .. } | Phase::UsedUp(_), true) => InviteState::Reused,
                (Phase::Fetching(_) | Phase::Accepting { .. } | Phase::Dead, true) => {
                    InviteState::Refused
                }
                (Phase::Depositing(_), _) => InviteState::Depositing,
                (Phase::Ready(_), _) => InviteState::Ready,
                (Phase::Answered { .. }, false) => InviteState::Answered,
                (Phase::UsedUp(_), false) | (Phase::Accepted, _) => InviteState::Used,
                (Phase::Fetching(_) | Phase::Accepting { .. }, false) => InviteState::Accepting,
                (Phase::Dead, false) => InviteState::Dead,
            },
            expires: u64::from(pairing.expires).saturating_mul(3600),
            uri: match &pairing.phase {
                Phase::Ready(inviter) => Some(inviter.invite().to_uri()),
                _ => None,
            },
            contact: pairing.contact,
        })
    }

    /// Own mailboxes.
    pub fn mailboxes(&self) -> impl Iterator<Item = MailboxView> {
        self.mailboxes.values().filter(|m| m.role == Role::Own).map(|mailbox| MailboxView {
            key: mailbox.key,
            alarm: mailbox.alarm,
            answered: mailbox.health.answered,
            failures: mailbox.health.failures,
            skew_s: mailbox.health.skew_s,
            reason: mailbox.health.reason,
            left_until: self.own.left_until(&mailbox.key),
        })
    }

    /// The schedule.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.profile.mode
    }

    /// The name that peers are shown at pairing.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.profile.name
    }
}
