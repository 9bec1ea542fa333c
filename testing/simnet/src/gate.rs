//! The gate in memory: what Tor gives an operation, and what it takes away.

use crate::world::DAY;
use engine::OpId;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::{BTreeMap, BTreeSet};

/// Names a client's operation, in one of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Origin {
    pub(crate) client: usize,
    pub(crate) life: u64,
    pub(crate) id: OpId,
}

/// Circuits. An isolation token belongs to one stream: a second one with it would share the circuit
/// and so be linked to the first, and is refused, as the real gate does (TOR-6).
pub struct Gate {
    /// Streams that were refused because their token had been used.
    pub reused: u64,
    /// Answers that came days later, or twice.
    pub strayed: u64,
    /// Of a thousand answers, so many come days later, when nobody waits for them.
    pub late: u32,
    /// Of a thousand answers, so many come twice.
    pub doubled: u32,
    tokens: BTreeMap<usize, BTreeSet<[u8; 16]>>,
    /// Operations that have not ended.
    open: BTreeSet<Origin>,
    /// Clients without Tor, until this moment.
    down: BTreeMap<usize, u64>,
    dice: ChaCha20Rng,
}

/// When else an answer comes, in milliseconds from now.
pub(crate) enum Again {
    No,
    /// It comes at its time and once more.
    Twice(u64),
    /// It comes when nobody waits for it any more.
    Late(u64),
}

impl Gate {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            reused: 0,
            strayed: 0,
            late: 0,
            doubled: 0,
            tokens: BTreeMap::new(),
            open: BTreeSet::new(),
            down: BTreeMap::new(),
            dice: ChaCha20Rng::seed_from_u64(seed ^ 0x6a7e),
        }
    }

    /// A stream for an operation; says whether there is one.
    pub(crate) fn dial(&mut self, origin: Origin, token: [u8; 16]) -> bool {
        let fresh = self.tokens.entry(origin.client).or_default().insert(token);
        self.reused += u64::from(!fresh);
        self.open.insert(origin);
        fresh
    }

    /// Whether a client's gate reaches anybody.
    pub(crate) fn works(&self, client: usize, now: u64) -> bool {
        self.down.get(&client).is_none_or(|until| *until <= now)
    }

    pub(crate) fn is_open(&self, origin: &Origin) -> bool {
        self.open.contains(origin)
    }

    /// The operation is over; says whether it was not before.
    pub(crate) fn end(&mut self, origin: &Origin) -> bool {
        self.open.remove(origin)
    }

    /// The program that asked is gone, and its circuits with it.
    pub(crate) fn forget(&mut self, client: usize) {
        self.open.retain(|origin| origin.client != client);
    }

    /// The gate of a client dies and is back at `until`; gives what was under way.
    pub(crate) fn die(&mut self, client: usize, until: u64) -> Vec<Origin> {
        self.down.insert(client, until);
        self.open.extract_if(.., |origin| origin.client == client).collect()
    }

    pub(crate) fn again(&mut self) -> Again {
        let (roll, span) = (self.dice.next_u32() % 1000, self.dice.next_u64());
        self.strayed += u64::from(roll < self.late + self.doubled);
        if roll < self.late {
            Again::Late(DAY + span % (4 * DAY))
        } else if roll < self.late + self.doubled {
            Again::Twice(span % DAY)
        } else {
            Again::No
        }
    }
}
