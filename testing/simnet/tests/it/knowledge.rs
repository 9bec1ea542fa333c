//! What the test knows and no mailbox does: it reads tag chains off a client's disk.

use board::chain::SendChain;
use board::envelope::{self, Kind, Parcel};
use board::tag::{Direction, InviteSlots, SlotSecret};
use engine::changes::Table;
use handshake::Invite;
use ratchet::Ratchet;
use simnet::World;
use wire::Reader;

/// The sending chain in the only session of a client.
pub(crate) fn send_chain(world: &World, client: usize) -> SendChain {
    session(world, client).1
}

/// Ratchet and sending chain of the only session of a client.
pub(crate) fn session(world: &World, client: usize) -> (Ratchet, SendChain) {
    let rows = world.clients[client].disk.values(Table::Ratchet);
    let [(_, row)] = rows[..] else { panic!("one session") };
    let mut r = Reader::new(row);
    r.u8().unwrap();
    let mut bytes = || {
        let len = usize::try_from(r.u32().unwrap()).unwrap();
        r.take(len).unwrap().to_vec()
    };
    let ratchet = Ratchet::from_secret_bytes(&bytes()).unwrap();
    (ratchet, SendChain::from_secret_bytes(&bytes()).unwrap())
}

/// The next `count` slots of a client's sending chain.
pub(crate) fn slots(world: &World, client: usize, count: usize) -> Vec<SlotSecret> {
    let mut chain = send_chain(world, client);
    (0..count).map(|_| chain.take().1).collect()
}

/// Every put of `client` that opens with one of these slots: when, which slot, what.
pub(crate) fn puts_at(
    world: &World,
    client: usize,
    slots: &[SlotSecret],
) -> Vec<(u64, usize, Parcel)> {
    let mut found = Vec::new();
    for record in world.transcript.iter().filter(|r| r.client == client) {
        let simnet::Kind::Put(envelope) = &record.kind else { continue };
        let mailbox = &world.mailboxes[record.mailbox].key;
        for (at, slot) in slots.iter().enumerate() {
            if slot.tag(mailbox) == envelope.tag() {
                let parcel = envelope::open(&slot.key(mailbox), mailbox, envelope).ok().unwrap();
                found.push((record.at, at, parcel));
            }
        }
    }
    found
}

/// How many different envelopes of the transcript open with an invite's keys, by sender; all
/// are handshakes.
pub(crate) fn handshake_puts(world: &World, uri: &str) -> [usize; 2] {
    let invite = Invite::from_uri(uri).ok().unwrap();
    let slots = InviteSlots::new(invite.secret().expose_secret());
    let mut seen = Vec::new();
    let mut counts = [0; 2];
    for record in &world.transcript {
        let simnet::Kind::Put(envelope) = &record.kind else { continue };
        let mailbox = &world.mailboxes[record.mailbox].key;
        for d in [Direction::ToInviter, Direction::ToInvited] {
            for i in 0..8 {
                let opened = envelope::open(&slots.key(d, i, mailbox), mailbox, envelope);
                if let Ok(parcel) = opened
                    && !seen.contains(&envelope.digest())
                {
                    assert!(parcel.kind == Kind::Handshake);
                    seen.push(envelope.digest());
                    counts[record.client] += 1;
                }
            }
        }
    }
    counts
}
