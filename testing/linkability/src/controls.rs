//! Negative controls: each takes one defence away, and an attack or a check must find it. None can
//! be reached from the product: they rewrite what mailboxes saw, as frames without the defence would
//! show it, or stand between the simulated clients and their gate.

use crate::games::Game;
use crate::people::Dice;
use crate::transcript::{Asked, Deed, Log, Operation, Truth};
use crate::world::Presence;
use engine::OperationKind;
use simnet::{Dial, Errand, Ruling, SECOND, Shaper};
use std::collections::BTreeMap;

/// A control on the log of a steady run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rewritten {
    /// All operations of a client at a mailbox share a circuit.
    OneCircuit,
    /// Every recipient has a queue with a name, which puts and fetches tell.
    QueueIds,
    /// Tags are used once, and a reader asks for those of its contacts by name until they come.
    Polling,
    /// A digest tells up to where the last one came.
    Cursor,
    /// Fetches fire every 30 s.
    FixedPeriod,
    /// Circuits stay open until the client's network breaks.
    OpenCircuits,
    /// Envelopes are as long as what is in them.
    VariableSize,
    /// Copies in two mailboxes have the same tag.
    SameTag,
    /// Pages keep the order in which envelopes came.
    Unsorted,
}

/// Who must find a control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum By {
    /// An attacker, in this game, with an advantage above the figure.
    Game(Game, f64),
    /// A check of structure (T1).
    Structure,
}

impl Rewritten {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::OneCircuit,
        Self::QueueIds,
        Self::Polling,
        Self::Cursor,
        Self::FixedPeriod,
        Self::OpenCircuits,
        Self::VariableSize,
        Self::SameTag,
        Self::Unsorted,
    ];

    /// What it is called in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneCircuit => "one circuit for all",
            Self::QueueIds => "queue ids",
            Self::Polling => "polling per address",
            Self::Cursor => "cursor in DIGEST",
            Self::FixedPeriod => "fixed-period timers",
            Self::OpenCircuits => "circuits left open, network loss",
            Self::VariableSize => "variable envelope size",
            Self::SameTag => "same tag in both mailboxes",
            Self::Unsorted => "unsorted page",
        }
    }

    /// Who must find it.
    #[must_use]
    pub const fn by(self) -> By {
        match self {
            Self::OneCircuit => By::Game(Game::G4, 0.9),
            Self::QueueIds => By::Game(Game::G1, 0.9),
            Self::Polling => By::Game(Game::G1, 0.25),
            Self::Cursor => By::Game(Game::Streams, 0.2),
            Self::FixedPeriod | Self::OpenCircuits => By::Game(Game::G4, 0.2),
            Self::VariableSize | Self::SameTag | Self::Unsorted => By::Structure,
        }
    }

    /// The log as mailboxes would have written it without the defence.
    #[must_use]
    pub fn rewrite(self, log: &Log, truth: &Truth) -> (Log, Truth) {
        let (mut log, mut truth) = (log.clone(), truth.clone());
        match self {
            Self::OneCircuit => {
                each(&mut log, &truth, |op, deed| op.circuit = number(deed.client));
            }
            Self::QueueIds => queue_ids(&mut log, &truth),
            Self::Polling => return polling(log, truth),
            Self::Cursor => cursors(&mut log, &truth),
            Self::FixedPeriod => return fixed_period(log, truth),
            Self::OpenCircuits => open_circuits(&mut log, &mut truth),
            Self::VariableSize => each(&mut log, &truth, |op, deed| {
                if let Asked::Put { size, .. } = &mut op.asked
                    && let Some(item) = deed.item
                {
                    *size = 200 + item % 900;
                }
            }),
            Self::SameTag => each(&mut log, &truth, |op, deed| {
                if let Asked::Put { tag, .. } = &mut op.asked
                    && let Some(item) = deed.item
                {
                    tag[8..].copy_from_slice(&number(item).to_be_bytes());
                    tag[..8].copy_from_slice(&number(item).to_be_bytes());
                }
            }),
            Self::Unsorted => {
                let mut dice = Dice::new(3);
                log.pages.iter_mut().for_each(|page| dice.shuffle(&mut page.tags));
            }
        }
        (log, truth)
    }
}

fn number(of: usize) -> u64 {
    u64::try_from(of).unwrap()
}

fn each(log: &mut Log, truth: &Truth, mut change: impl FnMut(&mut Operation, Deed)) {
    for operation in &mut log.operations {
        let deed = truth.deeds[operation.number];
        change(operation, deed);
    }
}

/// Covers go to the queue of anybody.
fn queue_ids(log: &mut Log, truth: &Truth) {
    let mut dice = Dice::new(4);
    let people = truth.zones.len();
    each(log, truth, |op, deed| {
        op.mark = match op.asked {
            Asked::Put { .. } => Some(number(deed.to.unwrap_or_else(|| dice.below(people)))),
            Asked::Fetch { .. } => Some(number(deed.client)),
            Asked::Digest(_) => None,
        };
    });
}

/// Puts operations into the order of their coming and numbers them anew.
fn in_order(mut log: Log, mut truth: Truth, extra: Vec<(Operation, Deed)>) -> (Log, Truth) {
    let deeds = core::mem::take(&mut truth.deeds);
    let old = log.operations.into_iter().map(|op| (deeds[op.number], op));
    let mut all: Vec<(Deed, Operation)> =
        old.chain(extra.into_iter().map(|(op, deed)| (deed, op))).collect();
    all.sort_by_key(|(_, op)| op.accept);
    log.operations = Vec::new();
    for (at, (deed, op)) in all.into_iter().enumerate() {
        log.operations.push(Operation { number: at, ..op });
        truth.deeds.push(deed);
    }
    (log, truth)
}

/// Tags that a reader asks for ahead of each contact.
const AHEAD: usize = 3;

/// At each of its fetches a reader asks for the next tags of every contact, on circuits of their own.
fn polling(mut log: Log, truth: Truth) -> (Log, Truth) {
    let mut lines: BTreeMap<(usize, usize), Vec<(u64, u64)>> = BTreeMap::new();
    for op in &mut log.operations {
        let deed = truth.deeds[op.number];
        if let (Asked::Put { stored: true, .. }, Some(item), Some(to)) =
            (op.asked, deed.item, deed.to)
        {
            let line = lines.entry((to, deed.client)).or_default();
            if line.iter().all(|(_, known)| *known != number(item)) {
                line.push((op.accept, number(item)));
            }
            op.mark = Some(number(item));
        }
    }
    let mut dice = Dice::new(5);
    let mut extra = Vec::new();
    for op in &log.operations {
        let client = truth.deeds[op.number].client;
        if !matches!(op.asked, Asked::Fetch { .. }) {
            continue;
        }
        for (_, line) in lines.range((client, 0)..(client + 1, 0)) {
            let next = line.partition_point(|(put, _)| *put + 60 * SECOND < op.accept);
            for (_, item) in line[next..].iter().take(AHEAD) {
                let accept = op.accept + dice.exp_ms(1.5);
                let (circuit, close) = ((1 << 40) + number(extra.len()), accept + 300);
                let poll = Operation { circuit, accept, close, mark: Some(*item), ..op.clone() };
                extra.push((poll, Deed { client, ..Deed::default() }));
            }
        }
    }
    in_order(log, truth, extra)
}

/// A cursor names a page, and so the moment at which the last stream ended.
fn cursors(log: &mut Log, truth: &Truth) {
    let mut ends: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    each(log, truth, |op, deed| {
        if matches!(op.asked, Asked::Digest(_)) {
            let end = ends.entry((deed.client, op.mailbox)).or_default();
            op.mark = Some((*end).min(op.accept));
            *end = (*end).max(op.close.min(op.accept + 24 * 3600 * SECOND));
        }
    });
}

fn fixed_period(mut log: Log, truth: Truth) -> (Log, Truth) {
    const PERIOD: u64 = 30 * SECOND;
    let mut dice = Dice::new(6);
    let phases: Vec<u64> = truth.zones.iter().map(|_| dice.exp_ms(1000.0) % PERIOD).collect();
    each(&mut log, &truth, |op, deed| {
        if matches!(op.asked, Asked::Fetch { .. }) {
            let phase = phases[deed.client];
            let tick = (op.accept + PERIOD - phase) / PERIOD * PERIOD + phase;
            let late = tick + dice.log_normal_ms(3.5, 0.5) - op.accept;
            op.accept += late;
            op.close = op.close.saturating_add(late);
        }
    });
    in_order(log, truth, Vec::new())
}

fn open_circuits(log: &mut Log, truth: &mut Truth) {
    let mut losses: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (client, at) in &truth.losses {
        losses.entry(*client).or_default().push(*at);
    }
    each(log, truth, |op, deed| {
        let lost = losses.get(&deed.client).map_or(&[][..], Vec::as_slice);
        let next = lost.partition_point(|at| *at <= op.accept);
        op.close = lost.get(next).copied().unwrap_or(u64::MAX);
        op.lost = true;
    });
}

/// Rates follow activity: whoever is not there fires a tenth of the slots.
pub struct Activity {
    presence: Presence,
    dice: Dice,
}

impl Activity {
    /// Thins the slots of those who are not there.
    #[must_use]
    pub fn new(presence: Presence) -> Self {
        Self { presence, dice: Dice::new(8) }
    }
}

impl Shaper for Activity {
    fn dial(&mut self, dial: &Dial<'_>) -> Ruling {
        let there = self.presence.borrow().get(dial.client).is_none_or(|until| *until > dial.at);
        let slot = !matches!(dial.kind, OperationKind::Digest(_));
        if slot && !there && self.dice.unit() < 0.9 { Ruling::Refuse } else { Ruling::Go }
    }
}

/// Cover deposits do not leave.
pub struct NoCover;

impl Shaper for NoCover {
    fn dial(&mut self, dial: &Dial<'_>) -> Ruling {
        let cover = matches!(dial.kind, OperationKind::Put { .. }) && dial.errand.is_none();
        if cover { Ruling::Refuse } else { Ruling::Go }
    }
}

/// A deposit that failed leaves again at once if somebody waits for it.
pub struct RetryAtOnce;

impl Shaper for RetryAtOnce {
    fn dial(&mut self, _dial: &Dial<'_>) -> Ruling {
        Ruling::Go
    }

    fn again(&mut self, errand: Option<Errand>) -> bool {
        errand.is_some()
    }
}
