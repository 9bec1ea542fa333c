//! Items that wait for a mailbox or for the peer (BRD-41).

use crate::contact::ContactId;
use crate::file::FileId;
use crate::renewal::Leg;
use crate::rows::{done, get_bytes, get_flag, open_row, put_bytes, put_flag, row};
use crate::terms::get_timer;
use board::envelope::Envelope;
use board::tag::OnionKey;
use content::{GenerationRandom, Part, TimerSetting};
use crypto::Zeroizing;
use wire::{Malformed, Writer};

mod index;

pub(crate) use index::{Group, Outbox};

/// An item without an acknowledgement is encrypted anew after this (BRD-41), in seconds, the first
/// time.
const REPEAT_S: u64 = 4 * 3600;

/// Names an item; it is the `mid` of its envelopes.
pub(crate) type ItemId = [u8; 16];

/// What an item carries.
pub(crate) enum Load {
    /// A part of a message.
    Part(Part),
    /// An acknowledgement on its own (BRD-42, RAT-8); not pursued.
    Receipt,
    /// `NewGeneration { g, r }` (BRD-9).
    Generation { g: u16, r: GenerationRandom },
    /// An own inbox set (BRD-48).
    Inbox { version: u32, mailboxes: Vec<OnionKey> },
    /// How long messages stay (ENG-7).
    Timer(TimerSetting),
    /// Below which number nothing is to be waited for; which, is said when it is sealed (ENG-10).
    Floor,
    /// A part of a handshake, sealed when it was made.
    Handshake,
    /// A message of a renewal (REK-2), sealed at its slot.
    Rekey(Leg),
    /// The offer of a file of ours (FIL-1).
    Offer(FileId),
    /// How far a file is, or that it ends; what, is said when it is sealed (FIL-10).
    Report(FileId),
    /// A part of a file, by number; its bytes stand with the file (FIL-4).
    FilePart(u32),
}

crypto::opaque!(Load, Item);

/// Whom an item belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Owner {
    /// A session with a contact.
    Contact(ContactId),
    /// A pairing.
    Pairing([u8; 16]),
    /// The renewal of a session with a contact.
    Renewal(ContactId),
    /// A file to a contact, which has a chain of its own.
    File(ContactId, FileId),
}

/// The copy of an item for one mailbox.
pub(crate) struct Deposit {
    pub(crate) mailbox: OnionKey,
    /// The sealed bytes, from sealing until STORED.
    pub(crate) envelope: Option<Envelope>,
    pub(crate) stored: bool,
    /// An operation carries it at this moment; not saved.
    pub(crate) busy: bool,
    /// Puts that did not end with STORED; not saved.
    pub(crate) tries: u32,
}

/// Where an item stands in the tag chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) g: u16,
    pub(crate) n: u32,
    /// When, Unix seconds.
    pub(crate) at: u64,
}

/// One item.
pub(crate) struct Item {
    pub(crate) id: ItemId,
    /// Order in which items were queued on this device.
    pub(crate) order: u64,
    pub(crate) owner: Owner,
    pub(crate) load: Load,
    /// When it was queued, or when a mailbox first had it: what the 14 days of BRD-41 count from,
    /// Unix seconds.
    pub(crate) queued: u64,
    pub(crate) sealed: Option<Sealed>,
    /// How often it was encrypted anew.
    pub(crate) repeats: u8,
    /// What is sealed no more, or was said before, may have reached a mailbox: whatever is said of
    /// it, the peer may see it.
    pub(crate) left: bool,
    pub(crate) deposits: Vec<Deposit>,
}

impl Item {
    /// Whether a mailbox has said that it is on disk.
    pub(crate) fn stored(&self) -> bool {
        self.deposits.iter().any(|d| d.stored)
    }

    /// When it is encrypted anew unless it is acknowledged before (BRD-41), Unix seconds; each time
    /// after twice the wait, since a peer may just be away.
    pub(crate) fn repeat_at(&self) -> Option<u64> {
        let wait = REPEAT_S.saturating_mul(1 << self.repeats.min(3));
        let sealed = self.sealed.filter(|_| self.stored())?;
        Some(sealed.at.saturating_add(wait))
    }

    /// The message that this item is a part of.
    pub(crate) const fn message(&self) -> Option<[u8; 16]> {
        match &self.load {
            Load::Part(part) => Some(part.message),
            _ => None,
        }
    }

    /// Whether something is said for the first time (ENG-3, FIL-6).
    pub(crate) const fn first(&self) -> bool {
        self.repeats == 0 && matches!(self.load, Load::Part(_) | Load::Offer(_) | Load::FilePart(_))
    }

    /// The copy for `mailbox`.
    pub(crate) fn deposit_mut(&mut self, mailbox: &OnionKey) -> Option<&mut Deposit> {
        self.deposits.iter_mut().find(|d| d.mailbox == *mailbox)
    }

    /// Forgets how it was sealed: it will be encrypted anew.
    pub(crate) fn unseal(&mut self, inbox: &[OnionKey]) {
        self.left |= self.sealed.is_some();
        self.sealed = None;
        self.deposits = inbox.iter().map(|mailbox| Deposit::new(*mailbox)).collect();
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(12 * 1024);
        w.bytes(&self.id).u64(self.order);
        match self.owner {
            Owner::Contact(id) => w.u8(0).bytes(&id),
            Owner::Pairing(id) => w.u8(1).bytes(&id),
            Owner::Renewal(id) => w.u8(2).bytes(&id),
            Owner::File(contact, file) => w.u8(10).bytes(&contact).bytes(&file),
        };
        w.u64(self.queued).u8(self.repeats);
        put_load(&mut w, &self.load);
        put_flag(&mut w, self.sealed.is_some());
        if let Some(Sealed { g, n, at }) = self.sealed {
            w.u16(g).u32(n).u64(at);
        }
        w.u8(u8::try_from(self.deposits.len()).unwrap_or(u8::MAX));
        for deposit in &self.deposits {
            w.bytes(&deposit.mailbox);
            put_flag(&mut w, deposit.stored);
            put_flag(&mut w, deposit.envelope.is_some());
            if let Some(envelope) = &deposit.envelope {
                w.bytes(envelope.as_bytes());
            }
        }
        put_flag(&mut w, self.left);
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let (id, order) = (r.array()?, r.u64()?);
        let owner = match r.u8()? {
            0 => Owner::Contact(r.array()?),
            1 => Owner::Pairing(r.array()?),
            2 => Owner::Renewal(r.array()?),
            10 => Owner::File(r.array()?, r.array()?),
            _ => return Err(Malformed::Field("owner")),
        };
        let (queued, repeats) = (r.u64()?, r.u8()?);
        let load = get_load(&mut r)?;
        let sealed = if get_flag(&mut r)? {
            Some(Sealed { g: r.u16()?, n: r.u32()?, at: r.u64()? })
        } else {
            None
        };
        let count = r.u8()?;
        let mut deposits = Vec::new();
        for _ in 0..count {
            let mut deposit = Deposit::new(r.array()?);
            deposit.stored = get_flag(&mut r)?;
            if get_flag(&mut r)? {
                deposit.envelope = Some(Envelope::from_bytes(&r.array()?));
            }
            deposits.push(deposit);
        }
        // A row that ends here is of an earlier version; what it holds may have left.
        let left = r.remaining() == 0 || get_flag(&mut r)?;
        r.finish()?;
        Ok(Self { id, order, owner, load, queued, sealed, repeats, left, deposits })
    }
}

impl Deposit {
    pub(crate) const fn new(mailbox: OnionKey) -> Self {
        Self { mailbox, envelope: None, stored: false, busy: false, tries: 0 }
    }
}

fn put_load(w: &mut Writer, load: &Load) {
    match load {
        Load::Part(part) => {
            w.u8(0).bytes(&part.message).u32(part.seq).u16(part.index).u16(part.count);
            w.u32(part.total).u64(part.sent).u32(part.timer.seconds());
            put_bytes(w, &part.bytes);
        }
        Load::Receipt => {
            w.u8(1);
        }
        Load::Generation { g, r } => {
            w.u8(2).u16(*g).bytes(r.expose_secret());
        }
        Load::Inbox { version, mailboxes } => {
            w.u8(3).u32(*version);
            crate::rows::put_keys(w, mailboxes);
        }
        Load::Handshake => {
            w.u8(4);
        }
        Load::Rekey(leg) => put_leg(w, leg),
        Load::Timer(TimerSetting { counter, timer }) => {
            w.u8(6).u32(*counter).u32(timer.seconds());
        }
        Load::Floor => {
            w.u8(7);
        }
        Load::Offer(file) => {
            w.u8(10).bytes(file);
        }
        Load::Report(file) => {
            w.u8(11).bytes(file);
        }
        Load::FilePart(part) => {
            w.u8(12).u32(*part);
        }
    }
}

fn get_load(r: &mut wire::Reader<'_>) -> Result<Load, Malformed> {
    Ok(match r.u8()? {
        0 => Load::Part(Part {
            message: r.array()?,
            seq: r.u32()?,
            floor: 0,
            index: r.u16()?,
            count: r.u16()?,
            total: r.u32()?,
            sent: r.u64()?,
            timer: get_timer(r)?,
            bytes: get_bytes(r)?.to_vec(),
        }),
        1 => Load::Receipt,
        2 => Load::Generation { g: r.u16()?, r: GenerationRandom::copy_of(r.array_ref()?) },
        3 => Load::Inbox { version: r.u32()?, mailboxes: crate::rows::get_keys(r)? },
        4 => Load::Handshake,
        5 => Load::Rekey(get_leg(r)?),
        6 => Load::Timer(TimerSetting { counter: r.u32()?, timer: get_timer(r)? }),
        7 => Load::Floor,
        10 => Load::Offer(r.array()?),
        11 => Load::Report(r.array()?),
        12 => Load::FilePart(r.u32()?),
        _ => return Err(Malformed::Field("load")),
    })
}

fn put_leg(w: &mut Writer, leg: &Leg) {
    w.u8(5);
    match leg {
        Leg::R1 => w.u8(0),
        Leg::R2(answer) => w.u8(1).bytes(answer),
        Leg::First(answer) => w.u8(2).bytes(answer),
    };
}

fn get_leg(r: &mut wire::Reader<'_>) -> Result<Leg, Malformed> {
    Ok(match r.u8()? {
        0 => Leg::R1,
        1 => Leg::R2(r.array()?),
        2 => Leg::First(r.array()?),
        _ => return Err(Malformed::Field("leg")),
    })
}
