use crate::rows::{done, get_bytes, get_flag, get_keys, get_text, open_row, put_bytes};
use crate::rows::{put_flag, put_keys, row};
use crate::terms::Terms;
use board::tag::{Direction, OnionKey};
use crypto::Zeroizing;
use identity::IdCert;
use std::collections::BTreeMap;
use wire::Malformed;

/// Names a contact on this device, 16 random bytes.
pub type ContactId = [u8; 16];

/// Wrong words that lock a contact (product.md 5).
pub const VERIFY_TRIES: u8 = 3;

/// How far a contact is trusted (SAS-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Words were not compared: nothing but the handshake is sent (SAS-4).
    Unverified,
    /// Words were compared.
    Verified {
        /// When, Unix seconds.
        since: u64,
    },
    /// The key changed: nothing is sent until words are compared again (ID-3).
    Changed,
    /// Three wrong words.
    Locked,
}

/// A person.
pub(crate) struct Contact {
    pub(crate) id: ContactId,
    /// Local name, unique on this device.
    pub(crate) name: String,
    pub(crate) trust: Trust,
    pub(crate) cert: IdCert,
    /// The contact's inbox set, and its version.
    pub(crate) inbox: Vec<OnionKey>,
    pub(crate) inbox_version: u32,
    /// Whether we were the inviter in the pairing that the session comes from.
    pub(crate) inviter: bool,
    /// The code whose words are compared.
    pub(crate) sas: [u8; 6],
    /// Wrong words so far.
    pub(crate) tries: u8,
    pub(crate) terms: Terms,
}

/// Whether this contact is there and blocked (ENG-4).
pub(crate) fn is_blocked(contacts: &BTreeMap<ContactId, Contact>, id: &ContactId) -> bool {
    contacts.get(id).is_some_and(|contact| contact.terms.blocked)
}

impl Contact {
    /// Whether anything but the handshake may go to this contact (SAS-4, ID-3, ENG-4).
    pub(crate) const fn may_send(&self) -> bool {
        matches!(self.trust, Trust::Verified { .. }) && !self.terms.blocked
    }

    /// Direction of what we send.
    pub(crate) const fn outward(&self) -> Direction {
        if self.inviter { Direction::ToInvited } else { Direction::ToInviter }
    }

    /// Positions, from 0, of the words that this side reads aloud; the others are typed.
    ///
    /// Each side is shown three of the six words only, so that what it types can come from
    /// nowhere but the peer (ADR 0003).
    pub(crate) const fn own_words(&self) -> [usize; 3] {
        if self.inviter { [0, 2, 4] } else { [1, 3, 5] }
    }

    /// Positions of the words that the peer reads aloud.
    pub(crate) const fn peer_words(&self) -> [usize; 3] {
        if self.inviter { [1, 3, 5] } else { [0, 2, 4] }
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let mut w = row(7168);
        w.bytes(&self.id);
        put_bytes(&mut w, self.name.as_bytes());
        match self.trust {
            Trust::Unverified => w.u8(0).u64(0),
            Trust::Verified { since } => w.u8(1).u64(since),
            Trust::Changed => w.u8(2).u64(0),
            Trust::Locked => w.u8(3).u64(0),
        };
        put_bytes(&mut w, self.cert.as_bytes());
        put_keys(&mut w, &self.inbox);
        w.u32(self.inbox_version);
        put_flag(&mut w, self.inviter);
        w.bytes(&self.sas).u8(self.tries);
        self.terms.encode_into(&mut w);
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let contact = Self {
            id: r.array()?,
            name: get_text(&mut r)?,
            trust: match (r.u8()?, r.u64()?) {
                (0, _) => Trust::Unverified,
                (1, since) => Trust::Verified { since },
                (2, _) => Trust::Changed,
                (3, _) => Trust::Locked,
                _ => return Err(Malformed::Field("trust")),
            },
            cert: IdCert::trusted_from_store(get_bytes(&mut r)?)
                .map_err(|_| Malformed::Field("certificate"))?,
            inbox: get_keys(&mut r)?,
            inbox_version: r.u32()?,
            inviter: get_flag(&mut r)?,
            sas: r.array()?,
            tries: r.u8()?,
            terms: Terms::decode_from(&mut r)?,
        };
        r.finish()?;
        Ok(contact)
    }
}
