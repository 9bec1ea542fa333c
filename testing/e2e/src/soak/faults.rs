//! What is killed, when, and when it is started again: drawn from the seed.

use crate::{Mailbox, Person};
use anyhow::Result;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng as _, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use std::time::{Duration, Instant};
use tornet::Tornet;

/// From one kill to the next, in milliseconds: both this and so many messages delivered. On a slow
/// machine programs are killed more rarely, and not before they have come back.
const GAP: (u64, u64) = (1_000, 8_000);
/// How long what nobody supervises stays dead, in milliseconds.
const DEAD: (u64, u64) = (0, 6_000);

/// A program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    /// The core of one of them. Its supervisor starts it again, and its user unlocks.
    Core,
    /// The gate of one of them: their Tor. Its supervisor starts it again.
    Gate,
    /// The supervisor of one of them; core and gate end with it. The next command starts it.
    Supervisor,
    /// The mailbox's server.
    Server,
    /// The mailbox's onion service.
    Host,
    /// A relay of the Tor network.
    Relay,
}

/// Each is drawn as often as it stands here, in an order of dice; then all of them again.
const DECK: [Victim; 14] = [
    Victim::Core,
    Victim::Core,
    Victim::Core,
    Victim::Core,
    Victim::Gate,
    Victim::Gate,
    Victim::Gate,
    Victim::Supervisor,
    Victim::Server,
    Victim::Server,
    Victim::Server,
    Victim::Server,
    Victim::Host,
    Victim::Relay,
];

/// What is down and starts again at its time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Down {
    Server,
    Host,
    Relay(usize),
}

pub(super) struct Faults {
    dice: ChaCha20Rng,
    deck: Vec<Victim>,
    next: Instant,
    /// Messages that are delivered before the next kill.
    next_at: u64,
    /// From one kill to the next, on average.
    every: u64,
    down: Vec<(Instant, Down)>,
    pub(super) tally: soak::Tally,
}

impl Faults {
    /// Kills after `every` messages that are delivered, on average.
    pub(super) fn new(seed: u64, every: u64) -> Self {
        let dice = ChaCha20Rng::seed_from_u64(seed);
        let mut faults = Self {
            dice,
            deck: Vec::new(),
            next: Instant::now(),
            next_at: 0,
            every,
            down: Vec::new(),
            tally: soak::Tally::default(),
        };
        faults.plan_next(Instant::now(), 0);
        faults
    }

    fn plan_next(&mut self, now: Instant, delivered: u64) {
        self.next = now + self.span(GAP);
        self.next_at = delivered + self.dice.next_u64() % (2 * self.every.max(1));
    }

    /// Starts again what is due, and kills what is due when so many messages are delivered; says what.
    pub(super) fn turn(
        &mut self,
        delivered: u64,
        people: &[[Person; 2]],
        mailbox: &mut Mailbox,
        network: &mut Tornet,
    ) -> Result<Option<String>> {
        let now = Instant::now();
        while let Some(at) = self.down.iter().position(|(due, _)| *due <= now) {
            match self.down.swap_remove(at).1 {
                Down::Server => mailbox.restart()?,
                Down::Host => mailbox.restart_host()?,
                Down::Relay(relay) => network.processes()[relay].restart()?,
            }
        }
        if now < self.next || delivered < self.next_at {
            return Ok(None);
        }
        self.plan_next(now, delivered);
        let victim = self.draw();
        // Drawn whether or not it is needed: the dice fall alike whatever the machine does.
        let people = people.as_flattened();
        let (who, relay) = (self.below(people.len()), self.below(usize::from(tornet::RELAYS)));
        let dead = now + self.span(DEAD);
        self.strike(victim, &people[who], (relay, dead), mailbox, network)
    }

    fn strike(
        &mut self,
        victim: Victim,
        person: &Person,
        (relay, dead): (usize, Instant),
        mailbox: &mut Mailbox,
        network: &mut Tornet,
    ) -> Result<Option<String>> {
        let is_down = |what: Down| self.down.iter().any(|(_, down)| *down == what);
        let name = &person.name;
        let (kind, what) = match victim {
            Victim::Core if kill_9(&person.children("pvtcomsd")) => {
                ("core killed", format!("core of {name}"))
            }
            Victim::Gate if kill_9(&person.children("pvtcoms-tor")) => {
                ("gate killed", format!("gate of {name}"))
            }
            Victim::Supervisor if kill_9(&person.supervisor()) => {
                ("supervisor killed", format!("supervisor of {name}"))
            }
            Victim::Server if !is_down(Down::Server) => {
                mailbox.kill_9();
                self.down.push((dead, Down::Server));
                ("mailbox killed", "mailbox".to_owned())
            }
            Victim::Host if !is_down(Down::Host) => {
                mailbox.kill_9_host();
                self.down.push((dead, Down::Host));
                ("onion service killed", "onion service".to_owned())
            }
            Victim::Relay if !is_down(Down::Relay(relay)) => {
                network.processes()[relay].kill_9()?;
                self.down.push((dead, Down::Relay(relay)));
                ("relay killed", format!("relay {relay}"))
            }
            // It has not come back since it was killed before.
            _ => return Ok(None),
        };
        self.tally.faults += 1;
        self.tally.count(kind, 1);
        Ok(Some(what))
    }

    /// The next card of the deck.
    fn draw(&mut self) -> Victim {
        if self.deck.is_empty() {
            self.deck = DECK.to_vec();
            for last in (1..self.deck.len()).rev() {
                let with = self.below(last + 1);
                self.deck.swap(last, with);
            }
        }
        self.deck.pop().unwrap_or(Victim::Core)
    }

    fn below(&mut self, n: usize) -> usize {
        let n = u32::try_from(n).unwrap_or(1);
        usize::try_from(self.dice.next_u32() % n).unwrap_or(0)
    }

    fn span(&mut self, (from, to): (u64, u64)) -> Duration {
        Duration::from_millis(from + self.dice.next_u64() % (to - from))
    }
}

/// Kills processes of our own people; says whether there was one.
fn kill_9(pids: &[u32]) -> bool {
    let kill = |pid: &u32| {
        let pid = i32::try_from(*pid).ok().and_then(Pid::from_raw);
        pid.is_some_and(|pid| kill_process(pid, Signal::KILL).is_ok())
    };
    pids.iter().filter(|pid| kill(pid)).count() > 0
}
