//! A thief: it has one stolen state, everything that ever went over the wire, and perhaps every private key of one kind.
//!
//! It computes with the product's own code: it puts states together from what it knows, loads them and lets them decrypt. A root step of
//! which it lacks a secret it computes by hand (HS-2), with zeros for that secret: so it gets in where the product leaves one out.

use std::collections::BTreeSet;

use crypto::hybrid::Step;
use crypto::kdf::{self, Prk};
use crypto::{dh, kem, labels};
use ratchet::{Ciphertext, Ratchet};

use crate::dice::{seed_of, x25519_of};
use crate::layout::{Chain, Pair, Skipped, State, Turn};
use crate::model::Power;

/// What went over the wire, by chains: read from headers.
pub(crate) struct Wire {
    /// The first is no chain: so that the others have the specification's numbers.
    pub(crate) chains: Vec<SeenChain>,
}

pub(crate) struct SeenChain {
    dh: [u8; 32],
    ek: [u8; kem::EK_LEN],
    ct: [u8; kem::CT_LEN],
    messages: Vec<Seen>,
}

struct Seen {
    n: u32,
    pn: u32,
    /// Number among all messages of the session.
    id: usize,
    message: Ciphertext,
}

/// The fields of a header at their places (RAT-1).
pub(crate) struct Header {
    pub(crate) n: u32,
    pub(crate) pn: u32,
    dh: [u8; 32],
    ek: [u8; kem::EK_LEN],
    ct: [u8; kem::CT_LEN],
}

impl Header {
    pub(crate) fn of(message: &Ciphertext) -> Self {
        let bytes = message.as_bytes();
        Self {
            n: u32::from_be_bytes(bytes[4..8].try_into().unwrap()),
            pn: u32::from_be_bytes(bytes[8..12].try_into().unwrap()),
            dh: bytes[12..44].try_into().unwrap(),
            ek: bytes[44..1228].try_into().unwrap(),
            ct: bytes[1228..2316].try_into().unwrap(),
        }
    }
}

impl Wire {
    pub(crate) fn new(dh: [u8; 32], ek: [u8; kem::EK_LEN]) -> Self {
        let ct = [0; kem::CT_LEN];
        Self { chains: vec![SeenChain { dh, ek, ct, messages: Vec::new() }] }
    }

    /// The next message, in the order of sending; gives the chain's place.
    pub(crate) fn see(&mut self, id: usize, message: &Ciphertext) -> usize {
        let Header { n, pn, dh, ek, ct } = Header::of(message);
        let chain = self.find(&dh).unwrap_or(self.chains.len());
        if chain == self.chains.len() {
            self.chains.push(SeenChain { dh, ek, ct, messages: Vec::new() });
        }
        self.chains[chain].messages.push(Seen { n, pn, id, message: message.clone() });
        chain
    }

    fn find(&self, dh: &[u8; 32]) -> Option<usize> {
        self.chains.iter().rposition(|chain| chain.dh == *dh)
    }
}

/// Every private key that was drawn, by chain.
pub(crate) struct Broken(Vec<Pair>);

impl Broken {
    /// Looks every public key of the wire up in the draws of its chain. `Err` is a chain whose keys were not drawn when it began, which
    /// RAT-3 demands.
    pub(crate) fn look_up(wire: &Wire, draws: &[Vec<u8>]) -> Result<Self, usize> {
        let pairs = wire.chains.iter().zip(draws).enumerate().map(|(at, (chain, draws))| {
            let dh = x25519_of(draws, &chain.dh).ok_or(at)?;
            let seed = seed_of(draws, &chain.ek).ok_or(at)?;
            Ok(Pair { dh, seed })
        });
        pairs.collect::<Result<_, _>>().map(Self)
    }
}

/// Numbers of messages that were read, with what stood in them.
pub(crate) type Loot = Vec<(usize, Vec<u8>)>;

pub(crate) struct Thief<'a> {
    state: State,
    wire: &'a Wire,
    broken: &'a Broken,
    /// The pair in the state, and its public key.
    own: Option<(Pair, [u8; 32])>,
}

/// Long ago: a product that plays for the thief lets no key expire.
const NEVER: u32 = 0;

impl<'a> Thief<'a> {
    pub(crate) fn new(stolen: &[u8], wire: &'a Wire, broken: &'a Broken) -> Self {
        let state = State::parse(stolen);
        let own = match &state.turn {
            Turn::Send { pair, .. } => {
                Some((pair.clone(), dh::Private::copy_of(&pair.dh).public().0))
            }
            Turn::Wait { .. } | Turn::Reply { .. } => None,
        };
        Self { state, wire, broken, own }
    }

    /// What the message keys and chain keys in the state open, whatever the thief can break.
    pub(crate) fn with_keys(&self) -> Loot {
        let mut loot = Loot::new();
        self.with_skipped(&mut loot);
        let mut held: Vec<Chain> = self.state.receiving.iter().cloned().collect();
        if let (Turn::Send { ck, n, .. }, Some((_, dh))) = (&self.state.turn, &self.own) {
            held.push(Chain { dh: *dh, ck: *ck, n: *n });
        }
        if let (Turn::Wait { ck }, Some(first)) = (&self.state.turn, self.wire.chains.get(1)) {
            held.push(Chain { dh: first.dh, ck: *ck, n: 0 });
        }
        for key in &held {
            self.with_chain_key(key, &mut loot);
        }
        loot
    }

    /// Keys put aside, each on its own message.
    fn with_skipped(&self, loot: &mut Loot) {
        let mut player =
            self.playing(self.state.receiving.clone(), self.state.skipped.clone()).load();
        for skipped in &self.state.skipped {
            let Some(chain) = self.wire.find(&skipped.dh) else { continue };
            let numbers: BTreeSet<u32> = skipped.keys.iter().map(|(n, _, _)| *n).collect();
            for seen in self.wire.chains[chain].messages.iter().filter(|m| numbers.contains(&m.n)) {
                read(&mut player, seen, loot);
            }
        }
    }

    /// A chain key on its own chain from its number on; and, in case chain keys do not change as they should, on everything earlier
    /// there as if it had that number, as the message key before it, and on the last message of every other chain.
    fn with_chain_key(&self, key: &Chain, loot: &mut Loot) {
        let mut forward = self.playing(Some(key.clone()), Vec::new()).load();
        for (at, chain) in self.wire.chains.iter().enumerate() {
            let same = Some(at) == self.wire.find(&key.dh);
            let last = chain.messages.len().saturating_sub(1);
            for (i, seen) in chain.messages.iter().enumerate() {
                if same && seen.n >= key.n {
                    read(&mut forward, seen, loot);
                } else if same || i == last {
                    if same && seen.n + 1 == key.n {
                        let keys = vec![(seen.n, NEVER, key.ck)];
                        let before = self.playing(None, vec![Skipped { dh: chain.dh, keys }]);
                        read(&mut before.load(), seen, loot);
                    }
                    let as_if = Chain { dh: chain.dh, ck: key.ck, n: seen.n };
                    read(&mut self.playing(Some(as_if), Vec::new()).load(), seen, loot);
                }
            }
        }
    }

    /// A state that has no step to make and these keys.
    fn playing(&self, receiving: Option<Chain>, skipped: Vec<Skipped>) -> State {
        let peer = &self.wire.chains[0];
        let turn = Turn::Reply { dh: peer.dh, ek: Box::new(peer.ek), pn: 0 };
        State { turn, receiving, skipped, ..self.state.clone() }
    }

    /// What root steps open: forward from the stolen root key as long as they succeed and two chains beyond, and, in case root keys do
    /// not change as they should, from the chain where it stands and before.
    pub(crate) fn with_steps(&self, power: Power) -> Loot {
        let mut loot = Loot::new();
        let Some(stands) = self.root_stands() else { return loot };
        let mut root = self.state.root;
        let mut failures = 0;
        for chain in stands + 1..self.wire.chains.len() {
            match self.step(power, chain, &root, &mut loot) {
                Some(next) => root = next,
                None => failures += 1,
            }
            if failures == 2 {
                break;
            }
        }
        for chain in BTreeSet::from([1, stands.saturating_sub(1), stands]) {
            if (1..=stands).contains(&chain) {
                self.step(power, chain, &self.state.root, &mut loot);
            }
        }
        loot
    }

    /// The chain whose step gave the stolen root key; `None` if nothing of it was ever sent.
    fn root_stands(&self) -> Option<usize> {
        match (&self.state.turn, &self.own) {
            (Turn::Wait { .. }, _) => (self.wire.chains.len() > 1).then_some(1),
            (Turn::Reply { dh, .. }, _) => self.wire.find(dh),
            (_, Some((_, public))) => self.wire.find(public),
            _ => None,
        }
    }

    /// Steps to chain `chain` and reads it; the new root key if that succeeds.
    fn step(
        &self,
        power: Power,
        chain: usize,
        root: &[u8; 32],
        loot: &mut Loot,
    ) -> Option<[u8; 32]> {
        let messages = &self.wire.chains[chain].messages;
        let first = messages.first()?;
        let state = match self.pair(power, chain - 1) {
            _ if chain == 1 => self.beginning(root),
            (Some(dh), Some(seed)) => self.answering(Pair { dh, seed }, root, first.pn),
            (dh, seed) => self.by_hand(dh, seed, root, chain)?,
        };
        let mut player = state.load();
        if !read(&mut player, first, loot) {
            return None;
        }
        for seen in &messages[1..] {
            read(&mut player, seen, loot);
        }
        Some(State::parse(&player.to_secret_bytes()).root)
    }

    /// The state after the beginning of the session, as if this root key were the handshake's (RAT-3).
    fn beginning(&self, root: &[u8; 32]) -> State {
        let label = [labels::RATCHET_FIRST, &self.state.sid];
        let keys = kdf::Pair::expand(&Prk::from_key(root), &label);
        let receiving = Chain { dh: self.wire.chains[1].dh, ck: *keys.second(), n: 0 };
        State { root: *keys.first(), ..self.playing(Some(receiving), Vec::new()) }
    }

    /// A state in which the product makes the step: its pair is the one that is answered.
    fn answering(&self, pair: Pair, root: &[u8; 32], pn: u32) -> State {
        let receiving = Some(Chain { dh: [0xee; 32], ck: [0; 32], n: pn });
        let ct = Box::new([0; kem::CT_LEN]);
        let turn = Turn::Send { pair, ct, ck: [0; 32], n: 0, pn: 0 };
        State { sid: self.state.sid, root: *root, turn, receiving, skipped: Vec::new() }
    }

    /// The state after the step, which is computed here with zeros for a secret that the thief lacks.
    fn by_hand(
        &self,
        dh: Option<[u8; 32]>,
        seed: Option<[u8; 64]>,
        root: &[u8; 32],
        chain: usize,
    ) -> Option<State> {
        let [answered, new] = self.wire.chains.get(chain - 1..=chain)? else { return None };
        let (x_enc, x_dec) = (dh::Public(new.dh), dh::Public(answered.dh));
        let ek = kem::EncapsulationKey::from_bytes(&answered.ek).ok()?;
        let ct = kem::Ciphertext::from_bytes(&new.ct);
        let x_ss = dh.map_or_else(
            || Some(dh::Shared::copy_of(&[0; 32])),
            |dh| dh::Private::copy_of(&dh).agree(&x_enc).ok(),
        )?;
        let kem_ss = seed.map_or_else(
            || kem::Shared::copy_of(&[0; 32]),
            |seed| kem::Seed::copy_of(&seed).decapsulate(&ct),
        );
        let mixed = Step {
            salt: root,
            transcript: &self.state.sid,
            step: 0x10,
            kem_ss: &kem_ss,
            x_ss: &x_ss,
            x_enc: &x_enc,
            x_dec: &x_dec,
            ek: &ek,
            ct: &ct,
        }
        .mix();
        let receiving = Chain { dh: new.dh, ck: *mixed.second(), n: 0 };
        Some(State { root: *mixed.first(), ..self.playing(Some(receiving), Vec::new()) })
    }

    /// What the thief knows of the private halves of a pair.
    fn pair(&self, power: Power, chain: usize) -> (Option<[u8; 32]>, Option<[u8; 64]>) {
        let public = &self.wire.chains[chain].dh;
        let own = self.own.as_ref().filter(|(_, own)| own == public).map(|(pair, _)| pair);
        let broken = &self.broken.0[chain];
        let broken_dh = matches!(power, Power::X25519 | Power::Both).then_some(broken.dh);
        let broken_seed = matches!(power, Power::MlKem | Power::Both).then_some(broken.seed);
        (own.map(|pair| pair.dh).or(broken_dh), own.map(|pair| pair.seed).or(broken_seed))
    }
}

fn read(player: &mut Ratchet, seen: &Seen, loot: &mut Loot) -> bool {
    let Ok(text) = player.decrypt(NEVER, &seen.message) else { return false };
    loot.push((seen.id, text.content().to_vec()));
    true
}
