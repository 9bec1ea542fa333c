use crate::ahead::Ahead;
use crate::contact::Contact;
use crate::outbox::{Deposit, ItemId};
use crate::rows::{done, get_bytes, get_flag, open_row, put_bytes, put_flag, row};
use board::chain::{GenerationSecret, RecvChain, SendChain};
use board::envelope::{self, Ack, Kind, Parcel};
use board::tag::OnionKey;
use crypto::Zeroizing;
use handshake::{FirstWord, SessionSecret};
use rand_core::CryptoRng;
use ratchet::Ratchet;
use std::collections::BTreeMap;
use wire::Malformed;

/// A generation older than this makes room for the next (BRD-9).
const GENERATION_SECONDS: u64 = 24 * 3600;
/// A generation with this many indices makes room for the next (BRD-9).
const GENERATION_INDICES: u32 = 256;
/// Unacknowledged indices at most (BRD-41).
const WINDOW: u32 = 64;

/// What two devices share after a handshake: ratchet, tag chains, acknowledgements.
pub(crate) struct Session {
    pub(crate) ratchet: Ratchet,
    pub(crate) send: SendChain,
    send_secret: GenerationSecret,
    /// The generation that was announced, and the item that announces it.
    send_next: Option<(GenerationSecret, [u8; 16])>,
    /// Unacknowledged indices of the sending generation, and what they carry.
    pub(crate) sent: BTreeMap<u32, [u8; 16]>,
    send_since: u64,
    /// Below this the peer has everything, or was told not to wait for it.
    peer_base: u32,
    pub(crate) recv: RecvChain,
    recv_secret: GenerationSecret,
    pub(crate) recv_next: Option<(GenerationSecret, RecvChain)>,
    /// Something arrived that the peer has not been told of.
    pub(crate) ack_due: bool,
    /// Number of the next message of ours in this session.
    pub(crate) seq_out: u32,
    /// Number of the next message of the peer to be shown.
    pub(crate) seq_in: u32,
    /// Messages of ours that will never come, as long as the peer may be waiting for them (ENG-10).
    pub(crate) passed: Option<Passed>,
    /// What the peer was told ahead of a message that has not arrived.
    pub(crate) ahead: Ahead,
}

/// One more than the lowest and than the highest number of what will never come; twice 0 if nobody
/// knows what the peer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

crypto::opaque!(Session);

impl Session {
    pub(crate) fn new(
        rng: &mut impl CryptoRng,
        contact: &Contact,
        secret: &SessionSecret,
        first: FirstWord,
        now_s: u64,
    ) -> Self {
        let root = secret.ratchet_root();
        let ratchet = match first {
            FirstWord::Ours => Ratchet::invited(rng, root.expose_secret(), secret.sid()),
            FirstWord::Theirs => Ratchet::inviter(root.expose_secret(), secret.sid()),
        };
        let board = secret.board_root();
        let (out, back) = (contact.outward(), contact.outward().back());
        let send_secret = GenerationSecret::first(board.expose_secret());
        let recv_secret = GenerationSecret::first(board.expose_secret());
        Self {
            ratchet,
            send: SendChain::new(&send_secret, 0, out),
            send_secret,
            send_next: None,
            sent: BTreeMap::new(),
            send_since: now_s,
            peer_base: 0,
            recv: RecvChain::new(&recv_secret, 0, back),
            recv_secret,
            recv_next: None,
            ack_due: false,
            seq_out: 0,
            seq_in: 0,
            passed: None,
            ahead: Ahead::default(),
        }
    }

    /// Indices that may still be used: the peer waits for 64 from its base on (BRD-41, 43).
    pub(crate) const fn room(&self) -> u32 {
        WINDOW.saturating_sub(self.send.next_index().saturating_sub(self.peer_base))
    }

    /// Ends the pursuit of indices whose items are gone (receipts, and what was given up), so that
    /// the floor passes them and a lost one cannot jam the window (BRD-41). The younger ones may
    /// still be on their way.
    pub(crate) fn abandon(&mut self, gone: impl Fn(&[u8; 16]) -> bool) {
        let young = self.send.next_index().saturating_sub(WINDOW / 2);
        self.sent.retain(|n, item| *n >= young || !gone(item));
    }

    /// Encrypts an item's content under the next index and seals it for every mailbox: one index,
    /// one ratchet ciphertext, one envelope a mailbox (BRD-40). Items of which `gone` is true are
    /// pursued no more. Gives generation and index.
    pub(crate) fn seal(
        &mut self,
        rng: &mut impl CryptoRng,
        item: ItemId,
        content: &[u8],
        mailboxes: &[OnionKey],
        gone: impl Fn(&ItemId) -> bool,
    ) -> Option<((u16, u32), Vec<Deposit>)> {
        let ciphertext = self.ratchet.encrypt(rng, content).ok()?;
        self.abandon(gone);
        let (g, floor) = (self.send.g(), self.floor());
        let (n, slot) = self.send.take();
        self.sent.insert(n, item);
        let parcel = Parcel {
            kind: Kind::Message,
            part: 0,
            parts: 1,
            ack: Some(self.ack()),
            floor,
            mid: item,
            body: Zeroizing::new(ciphertext.as_bytes().to_vec()),
        };
        let mut seal = |mailbox: &OnionKey| {
            let (key, tag) = (slot.key(mailbox), slot.tag(mailbox));
            let envelope = envelope::seal(rng, &key, tag, mailbox, &parcel).ok()?;
            Some(Deposit { envelope: Some(envelope), ..Deposit::new(*mailbox) })
        };
        let deposits = mailboxes.iter().map(&mut seal).collect::<Option<_>>()?;
        self.ack_due = false; // BRD-42: it rides on this one
        Some(((g, n), deposits))
    }

    /// Whether the peer acknowledges what this side has not written: then this is an older copy of
    /// the session, put back (BRD-47).
    pub(crate) fn is_behind(&self, ack: &Ack) -> bool {
        let next = self.send.next_index();
        let highest = ack.map.checked_ilog2().map(|j| ack.base.saturating_add(1).saturating_add(j));
        let ahead = ack.base > next || highest.is_some_and(|n| n >= next);
        ack.g > self.send.g() || (ack.g == self.send.g() && ahead)
    }

    /// What has arrived, for the next parcel (BRD-42).
    pub(crate) fn ack(&self) -> Ack {
        Ack { g: self.recv.g(), base: self.recv.arrived_base(), map: self.recv.ack_map() }
    }

    /// Lowest index that is still pursued (BRD-41).
    pub(crate) fn floor(&self) -> u32 {
        self.sent.keys().next().copied().unwrap_or(self.send.next_index())
    }

    /// Takes an acknowledgement and gives the items that it covers.
    pub(crate) fn acknowledged(&mut self, ack: &Ack) -> Vec<[u8; 16]> {
        if ack.g != self.send.g() {
            return Vec::new();
        }
        self.peer_base = self.peer_base.max(ack.base.min(self.send.next_index()));
        let done: Vec<u32> = self.sent.keys().copied().filter(|n| ack.covers(*n)).collect();
        done.iter().filter_map(|n| self.sent.remove(n)).collect()
    }

    /// Whether the next generation should be announced (BRD-9).
    pub(crate) fn generation_due(&self, now_s: u64) -> bool {
        self.send_next.is_none()
            && self.send.next_index() > 0
            && (self.send.next_index() >= GENERATION_INDICES
                || now_s.saturating_sub(self.send_since) >= GENERATION_SECONDS)
    }

    /// Prepares the next generation from `r`, which `item` carries to the peer.
    pub(crate) fn announce_generation(&mut self, r: &[u8; 32], item: [u8; 16]) -> Option<u16> {
        let g = self.send.g().checked_add(1)?;
        self.send_next = Some((self.send_secret.next(r), item));
        Some(g)
    }

    /// Writes under the announced generation once the peer has acknowledged it; what is still
    /// unacknowledged is deposited anew. Gives those items.
    pub(crate) fn switch_generation(
        &mut self,
        acked: &[[u8; 16]],
        contact: &Contact,
        now_s: u64,
    ) -> Vec<[u8; 16]> {
        let known = |item: &[u8; 16]| acked.contains(item);
        let Some((secret, _)) = self.send_next.take_if(|(_, item)| known(item)) else {
            return Vec::new();
        };
        let g = self.send.g().saturating_add(1);
        self.send = SendChain::new(&secret, g, contact.outward());
        self.send_secret = secret;
        self.send_since = now_s;
        self.peer_base = 0;
        core::mem::take(&mut self.sent).into_values().collect()
    }

    /// Takes the peer's announcement of its next generation.
    pub(crate) fn generation_announced(&mut self, g: u16, r: &[u8; 32], contact: &Contact) {
        if self.recv_next.is_none() && self.recv.g().checked_add(1) == Some(g) {
            let secret = self.recv_secret.next(r);
            let chain = RecvChain::new(&secret, g, contact.outward().back());
            self.recv_next = Some((secret, chain));
        }
    }

    /// An envelope of generation `g` opened: the old generation goes when the next one begins.
    pub(crate) fn opened(&mut self, g: u16) {
        if let Some((secret, chain)) = self.recv_next.take_if(|(_, chain)| chain.g() == g) {
            self.recv = chain;
            self.recv_secret = secret;
        }
    }

    pub(crate) fn to_row(&self) -> Zeroizing<Vec<u8>> {
        let parts = [
            self.ratchet.to_secret_bytes(),
            self.send.to_secret_bytes(),
            self.recv.to_secret_bytes(),
        ];
        let size = parts.iter().fold(2048_usize, |sum, part| sum.saturating_add(part.len()));
        let mut w = row(size);
        for part in &parts {
            put_bytes(&mut w, part);
        }
        w.bytes(self.send_secret.expose_secret()).bytes(self.recv_secret.expose_secret());
        put_flag(&mut w, self.send_next.is_some());
        if let Some((secret, item)) = &self.send_next {
            w.bytes(secret.expose_secret()).bytes(item);
        }
        put_flag(&mut w, self.recv_next.is_some());
        if let Some((secret, chain)) = &self.recv_next {
            w.bytes(secret.expose_secret());
            put_bytes(&mut w, &chain.to_secret_bytes());
        }
        w.u64(self.send_since).u32(self.peer_base).u32(self.seq_out).u32(self.seq_in);
        put_flag(&mut w, self.ack_due);
        w.u32(u32::try_from(self.sent.len()).unwrap_or(u32::MAX));
        for (n, item) in &self.sent {
            w.u32(*n).bytes(item);
        }
        put_flag(&mut w, self.passed.is_some());
        if let Some(passed) = self.passed {
            w.u32(passed.first).u32(passed.last);
        }
        self.ahead.put(&mut w);
        done(w)
    }

    pub(crate) fn from_row(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut r = open_row(bytes)?;
        let ratchet = Ratchet::from_secret_bytes(get_bytes(&mut r)?)?;
        let send = SendChain::from_secret_bytes(get_bytes(&mut r)?)?;
        let recv = RecvChain::from_secret_bytes(get_bytes(&mut r)?)?;
        let send_secret = GenerationSecret::copy_of(r.array_ref()?);
        let recv_secret = GenerationSecret::copy_of(r.array_ref()?);
        let send_next = if get_flag(&mut r)? {
            Some((GenerationSecret::copy_of(r.array_ref()?), r.array()?))
        } else {
            None
        };
        let recv_next = if get_flag(&mut r)? {
            let secret = GenerationSecret::copy_of(r.array_ref()?);
            Some((secret, RecvChain::from_secret_bytes(get_bytes(&mut r)?)?))
        } else {
            None
        };
        let (send_since, peer_base) = (r.u64()?, r.u32()?);
        let (seq_out, seq_in) = (r.u32()?, r.u32()?);
        let ack_due = get_flag(&mut r)?;
        let count = r.u32()?;
        let mut sent = BTreeMap::new();
        for _ in 0..count {
            sent.insert(r.u32()?, r.array()?);
        }
        // A row that ends here or behind the next is of an earlier version, which noted less.
        let noted = r.remaining() > 0 && get_flag(&mut r)?;
        let passed = if noted { Some(Passed { first: r.u32()?, last: r.u32()? }) } else { None };
        let ahead = if r.remaining() > 0 { Ahead::get(&mut r)? } else { Ahead::default() };
        r.finish()?;
        Ok(Self {
            ratchet,
            send,
            send_secret,
            send_next,
            sent,
            send_since,
            peer_base,
            recv,
            recv_secret,
            recv_next,
            ack_due,
            seq_out,
            seq_in,
            passed,
            ahead,
        })
    }
}
