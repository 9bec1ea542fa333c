//! What happens in a life, drawn from its seed before it begins.

use crate::client::SaveFault;
use crate::faults::Faults;
use crate::world::{DAY, HOUR, MINUTE, SECOND};
use engine::Mode;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};

/// Something that goes wrong. Spans are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// A client's next save goes wrong.
    Save(usize, SaveFault),
    /// The next saves of a client find a full disk, one after the other.
    FullDisk(usize, usize),
    /// The gate of a client dies, and there is no Tor for a span.
    Gate(usize, u64),
    /// A client is off for a span, in an orderly way.
    Absent(usize, u64),
    /// Everybody is off for a span.
    AllAbsent(u64),
    /// The clock of a client is off by so many days for a span.
    Clock(usize, i64, u64),
    /// A mailbox dies at its next write, which is on its disk or not.
    MailboxKilled(usize, bool),
    /// A mailbox cannot be reached for a span.
    Unreachable(usize, u64),
    /// A mailbox answers fetches with random bytes for a span.
    Withholds(usize, u64),
    /// A mailbox turns a bit of every answer for a span.
    Garbage(usize, u64),
    /// A mailbox says STORED and stores nothing for a span.
    Drops(usize, u64),
    /// A mailbox shows a client another last page than the others.
    Equivocates(usize, usize),
    /// The disk of a mailbox of a span ago is put back.
    RolledBack(usize, u64),
    /// A mailbox is gone for ever; whoever has no other one moves to the spare one.
    Gone(usize),
}

impl Fault {
    /// What it is called in tables.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Save(_, SaveFault::KilledAfter { .. }) => "killed",
            Self::Save(_, SaveFault::DiskFull { .. }) | Self::FullDisk(..) => "disk full",
            Self::Save(_, SaveFault::FsyncError { .. }) => "fsync error",
            Self::Save(_, SaveFault::PowerCut { .. }) => "power cut",
            Self::Gate(..) => "gate killed",
            Self::Absent(..) | Self::AllAbsent(_) => "absent",
            Self::Clock(..) => "clock",
            Self::MailboxKilled(..) => "mailbox killed",
            Self::Unreachable(..) => "mailbox unreachable",
            Self::Withholds(..) => "mailbox withholds",
            Self::Garbage(..) => "mailbox garbage",
            Self::Drops(..) => "mailbox drops",
            Self::Equivocates(..) => "mailbox equivocates",
            Self::RolledBack(..) => "mailbox rolled back",
            Self::Gone(_) => "mailbox gone",
        }
    }
}

/// Something that somebody does, or that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// From, to, and about how many bytes.
    Say(usize, usize, usize),
    /// From, to: a person takes back the last message that has not left.
    Recall(usize, usize),
    /// A person reads what is new, and may be interrupted.
    Read(usize, bool),
    /// A person blocks another for a span.
    Block(usize, usize, u64),
    /// Something goes wrong.
    Fault(Fault),
}

/// A life.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Everything follows from it.
    pub seed: u64,
    /// The mode of each client.
    pub modes: Vec<Mode>,
    /// The mailboxes of each client.
    pub homes: Vec<Vec<usize>>,
    /// How many mailboxes there are; the last one is spare.
    pub mailboxes: usize,
    /// Seconds between two pages.
    pub interval_s: u16,
    /// Who knows whom.
    pub pairs: Vec<(usize, usize)>,
    /// What goes wrong at every mailbox now and then.
    pub rates: Faults,
    /// Of a thousand answers, how many come days later, and how many twice.
    pub answers: (u32, u32),
    /// Whether operations take as long as they do through Tor.
    pub tor: bool,
    /// When it happens, and what.
    pub acts: Vec<(u64, Act)>,
}

struct Dice(ChaCha20Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.span(0, u64::try_from(n).unwrap())).unwrap()
    }

    fn span(&mut self, from: u64, to: u64) -> u64 {
        from + self.0.next_u64() % (to - from).max(1)
    }

    fn chance(&mut self, of_a_hundred: u64) -> bool {
        self.0.next_u64() % 100 < of_a_hundred
    }

    fn rate(&mut self, most: u32) -> u32 {
        if self.chance(50) { self.0.next_u32() % (most + 1) } else { 0 }
    }
}

impl Plan {
    /// Draws a life in which so many messages are said.
    #[must_use]
    pub fn draw(seed: u64, messages: usize) -> Self {
        let mut dice = Dice(ChaCha20Rng::seed_from_u64(seed));
        let clients = 2 + dice.below(3);
        let mailboxes = 2 + dice.below(3);
        let modes =
            (0..clients).map(|_| if dice.chance(85) { Mode::Fast } else { Mode::Steady }).collect();
        let homes: Vec<Vec<usize>> = (0..clients)
            .map(|_| {
                let first = dice.below(mailboxes - 1);
                let second = dice.below(mailboxes - 1);
                if first == second || dice.chance(50) { vec![first] } else { vec![first, second] }
            })
            .collect();
        // Everybody knows the first one, and now and then one another.
        let mut pairs: Vec<(usize, usize)> = (1..clients).map(|other| (0, other)).collect();
        if clients > 2 && dice.chance(60) {
            pairs.push((1, 2));
        }
        let rates = Faults {
            retry: dice.rate(80),
            lose_answer: dice.rate(80),
            duplicate: dice.rate(80),
            lose_request: dice.rate(60),
            garbage_fetch: dice.rate(60),
            flip: dice.rate(20),
            hold: dice.rate(10),
            delay_ms: if dice.chance(50) { dice.span(0, 70_000) } else { 0 },
            ..Faults::default()
        };
        let answers = (dice.rate(20), dice.rate(50));
        let interval_s = [10, 30, 60][dice.below(3)];
        let tor = dice.chance(70);
        let mut plan = Self {
            seed,
            modes,
            homes,
            mailboxes,
            interval_s,
            pairs,
            rates,
            answers,
            tor,
            acts: Vec::new(),
        };
        plan.speak(&mut dice, messages);
        plan.go_wrong(&mut dice, messages);
        plan.acts.sort_by_key(|(at, _)| *at);
        plan
    }

    /// People speak in bursts, one or both ways, with pauses of minutes to hours.
    fn speak(&mut self, dice: &mut Dice, messages: usize) {
        let (mut at, mut said) = (0, 0);
        while said < messages {
            at += dice.span(MINUTE, 15 * MINUTE);
            let (a, b) = self.pairs[dice.below(self.pairs.len())];
            let burst = (1 + dice.below(30)).min(messages - said);
            for _ in 0..burst {
                let (from, to) = if dice.chance(50) { (a, b) } else { (b, a) };
                let len = match dice.below(100) {
                    0..80 => dice.below(100),
                    80..98 => dice.below(2500),
                    _ => dice.below(30_000),
                };
                self.acts.push((at, Act::Say(from, to, len)));
                if dice.chance(6) {
                    // In `fast` it leaves within seconds, in `steady` within minutes.
                    let most = if dice.chance(50) { 3 * SECOND } else { 5 * MINUTE };
                    self.acts.push((at + dice.span(1, most), Act::Recall(from, to)));
                }
                at += dice.span(SECOND, MINUTE);
            }
            said += burst;
            let reader = dice.below(self.modes.len());
            self.acts.push((at, Act::Read(reader, dice.chance(20))));
        }
    }

    fn go_wrong(&mut self, dice: &mut Dice, messages: usize) {
        let end = self.acts.last().map_or(HOUR, |(at, _)| *at);
        for _ in 0..4 + messages / 10 {
            let at = dice.span(0, end);
            let act = self.mishap(dice);
            self.acts.push((at, act));
        }
        self.destroy(dice, end);
        if dice.chance(8) {
            // After 14 days what was not acknowledged is given up.
            let span = 12 * DAY + dice.span(0, 4 * DAY);
            let at = dice.span(end / 2, end);
            let victim = dice.below(self.modes.len());
            // Nearly always the others are away as well: days of cover traffic show nothing.
            let fault =
                if dice.chance(97) { Fault::AllAbsent(span) } else { Fault::Absent(victim, span) };
            self.acts.push((at, Act::Fault(fault)));
        }
    }

    /// One time at most a mailbox destroys what it has: when all of the 64 indices that may be under
    /// way and every repeat of them are gone, a session is stuck until it is renewed (REK-3), which has
    /// tests of its own.
    fn destroy(&mut self, dice: &mut Dice, end: u64) {
        let mailbox = dice.below(self.mailboxes - 1);
        let (at, span) = (dice.span(0, end), dice.span(MINUTE, HOUR));
        let fault = match dice.below(4) {
            0 => Fault::Drops(mailbox, span),
            1 => Fault::RolledBack(mailbox, span),
            2 if self.survives(mailbox) => Fault::Gone(mailbox),
            _ => return,
        };
        self.acts.push((at, Act::Fault(fault)));
    }

    /// Whether of each pair one side never reads there: two who lose their only one at the same time
    /// cannot tell each other where they are, and whoever has two leaves one that raises an alarm.
    fn survives(&self, mailbox: usize) -> bool {
        let reads = |client: &usize| self.homes[*client].contains(&mailbox);
        !self.pairs.iter().any(|(a, b)| reads(a) && reads(b))
    }

    fn mishap(&self, dice: &mut Dice) -> Act {
        let client = dice.below(self.modes.len());
        let mailbox = dice.below(self.mailboxes - 1);
        let off = if dice.chance(70) { dice.span(0, MINUTE) } else { dice.span(MINUTE, 3 * HOUR) };
        let span = dice.span(MINUTE, 3 * HOUR);
        let fault = match dice.below(100) {
            0..22 => Fault::Save(client, SaveFault::KilledAfter { off }),
            22..36 => Fault::Save(client, SaveFault::PowerCut { off }),
            36..42 => Fault::FullDisk(client, 1 + dice.below(6)),
            42..50 => {
                let reached = dice.chance(50);
                Fault::Save(client, SaveFault::FsyncError { reached, off })
            }
            50..58 => Fault::Gate(client, off),
            58..64 => Fault::Absent(client, dice.span(MINUTE, 20 * HOUR)),
            64..68 => Fault::Clock(client, if dice.chance(50) { 1 } else { -1 }, span),
            68..78 => Fault::MailboxKilled(mailbox, dice.chance(50)),
            78..82 => Fault::Unreachable(mailbox, span),
            82..86 => Fault::Withholds(mailbox, span),
            86..89 => Fault::Garbage(mailbox, span),
            89..98 => Fault::Equivocates(mailbox, client),
            _ => {
                let (a, b) = self.pairs[dice.below(self.pairs.len())];
                return Act::Block(a, b, span);
            }
        };
        Act::Fault(fault)
    }
}
