//! The games (mailbox.md, section 8): a question about two things in the log, as often answered by
//! yes as by no, and matched in everything that the question itself gives away.

use crate::features::{answer, deposits, linked, moment, reads};
use crate::index::Index;
use crate::people::{Dice, awake};
use crate::transcript::{Asked, Deed, Log, Operation, Truth};
use board::frame::Window;
use simnet::{HOUR, MINUTE};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Game {
    /// Two envelopes that are no cover: the same recipient?
    G1,
    /// The same conversation and direction?
    G2,
    /// A deposit: by the client that read this envelope?
    G3,
    /// Two fetches: the same client?
    G4,
    /// Two people and a moment: do they converse?
    G5,
    /// Two deposits at two mailboxes: copies of one item?
    G6,
    /// Two streams one after the other: the same client? Reported, outside the claim.
    Streams,
    /// Two streams at two mailboxes that end at about the same time: the same client? Reported.
    Ends,
    /// A deposit: no cover? Reported.
    Cover,
}

impl Game {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::G1,
        Self::G2,
        Self::G3,
        Self::G4,
        Self::G5,
        Self::G6,
        Self::Streams,
        Self::Ends,
        Self::Cover,
    ];
    /// Those that bound the claim.
    pub const CLAIMED: [Self; 5] = [Self::G1, Self::G2, Self::G3, Self::G4, Self::G5];

    /// What it is called in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::G1 => "G1 same recipient",
            Self::G2 => "G2 same conversation",
            Self::G3 => "G3 deposit by its reader",
            Self::G4 => "G4 two reads, one client",
            Self::G5 => "G5 idle or conversing",
            Self::G6 => "G6 copies of one item",
            Self::Streams => "S1 two streams in turn",
            Self::Ends => "S2 two streams' ends",
            Self::Cover => "C1 a deposit is no cover",
        }
    }
}

/// One question.
pub struct Case {
    /// What the attacker computed.
    pub features: Vec<f64>,
    /// Something in the frames or circuits links the two.
    pub linked: bool,
    /// The answer.
    pub yes: bool,
    /// Which half of the clients it is about: an attacker learns on one and is asked about the other.
    pub half: bool,
    /// The client that it begins with; cases of one client are not independent.
    pub anchor: usize,
}

/// Two deposits, or two reads, lie this close together.
const WINDOW: u64 = 10 * MINUTE;
/// Two envelopes of G1 and G2 lie this close together.
const LONG: u64 = HOUR;
/// The other envelope of G1 and G2 is drawn this near.
const JITTER: u64 = MINUTE;
/// Attempts to find a case, for each that is wanted.
const ATTEMPTS: usize = 40;

struct Deck<'a> {
    index: Index,
    log: &'a Log,
    truth: &'a Truth,
    half: Vec<bool>,
    dice: Dice,
    /// First deposits of real items that were stored, by time: operation numbers.
    real: Vec<usize>,
    puts: Vec<usize>,
    fetches: Vec<usize>,
    streams: Vec<usize>,
}

/// Draws about `want` cases of a game, fewer if the log has no more.
#[must_use]
pub fn draw(game: Game, log: &Log, truth: &Truth, want: usize, seed: u64) -> Vec<Case> {
    let mut deck = Deck::new(log, truth, seed);
    let mut cases = Vec::new();
    for _ in 0..want * ATTEMPTS / 2 {
        if cases.len() + 1 >= want {
            break;
        }
        let pair = match game {
            Game::G1 => deck.envelopes(false),
            Game::G2 => deck.envelopes(true),
            Game::G3 => deck.reader(),
            Game::G4 => deck.two_reads(),
            Game::G5 => deck.talk(),
            Game::G6 => deck.copies(),
            Game::Streams => deck.two_streams(),
            Game::Ends => deck.two_ends(),
            Game::Cover => deck.cover(),
        };
        cases.extend(pair.into_iter().flatten());
    }
    cases
}

impl<'a> Deck<'a> {
    fn new(log: &'a Log, truth: &'a Truth, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let half = truth.zones.iter().map(|_| dice.unit() < 0.5).collect();
        let mut known = std::collections::BTreeSet::new();
        let of = |so: &dyn Fn(&Operation) -> bool| -> Vec<usize> {
            let played = log.operations.iter().filter(|o| o.accept >= log.from && so(o));
            played.map(|o| o.number).collect()
        };
        let stored = |o: &Operation| matches!(o.asked, Asked::Put { stored: true, .. });
        let puts = of(&stored);
        let first = |at: &&usize| {
            let (operation, deed) = (&log.operations[**at], truth.deeds[**at]);
            deed.item.is_some_and(|item| known.insert((item, operation.mailbox)))
        };
        let real = puts.iter().filter(first).copied().collect();
        let fetches = of(&|o| matches!(o.asked, Asked::Fetch { .. }));
        let streams = of(&|o| matches!(o.asked, Asked::Digest(Window::Stream)));
        Self { index: Index::new(log), log, truth, half, dice, real, puts, fetches, streams }
    }

    fn op(&self, number: usize) -> &'a Operation {
        &self.log.operations[number]
    }

    fn deed(&self, number: usize) -> Deed {
        self.truth.deeds[number]
    }

    fn pick(&mut self, list: &[usize]) -> Option<usize> {
        let at = self.dice.below(list.len());
        list.get(at).copied()
    }

    /// One of `list` whose circuit came between two moments, and for which `so` holds.
    fn pick_between(
        &mut self,
        list: &[usize],
        from: u64,
        to: u64,
        so: impl Fn(&Self, usize) -> bool,
    ) -> Option<usize> {
        let at = |when: u64| list.partition_point(|n| self.op(*n).accept < when);
        let range = &list[at(from)..at(to).max(at(from))];
        let good: Vec<usize> = range.iter().copied().filter(|n| so(self, *n)).collect();
        self.pick(&good)
    }

    fn cases(
        &self,
        anchor: usize,
        features: impl Fn(&Operation, &Operation) -> Vec<f64>,
        (first, [right, wrong]): (usize, [usize; 2]),
    ) -> [Case; 2] {
        [(right, true), (wrong, false)].map(|(second, yes)| {
            let (a, b) = (self.op(first), self.op(second));
            let half = self.half[anchor];
            Case { features: features(a, b), linked: linked(a, b), yes, half, anchor }
        })
    }

    /// G1 and G2. All four envelopes are real; the other one of the wrong pair is drawn from those
    /// within a minute of the right one, since when people say things is no secret of the schedule.
    fn envelopes(&mut self, conversation: bool) -> Option<[Case; 2]> {
        let real = std::mem::take(&mut self.real);
        let pair = self.pick(&real).and_then(|first| {
            let (one, at) = (self.deed(first), self.op(first).accept);
            let to = one.to?;
            let same = |deck: &Self, n: usize| {
                let deed = deck.deed(n);
                deed.to == one.to
                    && deed.item != one.item
                    && (!conversation || deed.client == one.client)
            };
            let right = self.pick_between(&real, at + 1, at + LONG, same)?;
            let near = self.op(right).accept;
            let other = |deck: &Self, n: usize| {
                let deed = deck.deed(n);
                let half = deed.to.is_some_and(|to2| deck.half[to2] == deck.half[to]);
                deed.to != one.to && half && deed.item != one.item && n != first
            };
            let (from, until) = (near.saturating_sub(JITTER), near + JITTER);
            let wrong = self.pick_between(&real, from.max(at + 1), until, other)?;
            Some((to, (first, [right, wrong])))
        });
        self.real = real;
        let (to, three) = pair?;
        Some(self.cases(to, |a, b| deposits(&self.index, a, b), three))
    }

    /// G3. Both deposits lie in the ten minutes after the read.
    fn reader(&mut self) -> Option<[Case; 2]> {
        let (real, puts) = (std::mem::take(&mut self.real), std::mem::take(&mut self.puts));
        let pair = self.pick(&real).and_then(|message| {
            let to = self.deed(message).to?;
            let chunk = self.index.chunk(self.op(message))?;
            let read = self.log_read(chunk, to)?;
            let mine = |deck: &Self, n: usize| deck.deed(n).client == to;
            let right = self.pick_between(&puts, read + 1, read + WINDOW, mine)?;
            let other = |deck: &Self, n: usize| {
                let client = deck.deed(n).client;
                client != to && deck.half[client] == deck.half[to]
            };
            let wrong = self.pick_between(&puts, read + 1, read + WINDOW, other)?;
            Some((to, (message, [right, wrong])))
        });
        (self.real, self.puts) = (real, puts);
        let (to, three) = pair?;
        Some(self.cases(to, |a, b| answer(&self.index, a, b), three))
    }

    /// When a client first asked for a chunk.
    fn log_read(&self, chunk: crate::index::Chunk, client: usize) -> Option<u64> {
        let (first, last) = {
            let times = self.index.fetches(Some(chunk));
            (*times.first()?, *times.last()?)
        };
        let from = self.fetches.partition_point(|n| self.op(*n).accept < first);
        let span = self.fetches[from..].iter().take_while(|n| self.op(**n).accept <= last);
        let mut mine = span.filter(|n| {
            self.deed(**n).client == client && self.index.chunk(self.op(**n)) == Some(chunk)
        });
        mine.next().map(|n| self.op(*n).accept)
    }

    /// G4. Both second reads lie in the ten minutes after the first.
    fn two_reads(&mut self) -> Option<[Case; 2]> {
        let fetches = std::mem::take(&mut self.fetches);
        let pair = self.followers(&fetches, WINDOW);
        self.fetches = fetches;
        let (client, three) = pair?;
        Some(self.cases(client, |a, b| reads(&self.index, a, b), three))
    }

    /// Two reads by one client, and one by another.
    fn followers(&mut self, list: &[usize], window: u64) -> Option<(usize, (usize, [usize; 2]))> {
        let first = self.pick(list)?;
        let (client, at) = (self.deed(first).client, self.op(first).accept);
        let mine = |deck: &Self, n: usize| deck.deed(n).client == client && n != first;
        let right = self.pick_between(list, at, at + window, mine)?;
        let other = |deck: &Self, n: usize| {
            let other = deck.deed(n).client;
            other != client && deck.half[other] == deck.half[client]
        };
        let wrong = self.pick_between(list, at, at + window, other)?;
        Some((client, (first, [right, wrong])))
    }

    /// Streams one after the other, at one mailbox. The second begins within nine minutes of the
    /// end of the first, whoever opens it.
    fn two_streams(&mut self) -> Option<[Case; 2]> {
        let about = |one: &Operation| {
            (one.close.saturating_sub(9 * MINUTE), one.close.saturating_add(9 * MINUTE))
        };
        self.stream_pair(about, |one, two| two.mailbox == one.mailbox && two.number != one.number)
    }

    /// Streams at both mailboxes that are open at one moment, and end within the hour.
    fn two_ends(&mut self) -> Option<[Case; 2]> {
        let about = |one: &Operation| (one.accept.saturating_sub(HOUR), one.accept + HOUR);
        self.stream_pair(about, |one, two| {
            two.mailbox != one.mailbox && two.close.abs_diff(one.close) < HOUR
        })
    }

    /// A stream with another of the same client, and with one of a client of the same half. Both came
    /// in the span that `about` gives for the first, and stand to it as `near` says.
    fn stream_pair(
        &mut self,
        about: impl Fn(&Operation) -> (u64, u64),
        near: impl Fn(&Operation, &Operation) -> bool,
    ) -> Option<[Case; 2]> {
        let streams = std::mem::take(&mut self.streams);
        let pair = self.pick(&streams).and_then(|first| {
            let (client, one) = (self.deed(first).client, self.op(first));
            let (from, to) = about(one);
            let mine =
                |deck: &Self, n: usize| near(one, deck.op(n)) && deck.deed(n).client == client;
            let right = self.pick_between(&streams, from, to, mine)?;
            let other = |deck: &Self, n: usize| {
                let other = deck.deed(n).client;
                near(one, deck.op(n)) && other != client && deck.half[other] == deck.half[client]
            };
            let wrong = self.pick_between(&streams, from, to, other)?;
            Some((client, (first, [right, wrong])))
        });
        self.streams = streams;
        let (client, three) = pair?;
        Some(self.cases(client, |a, b| reads(&self.index, a, b), three))
    }

    /// G5. The idle moment is one of the same two people within three hours. Both are up at either:
    /// when people sleep is no secret of the schedule, and others of their zone sleep then as well.
    fn talk(&mut self) -> Option<[Case; 2]> {
        let at = self.dice.below(self.truth.talks.len());
        let talk = *self.truth.talks.get(at)?;
        let (from, to) = (talk.from.max(self.log.from), talk.to.min(self.log.to));
        if to < from + 4 * MINUTE {
            return None;
        }
        let late = to - 2 * MINUTE;
        let when = from + (self.dice.unit() * (late - from) as f64) as u64;
        let offset = (self.dice.unit() * 6.0 - 3.0) * HOUR as f64;
        let idle = (when as f64 + offset) as u64;
        // Both lie where there is a before and an after to compare with.
        let (first, last) = (self.log.from + 30 * MINUTE, self.log.to.saturating_sub(4 * WINDOW));
        let up = |who: usize, at: u64| {
            let zone = self.truth.zones[who];
            awake(zone, at.saturating_sub(HOUR)) && awake(zone, at + HOUR)
        };
        let inside = |at: u64| (first..=last).contains(&at) && up(talk.a, at) && up(talk.b, at);
        let busy = self.truth.talks.iter().any(|other| {
            let ours = [talk.a, talk.b].iter().any(|who| *who == other.a || *who == other.b);
            ours && idle + WINDOW > other.from && idle < other.to + 5 * MINUTE
        });
        if !inside(idle) || !inside(when) || busy {
            return None;
        }
        let (anchor, half) = (talk.a, self.half[talk.a]);
        Some([(when, true), (idle, false)].map(|(at, yes)| Case {
            features: moment(&self.index, at, WINDOW),
            linked: false,
            yes,
            half,
            anchor,
        }))
    }

    /// G6. The wrong copy is the deposit nearest to the right one at the same mailbox.
    fn copies(&mut self) -> Option<[Case; 2]> {
        let (real, puts) = (std::mem::take(&mut self.real), std::mem::take(&mut self.puts));
        let pair = self.pick(&real).and_then(|first| {
            let (one, mailbox) = (self.deed(first), self.op(first).mailbox);
            let copy =
                |n: &&usize| self.deed(**n).item == one.item && self.op(**n).mailbox != mailbox;
            let at = real.partition_point(|n| *n < first);
            let right = *real[at..].iter().take(4000).find(copy)?;
            let (near, there) = (self.op(right).accept, self.op(right).mailbox);
            let other = |n: &&usize| {
                let (client, put) = (self.deed(**n).client, self.op(**n));
                let half = self.half[client] == self.half[one.client];
                client != one.client && half && put.mailbox == there
            };
            let at = puts.partition_point(|n| self.op(*n).accept < near);
            let around = &puts[at.saturating_sub(60)..(at + 60).min(puts.len())];
            let gap = |n: &&usize| self.op(**n).accept.abs_diff(near);
            let wrong = *around.iter().filter(other).min_by_key(gap)?;
            Some((one.client, (first, [right, wrong])))
        });
        (self.real, self.puts) = (real, puts);
        let (client, three) = pair?;
        Some(self.cases(client, |a, b| deposits(&self.index, a, b), three))
    }

    /// Real or cover, within a minute of each other.
    fn cover(&mut self) -> Option<[Case; 2]> {
        let (real, puts) = (std::mem::take(&mut self.real), std::mem::take(&mut self.puts));
        let pair = self.pick(&real).and_then(|right| {
            let (client, at) = (self.deed(right).client, self.op(right).accept);
            let other = |deck: &Self, n: usize| {
                let deed = deck.deed(n);
                deed.item.is_none() && deck.half[deed.client] == deck.half[client]
            };
            let wrong = self.pick_between(&puts, at.saturating_sub(JITTER), at + JITTER, other)?;
            Some((client, [right, wrong]))
        });
        (self.real, self.puts) = (real, puts);
        let (client, [right, wrong]) = pair?;
        let alone = |_: &Operation, put: &Operation| deposits(&self.index, put, put);
        Some(
            self.cases(client, alone, (right, [right, wrong]))
                .map(|case| Case { linked: false, ..case }),
        )
    }
}
