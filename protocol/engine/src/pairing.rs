//! Invites, given and taken, as stored state (INV-1..3, BRD-45). The transitions are in
//! `engine/pairing.rs`.
//!
//! ```text
//!  ours    Depositing --stored--> Ready --M2--> Answered --M4--> Used
//!                                   |              +---- second M2: reused, reported
//!                                   +--16 garbage, expiry, revoke--> Dead
//!  theirs  Fetching --M1--> Accepting --M3--> Used
//!              +----------------+------- refusal: reported
//! ```

use crate::contact::ContactId;
use crate::rows::{done, get_bytes, get_flag, get_text, open_row, put_bytes, put_flag, row};
use board::tag::{Direction, InviteSlots, OnionKey, Tag};
use crypto::Zeroizing;
use crypto::aead::EnvelopeKey;
use handshake::{AwaitingM3, AwaitingM4, Invite, Inviter};
use std::collections::BTreeMap;
use wire::{Malformed, Reader, Writer};

/// Names an invite on this device, 16 random bytes.
pub type InviteId = [u8; 16];

/// Slots of one invite. The number is the `i` of BRD-2; direction and meaning are fixed by it.
pub(crate) mod slot {
    /// M1, inviter to invited.
    pub(crate) const M1: u8 = 0;
    /// First part of M2, invited to inviter; the second is at 1.
    pub(crate) const M2: u8 = 0;
    /// M4, invited to inviter.
    pub(crate) const M4: u8 = 2;
    /// First part of M3, inviter to invited; the second is at 2.
    pub(crate) const M3: u8 = 1;
    /// Refusal, inviter to invited.
    pub(crate) const REFUSAL: u8 = 7;
}

/// Handshakes that may be under way at once at the same tags (BRD-43).
const CANDIDATES: usize = 8;
/// Handshakes that do not verify, until the invite is burnt (INV-3).
pub(crate) const GARBAGE_LIMIT: u8 = 16;

/// A slot of a burnt invite: tag and key stay, the secret that they came from does not.
pub(crate) struct KeptSlot {
    pub(crate) slot: u8,
    pub(crate) mailbox: OnionKey,
    pub(crate) tag: Tag,
    pub(crate) key: EnvelopeKey,
}

/// Where an invite stands.
pub(crate) enum Phase {
    /// Ours; M1 is not at the mailbox yet.
    Depositing(Box<Inviter>),
    /// Ours; can be handed out.
    Ready(Box<Inviter>),
    /// Ours; M2 verified and M3 is on its way. The invite's secret is gone (INV-3).
    Answered { awaiting: Box<AwaitingM4>, burnt: Burnt },
    /// Ours; a contact came of it.
    UsedUp(Burnt),
    /// Theirs; looking for M1.
    Fetching(Box<Invite>),
    /// Theirs; M2 is on its way.
    Accepting { invite: Box<Invite>, awaiting: Box<AwaitingM3> },
    /// Theirs; a contact came of it.
    Accepted,
    /// Over without a contact.
    Dead,
}

/// What stays of an invite after its first use: enough to notice a second one.
pub(crate) struct Burnt {
    /// Digest of the M2 that was taken.
    pub(crate) m2: [u8; 32],
    /// Reading slots for M2 and M4, and the refusal's.
    pub(crate) slots: Vec<KeptSlot>,
}

/// Parts of a handshake message that have arrived, by item.
type Parts = BTreeMap<([u8; 16], u8), Zeroizing<Vec<u8>>>;

/// One invite.
pub(crate) struct Pairing {
    pub(crate) id: InviteId,
    /// Local name of the contact to be; may be empty.
    pub(crate) name: String,
    /// Whether we made it.
    pub(crate) ours: bool,
    /// Hours since 1970.
    pub(crate) expires: u32,
    pub(crate) phase: Phase,
    pub(crate) parts: Parts,
    pub(crate) garbage: u8,
    /// Used a second time (ID-2).
    pub(crate) reused: bool,
    pub(crate) contact: Option<ContactId>,
}

crypto::opaque!(KeptSlot, Phase, Burnt, Pairing);

impl Pairing {
    pub(crate) const fn new(id: InviteId, name: String, expires: u32, phase: Phase) -> Self {
        let ours = matches!(phase, Phase::Depositing(_));
        Self {
            id,
            name,
            ours,
            expires,
            phase,
            parts: BTreeMap::new(),
            garbage: 0,
            reused: false,
            contact: None,
        }
    }

    /// Keeps a part; gives the message once both are there (BRD-6).
    pub(crate) fn collect(
        &mut self,
        item: [u8; 16],
        part: u8,
        body: Zeroizing<Vec<u8>>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let known = self.parts.keys().any(|(id, _)| *id == item);
        let mut items: Vec<[u8; 16]> = self.parts.keys().map(|(id, _)| *id).collect();
        items.dedup();
        if !known && items.len() >= CANDIDATES {
            return None;
        }
        self.parts.insert((item, part), body);
        let (first, second) = (self.parts.get(&(item, 0))?, self.parts.get(&(item, 1))?);
        let mut whole = Zeroizing::new(Vec::with_capacity(8000));
        whole.extend_from_slice(first);
        whole.extend_from_slice(second);
        // Others may be half-way at the same tags: theirs stay.
        self.parts.retain(|(id, _), _| *id != item);
        Some(whole)
    }

    /// Tag and key of a slot, wherever they are known from.
    pub(crate) fn key(&self, slot: u8, mailbox: &OnionKey, out: Direction) -> Option<EnvelopeKey> {
        match &self.phase {
            Phase::Depositing(inviter) | Phase::Ready(inviter) => {
                Some(InviteSlots::new(inviter.secret().expose_secret()).key(out, slot, mailbox))
            }
            Phase::Fetching(invite) | Phase::Accepting { invite, .. } => {
                Some(InviteSlots::new(invite.secret().expose_secret()).key(out, slot, mailbox))
            }
            Phase::Answered { burnt, .. } | Phase::UsedUp(burnt) => burnt
                .slots
                .iter()
                .find(|kept| kept.slot == slot && kept.mailbox == *mailbox)
                .map(|kept| EnvelopeKey::copy_of(kept.key.expose_secret())),
            Phase::Accepted | Phase::Dead => None,
        }
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(96 * 1024);
        w.bytes(&self.id);
        put_bytes(&mut w, self.name.as_bytes());
        put_flag(&mut w, self.ours);
        w.u32(self.expires).u8(self.garbage);
        put_flag(&mut w, self.reused);
        put_flag(&mut w, self.contact.is_some());
        w.bytes(&self.contact.unwrap_or_default());
        put_phase(&mut w, &self.phase);
        w.u32(u32::try_from(self.parts.len()).unwrap_or(u32::MAX));
        for ((item, part), body) in &self.parts {
            w.bytes(item).u8(*part);
            put_bytes(&mut w, body);
        }
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let id = r.array()?;
        let name = get_text(&mut r)?;
        let ours = get_flag(&mut r)?;
        let (expires, garbage, reused) = (r.u32()?, r.u8()?, get_flag(&mut r)?);
        let (has_contact, contact) = (get_flag(&mut r)?, r.array()?);
        let phase = get_phase(&mut r)?;
        let count = r.u32()?;
        let mut parts = Parts::new();
        for _ in 0..count {
            let key = (r.array()?, r.u8()?);
            parts.insert(key, Zeroizing::new(get_bytes(&mut r)?.to_vec()));
        }
        r.finish()?;
        let contact = has_contact.then_some(contact);
        Ok(Self { id, name, ours, expires, phase, parts, garbage, reused, contact })
    }
}

fn put_phase(w: &mut Writer, phase: &Phase) {
    match phase {
        Phase::Depositing(inviter) => {
            w.u8(0);
            put_bytes(w, &inviter.to_secret_bytes());
        }
        Phase::Ready(inviter) => {
            w.u8(1);
            put_bytes(w, &inviter.to_secret_bytes());
        }
        Phase::Answered { awaiting, burnt } => {
            w.u8(2);
            put_bytes(w, &awaiting.to_secret_bytes());
            put_burnt(w, burnt);
        }
        Phase::UsedUp(burnt) => {
            w.u8(3);
            put_burnt(w, burnt);
        }
        Phase::Fetching(invite) => {
            w.u8(4);
            put_bytes(w, invite.to_uri().as_bytes());
        }
        Phase::Accepting { invite, awaiting } => {
            w.u8(5);
            put_bytes(w, invite.to_uri().as_bytes());
            put_bytes(w, &awaiting.to_secret_bytes());
        }
        Phase::Accepted => {
            w.u8(6);
        }
        Phase::Dead => {
            w.u8(7);
        }
    }
}

fn get_phase(r: &mut Reader<'_>) -> Result<Phase, Malformed> {
    let bad = |_| Malformed::Field("invite");
    Ok(match r.u8()? {
        0 => Phase::Depositing(Box::new(
            Inviter::from_secret_bytes(get_bytes(r)?).map_err(|_| Malformed::Field("inviter"))?,
        )),
        1 => Phase::Ready(Box::new(
            Inviter::from_secret_bytes(get_bytes(r)?).map_err(|_| Malformed::Field("inviter"))?,
        )),
        2 => Phase::Answered {
            awaiting: Box::new(
                AwaitingM4::from_secret_bytes(get_bytes(r)?)
                    .map_err(|_| Malformed::Field("handshake"))?,
            ),
            burnt: get_burnt(r)?,
        },
        3 => Phase::UsedUp(get_burnt(r)?),
        4 => Phase::Fetching(Box::new(Invite::from_uri(&get_text(r)?).map_err(bad)?)),
        5 => Phase::Accepting {
            invite: Box::new(Invite::from_uri(&get_text(r)?).map_err(bad)?),
            awaiting: Box::new(
                AwaitingM3::from_secret_bytes(get_bytes(r)?)
                    .map_err(|_| Malformed::Field("handshake"))?,
            ),
        },
        6 => Phase::Accepted,
        7 => Phase::Dead,
        _ => return Err(Malformed::Field("phase")),
    })
}

fn put_burnt(w: &mut Writer, burnt: &Burnt) {
    w.bytes(&burnt.m2).u8(u8::try_from(burnt.slots.len()).unwrap_or(u8::MAX));
    for kept in &burnt.slots {
        w.u8(kept.slot).bytes(&kept.mailbox).bytes(&kept.tag.0);
        w.bytes(kept.key.expose_secret());
    }
}

fn get_burnt(r: &mut Reader<'_>) -> Result<Burnt, Malformed> {
    let (m2, count) = (r.array()?, r.u8()?);
    let mut slots = Vec::new();
    for _ in 0..count {
        slots.push(KeptSlot {
            slot: r.u8()?,
            mailbox: r.array()?,
            tag: Tag(r.array()?),
            key: EnvelopeKey::copy_of(r.array_ref()?),
        });
    }
    Ok(Burnt { m2, slots })
}
