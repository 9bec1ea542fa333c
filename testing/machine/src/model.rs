//! One side of a session as the specification describes it, without any cryptography.
//!
//! Chains are numbered through the session: 1 is B's first chain, 2 A's first, and so on; chain `c` answers the pair of chain `c - 1`,
//! but the first, which has its keys from the handshake.

use std::collections::{BTreeMap, BTreeSet};

/// RAT-6, written again here on purpose: the limits are the specification's, not the product's.
pub(crate) const MAX_SKIP: u32 = 1000;
pub(crate) const MAX_STORED: usize = 1000;
pub(crate) const MAX_OLD_CHAINS: usize = 5;
pub(crate) const SKIPPED_DAYS: u32 = 30;

/// Where a message stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    pub(crate) chain: u32,
    pub(crate) n: u32,
}

/// Why a message of the peer is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// Its key is not there: used, or pushed out by a limit.
    Gone,
    /// Its key is older than 30 days.
    Expired,
    /// It stands too far ahead.
    TooFar,
}

/// RAT-2: whose turn it is to step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    Wait,
    Reply { pn: u32 },
    Send { chain: u32, n: u32, pn: u32 },
}

/// One side.
#[derive(Clone)]
pub(crate) struct Side {
    pub(crate) turn: Turn,
    /// The peer's chain, and the number that is expected in it.
    pub(crate) theirs: Option<Place>,
    /// Keys put aside, and the day on which that was.
    pub(crate) late: BTreeMap<Place, u32>,
    /// Keys that the limits on chains and on keys pushed out.
    pub(crate) pushed: (u64, u64),
}

impl Side {
    pub(crate) fn inviter() -> Self {
        Self::new(Turn::Wait)
    }

    pub(crate) fn invited() -> Self {
        Self::new(Turn::Send { chain: 1, n: 0, pn: 0 })
    }

    fn new(turn: Turn) -> Self {
        Self { turn, theirs: None, late: BTreeMap::new(), pushed: (0, 0) }
    }

    /// RAT-3: place and `pn` of the message that is sent now; `None` if nothing can be sent yet.
    pub(crate) fn say(&mut self) -> Option<(Place, u32)> {
        if let Turn::Reply { pn } = self.turn {
            let chain = self.theirs.map_or(0, |t| t.chain) + 1;
            self.turn = Turn::Send { chain, n: 0, pn };
        }
        let Turn::Send { chain, n, pn } = self.turn else { return None };
        self.turn = Turn::Send { chain, n: n + 1, pn };
        Some((Place { chain, n }, pn))
    }

    /// RAT-4, RAT-6, RAT-7: accepts a message, or says why not and changes nothing.
    pub(crate) fn hear(&mut self, at: Place, pn: u32, today: u32) -> Result<(), Refusal> {
        if let Some(day) = self.late.get(&at) {
            if expired(*day, today) {
                return Err(Refusal::Expired);
            }
            self.late.remove(&at);
            self.trim(today);
            return Ok(());
        }
        let (chain, next) = self.theirs.map_or((0, 0), |t| (t.chain, t.n));
        let (rest, from) = if at.chain == chain {
            if at.n < next {
                return Err(Refusal::Gone);
            }
            (next..next, next)
        } else if at.chain > chain {
            let answered = match self.turn {
                Turn::Wait => Some(0),
                Turn::Reply { .. } => None,
                Turn::Send { chain, .. } => Some(chain),
            };
            assert_eq!(answered, Some(at.chain - 1), "no chain can be passed over");
            (next..pn, 0)
        } else {
            return Err(Refusal::Gone);
        };
        if rest.len() > usize::try_from(MAX_SKIP).unwrap() || at.n - from > MAX_SKIP {
            return Err(Refusal::TooFar);
        }
        if at.chain > chain {
            let pn = match self.turn {
                Turn::Send { n, .. } => n,
                _ => 0,
            };
            self.turn = Turn::Reply { pn };
        }
        self.late.extend(rest.map(|n| (Place { chain, n }, today)));
        self.late.extend((from..at.n).map(|n| (Place { chain: at.chain, n }, today)));
        self.theirs = Some(Place { chain: at.chain, n: at.n + 1 });
        self.trim(today);
        Ok(())
    }

    /// The daily call; says whether anything was forgotten.
    pub(crate) fn forget_expired(&mut self, today: u32) -> bool {
        let before = self.late.len();
        self.late.retain(|_, day| !expired(*day, today));
        self.late.len() != before
    }

    fn trim(&mut self, today: u32) {
        self.forget_expired(today);
        let current = self.theirs.map_or(0, |t| t.chain);
        let old: BTreeSet<u32> =
            self.late.keys().map(|at| at.chain).filter(|chain| *chain != current).collect();
        let before = self.late.len();
        if let Some(oldest) = old.iter().rev().nth(MAX_OLD_CHAINS - 1) {
            self.late.retain(|at, _| at.chain >= *oldest);
        }
        self.pushed.0 += u64::try_from(before - self.late.len()).unwrap();
        while self.late.len() > MAX_STORED {
            self.late.pop_first();
            self.pushed.1 += 1;
        }
    }

    /// What a theft of this state opens (RAT-9 to RAT-11).
    pub(crate) fn window(&self) -> Window {
        let theirs = self.theirs.map_or(0, |t| t.chain);
        let (root, own, answer) = match self.turn {
            Turn::Wait => (1, None, None),
            Turn::Reply { .. } => (theirs, None, None),
            Turn::Send { chain, n, .. } => (chain, Some(Place { chain, n }), Some(chain + 1)),
        };
        let current = match self.turn {
            Turn::Wait => Some(Place { chain: 1, n: 0 }),
            _ => self.theirs,
        };
        let late = self.late.keys().copied().collect();
        Window { late, current, own, answer, root }
    }
}

fn expired(day: u32, today: u32) -> bool {
    today.saturating_sub(day) > SKIPPED_DAYS
}

/// What the thief can break besides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Power {
    /// Nothing: a classical thief.
    Nothing,
    /// Every X25519 key: a quantum thief.
    X25519,
    /// Every ML-KEM key.
    MlKem,
    /// Both: the control, who reads on for ever.
    Both,
}

impl Power {
    /// All thieves.
    pub const ALL: [Self; 4] = [Self::Nothing, Self::X25519, Self::MlKem, Self::Both];
}

/// The messages that a stolen state opens.
pub(crate) struct Window {
    /// RAT-11: keys put aside.
    late: BTreeSet<Place>,
    /// RAT-10: the receiving chain, from the number that was expected.
    current: Option<Place>,
    /// RAT-10: the sending chain, from the number that came next.
    own: Option<Place>,
    /// RAT-10: the chain that answers a pair in the state.
    answer: Option<u32>,
    /// The chain that the stolen root key stands at.
    root: u32,
}

impl Window {
    /// Whether this thief opens the message at `at`.
    pub(crate) fn opens(&self, power: Power, at: Place) -> bool {
        let from = |start: Option<Place>| start.is_some_and(|s| s.chain == at.chain && at.n >= s.n);
        self.late.contains(&at)
            || from(self.current)
            || from(self.own)
            || self.answer == Some(at.chain)
            || (power == Power::Both && at.chain > self.root)
    }
}
