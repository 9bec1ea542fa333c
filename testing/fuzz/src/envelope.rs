//! Envelopes, messages in parts, and the chains that say where they lie.

use crate::choices::Choices;
use board::chain::{GenerationSecret, RecvChain, SendChain, WINDOW};
use board::envelope::{
    self, Ack, BODY_LEN, ENVELOPE_LEN, Envelope, Kind, Parcel, PartJoiner, split_handshake,
};
use board::tag::{Direction, SlotSecret, SyncChain};
use crypto::Zeroizing;
use crypto::rand_core::{Infallible, TryCryptoRng, TryRng};
use std::sync::LazyLock;

const MAILBOX: [u8; 32] = [1; 32];
const KINDS: [Kind; 6] =
    [Kind::Message, Kind::Handshake, Kind::Resync, Kind::FilePart, Kind::Loop, Kind::Beacon];

fn slot() -> SlotSecret {
    SlotSecret::copy_of(&[7; 32])
}

/// Dice that fall as an envelope says: its nonce, so that sealing again can be compared.
struct Nonce<'a>(&'a [u8]);

impl TryRng for Nonce<'_> {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.copy_from_slice(&self.0[..out.len()]);
        Ok(())
    }
}

impl TryCryptoRng for Nonce<'_> {}

static SEALED: LazyLock<Vec<Envelope>> = LazyLock::new(|| {
    let parcel = |(kind, parts): (Kind, u8)| Parcel {
        kind,
        part: parts - 1,
        parts,
        ack: (parts == 1).then_some(Ack { g: 1, base: 2, map: 3 }),
        floor: 9,
        mid: [8; 16],
        body: Zeroizing::new(vec![5; usize::from(parts) * 1000]),
    };
    let seal = |parcel: Parcel| {
        let nonce = &mut Nonce(&[6; 24]);
        envelope::seal(nonce, &slot().key(&MAILBOX), slot().tag(&MAILBOX), &MAILBOX, &parcel)
    };
    let all = [(Kind::Message, 1), (Kind::Handshake, 2), (Kind::Resync, 4)];
    all.into_iter().map(|kind| seal(parcel(kind)).unwrap()).collect()
});

/// An envelope that a contact has sealed (BRD-4, BRD-7): whatever opens is sealed again to the
/// same bytes, but for the tag. `which(1) ‖ edits`
pub fn open(data: &[u8]) {
    let mut choices = Choices::new(data);
    let valid = choices.one_of(&SEALED);
    let Ok(bytes) = choices.edit(valid.as_bytes()).try_into() else { return };
    let bytes: [u8; ENVELOPE_LEN] = bytes;
    let envelope = Envelope::from_bytes(&bytes);
    let key = slot().key(&MAILBOX);
    let Ok(parcel) = envelope::open(&key, &MAILBOX, &envelope) else { return };
    assert!(parcel.part < parcel.parts && parcel.parts <= parcel.kind.max_parts());
    let nonce = &mut Nonce(&bytes[16..40]);
    let again = envelope::seal(nonce, &key, envelope.tag(), &MAILBOX, &parcel).unwrap();
    assert_eq!(again.as_bytes()[..ENVELOPE_LEN - 16], bytes[..ENVELOPE_LEN - 16]);
}

/// Parts of messages, some of them false (BRD-6). `length(2) ‖ orders`, an order being
/// `what(1) ‖ part(1) ‖ value(1)`
pub fn join(data: &[u8]) {
    let mut choices = Choices::new(data);
    let kind = *choices.one_of(&[Kind::Handshake, Kind::Resync]);
    let len = usize::from(choices.u16() % 16_000) + 1;
    let honest = split_handshake([1; 16], kind, &vec![2; len]).unwrap();
    let mut joiner: Option<PartJoiner> = None;
    for _ in 0..12 {
        let (what, part, value) = (choices.byte(), choices.one_of(&honest), choices.byte());
        let mut parcel = Parcel { body: part.body.clone(), ..*part };
        match what % 16 {
            0 => parcel.part ^= value,
            1 => parcel.parts ^= value,
            2 => parcel.mid[0] ^= value,
            3 => parcel.kind = KINDS[usize::from(value) % KINDS.len()],
            4 => {
                let less = parcel.body.len().saturating_sub(value.into());
                parcel.body.truncate(less);
            }
            5 => parcel.body.push(value),
            _ => {}
        }
        match &mut joiner {
            Some(joiner) => drop(joiner.add(parcel)),
            None => joiner = PartJoiner::new(parcel).ok(),
        }
        let whole = joiner.as_ref().and_then(PartJoiner::whole);
        assert!(whole.is_none_or(|whole| whole.len() <= 8 * BODY_LEN));
        if choices.is_empty() {
            break;
        }
    }
}

/// Sending, receiving, resync.
static CHAINS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
    let secret = GenerationSecret::copy_of(&[3; 32]);
    let send = SendChain::new(&secret, 1, Direction::ToInviter);
    let mut receive = RecvChain::new(&secret, 1, Direction::ToInvited);
    receive.consume(3);
    let sync = SyncChain::new(&[4; 32]);
    [send.to_secret_bytes(), receive.to_secret_bytes(), sync.to_secret_bytes()]
        .map(|bytes| bytes.to_vec())
});

/// Chains as the store keeps them, and then used as a peer's words would have them used.
/// `which(1) ‖ uses(1) ‖ uses × (what(1) ‖ index(4)) ‖ edits`
pub fn chains(data: &[u8]) {
    let mut choices = Choices::new(data);
    let which = choices.byte();
    let uses: Vec<(u8, u32)> =
        (0..choices.byte() % 8).map(|_| (choices.byte(), choices.u32())).collect();
    let bytes = choices.edit(&CHAINS[usize::from(which % 3)]);
    match which % 3 {
        0 => {
            let Ok(mut chain) = SendChain::from_secret_bytes(&bytes) else { return };
            assert_eq!(*chain.to_secret_bytes(), bytes);
            chain.take();
        }
        1 => {
            let Ok(chain) = RecvChain::from_secret_bytes(&bytes) else { return };
            assert_eq!(*chain.to_secret_bytes(), bytes);
            receive(chain, &uses);
        }
        _ => {
            let Ok(mut chain) = SyncChain::from_secret_bytes(&bytes) else { return };
            assert_eq!(*chain.to_secret_bytes(), bytes);
            for (_, day) in uses.iter().take(1) {
                let _erased = chain.erase_before(day % 64).is_ok();
            }
        }
    }
}

/// BRD-41, BRD-42: the window is full and the acknowledgement true, whatever arrives.
fn receive(mut chain: RecvChain, uses: &[(u8, u32)]) {
    for (what, index) in uses {
        let base = chain.arrived_base();
        match what % 3 {
            0 => drop(chain.consume(*index)),
            1 => drop(chain.consume(base.wrapping_add(index % 70))),
            _ if *index > 1 << 31 => chain.floor(base.wrapping_add(index % 70)),
            _ => chain.floor(base.wrapping_add(index % 4)),
        }
        assert!(chain.arrived_base() >= base);
        assert!(chain.slots().all(|(n, _)| n >= chain.arrived_base()));
        assert!(chain.slots().count() <= WINDOW as usize);
        let _ack = chain.ack_map();
    }
    let saved = chain.to_secret_bytes();
    let loaded = RecvChain::from_secret_bytes(&saved);
    assert!(loaded.is_ok(), "what was saved loads");
}

pub fn open_seeds() -> Vec<Vec<u8>> {
    // None; version, kind, part, parts, length, padding, body, nonce.
    let edits: [&[u8]; 9] = [
        &[],
        &[0, 0, 40, 1],
        &[0, 0, 41, 3],
        &[0, 0, 42, 1],
        &[0, 0, 43, 1],
        &[0, 0, 45, 1],
        &[0, 15, 160, 1],
        &[0, 0, 100, 1],
        &[0, 0, 16, 1],
    ];
    (0..3).flat_map(|which| edits.map(|e| [&[which], e].concat())).collect()
}

pub fn join_seeds() -> Vec<Vec<u8>> {
    let three = [0, 35, 40, 15, 2, 0, 15, 0, 0, 15, 1, 0];
    vec![
        three.to_vec(),
        [&three[..6], &[0, 1, 1, 4, 0, 9, 3, 0, 2]].concat(),
        vec![1, 0, 0, 15, 0, 0],
    ]
}

pub fn chains_seeds() -> Vec<Vec<u8>> {
    let uses = [0, 0, 0, 0, 0, 1, 0, 0, 0, 5, 2, 0, 0, 0, 69];
    let none = [vec![0, 0], vec![1, 0], vec![2, 0]];
    let used = [0, 1, 2].map(|which| [&[which, 3], &uses[..]].concat());
    none.into_iter().chain(used).collect()
}
