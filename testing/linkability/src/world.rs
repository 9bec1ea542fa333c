//! Drives clients in the simulator: pairing, a day of their people, and what the mailboxes saw.

use crate::people::{Dice, PRESENT, awake, next_begin, reaction, rounds, turns, zones};
use crate::server::Server;
use crate::transcript::{Log, Talk, Truth, join};
use engine::changes::MessageState;
use engine::{Command, InviteState, Mode};
use simnet::{Faults, HOUR, MINUTE, Observer, SECOND, Shaper, Sighting, Weather, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Mailboxes of the world; everybody reads both and writes to both.
const MAILBOXES: usize = 2;
/// People talk for so long before games are played.
const WARM_UP: u64 = 90 * MINUTE;
/// A client's own network breaks after a mean of this, in seconds.
const LOSS_MEAN_S: f64 = 4.0 * 3600.0;
/// Somebody who waits longer than this for an answer has stopped talking.
const SILENCE: u64 = 30 * MINUTE;

/// Until when each person is there.
pub type Presence = Rc<RefCell<Vec<u64>>>;

/// What people say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Nothing.
    Idle,
    /// They talk to everybody they know.
    Usual,
    /// They talk to one neighbour alone.
    Left,
    /// They talk to the other neighbour alone.
    Right,
}

/// What is lived.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Clients, an even number.
    pub clients: usize,
    /// Hours in which games are played.
    pub hours: u64,
    /// Everything follows from it.
    pub seed: u64,
    /// The mode of all.
    pub mode: Mode,
    /// Of a thousand fetches, so many are answered with random bytes, by a mailbox that wants to see what happens.
    pub garbage: u32,
    /// Of a thousand deposits, so many are answered with RETRY.
    pub retry: u32,
    /// What people say.
    pub workload: Workload,
}

impl Setup {
    /// A day like others.
    #[must_use]
    pub const fn new(clients: usize, hours: u64, seed: u64) -> Self {
        Self {
            clients,
            hours,
            seed,
            mode: Mode::Steady,
            garbage: 0,
            retry: 0,
            workload: Workload::Usual,
        }
    }
}

/// What came of it.
pub struct Run {
    /// What the mailboxes wrote down.
    pub log: Log,
    /// The truth.
    pub truth: Truth,
    /// How often each byte occurred in envelopes.
    pub bytes: Vec<u64>,
    /// Streams that were refused because a token was used twice.
    pub reused: u64,
}

enum Act {
    Begin(usize),
    Look(usize, usize),
    Lose(usize),
}

struct Life {
    world: World,
    dice: Dice,
    /// Of networks that break, whatever people do.
    breaks: Dice,
    zones: Vec<i16>,
    friends: Vec<Vec<usize>>,
    peers: BTreeMap<(usize, [u8; 16]), usize>,
    presence: Presence,
    agenda: BTreeMap<(u64, u64), Act>,
    next: u64,
    heard: Vec<usize>,
    /// Talks under way, with the answers that are left.
    open: BTreeMap<(usize, usize), (Talk, u32)>,
    /// What was said and has not come.
    said: BTreeMap<(usize, usize), Vec<u64>>,
    truth: Truth,
    seen: Vec<Sighting>,
}

/// Lives it. `shaper` takes a defence away.
pub fn live(setup: &Setup, presence: Presence, shaper: Option<Box<dyn Shaper>>) -> Run {
    let mut life = Life::begin(setup, presence);
    life.world.shaper = shaper;
    let from = life.world.now + WARM_UP;
    let to = from + setup.hours * HOUR;
    life.go(to);
    let Life { world, mut truth, seen, peers, open, .. } = life;
    truth.talks.extend(open.into_values().map(|(talk, _)| talk));
    let (mut log, deeds) = join(seen, &peers, to);
    log.from = from;
    truth.deeds = deeds;
    let bytes = world.observer.map(|o| o.bytes).unwrap_or_default();
    Run { log, truth, bytes, reused: world.gate.reused }
}

impl Life {
    /// Everybody is paired in a hurry, in `fast` mode and without Tor's delays; that is not what is measured.
    fn begin(setup: &Setup, presence: Presence) -> Self {
        let mut world = World::new(setup.seed);
        world.record = false;
        for _ in 0..MAILBOXES {
            world.add_board(|key, unix_s| {
                Box::new(Server::open(key, unix_s, setup.seed ^ u64::from(key[0])))
            });
        }
        let zones = zones(setup.clients);
        for (at, zone) in zones.iter().enumerate() {
            world.add_client_in(&at.to_string(), Mode::Fast, *zone);
            for mailbox in 0..MAILBOXES {
                world.use_mailbox(at, mailbox);
            }
        }
        let mut dice = Dice::new(setup.seed);
        let mut friends = vec![Vec::new(); setup.clients];
        let sides = [Workload::Left, Workload::Right];
        for (at, round) in rounds(setup.clients, &mut dice).into_iter().enumerate() {
            pair(&mut world, &round);
            let heard = match setup.workload {
                Workload::Idle => false,
                Workload::Usual => true,
                side => sides.get(at) == Some(&side),
            };
            for (a, b) in round.into_iter().filter(|_| heard) {
                friends[a].push(b);
                friends[b].push(a);
            }
        }
        let mut peers = BTreeMap::new();
        for client in 0..setup.clients {
            world.command(client, Command::SetMode(setup.mode)).unwrap();
            let contacts = world.clients[client].engine().contacts();
            peers.extend(contacts.map(|c| ((client, c.id), c.name.parse().unwrap())));
        }
        world.weather = Some(Weather::default());
        world.observer = Some(Observer::default());
        for mailbox in &mut world.mailboxes {
            mailbox.faults =
                Faults { garbage_fetch: setup.garbage, retry: setup.retry, ..Faults::default() };
        }
        presence.replace(vec![0; setup.clients]);
        let heard = world.clients.iter().map(|c| c.disk.messages.len()).collect();
        let truth = Truth { zones: zones.clone(), ..Truth::default() };
        let mut life = Self {
            world,
            dice,
            breaks: Dice::new(setup.seed ^ 0xb4ea),
            zones,
            friends,
            peers,
            presence,
            agenda: BTreeMap::new(),
            next: 0,
            heard,
            open: BTreeMap::new(),
            said: BTreeMap::new(),
            truth,
            seen: Vec::new(),
        };
        for client in 0..setup.clients {
            let (begin, lose) = (next_begin(&mut life.dice), life.breaks.exp_ms(LOSS_MEAN_S));
            life.plan(begin, Act::Begin(client));
            life.plan(lose, Act::Lose(client));
        }
        life
    }

    fn plan(&mut self, span: u64, act: Act) {
        self.agenda.insert((self.world.now + span, self.next), act);
        self.next += 1;
    }

    fn go(&mut self, to: u64) {
        while self.world.now < to {
            self.world.run(SECOND);
            self.hear();
            while let Some(entry) =
                self.agenda.first_entry().filter(|e| e.key().0 <= self.world.now)
            {
                match entry.remove() {
                    Act::Begin(person) => self.begin_talk(person),
                    Act::Look(person, peer) => self.look(person, peer),
                    Act::Lose(client) => self.lose(client),
                }
            }
            if let Some(observer) = &mut self.world.observer {
                self.seen.append(&mut observer.seen);
            }
        }
    }

    /// Everybody whose message came is notified.
    fn hear(&mut self) {
        for person in 0..self.heard.len() {
            let messages = &self.world.clients[person].disk.messages;
            let from = core::mem::replace(&mut self.heard[person], messages.len());
            let came = messages[from.min(messages.len())..].iter();
            let came = came.filter(|m| m.state == MessageState::Received);
            let from: Vec<usize> =
                came.filter_map(|m| self.peers.get(&(person, m.contact)).copied()).collect();
            for peer in from {
                let now = self.world.now;
                let queue = self.said.entry((peer, person)).or_default();
                if !queue.is_empty() {
                    let delay = now - queue.remove(0);
                    self.truth.delays.push(delay as f64 / 1000.0);
                }
                self.touch(person, peer);
                if awake(self.zones[person], now) {
                    let wait = reaction(&mut self.dice);
                    self.plan(wait, Act::Look(person, peer));
                }
            }
        }
    }

    /// Somebody awake begins to talk to a friend who is awake and has nobody else.
    fn begin_talk(&mut self, person: usize) {
        let again = next_begin(&mut self.dice);
        self.plan(again, Act::Begin(person));
        let now = self.world.now;
        self.end_silent(now);
        if !awake(self.zones[person], now) || self.friends[person].is_empty() {
            return;
        }
        let peer = self.friends[person][self.dice.below(self.friends[person].len())];
        let busy = |who: usize| self.open.keys().any(|(a, b)| *a == who || *b == who);
        if !awake(self.zones[peer], now) || busy(person) || busy(peer) {
            return;
        }
        let left = turns(&mut self.dice);
        let talk = Talk { a: person, b: peer, from: now, to: now };
        self.open.insert(key(person, peer), (talk, left));
        self.say(person, peer);
    }

    fn end_silent(&mut self, now: u64) {
        let over = self
            .open
            .extract_if(.., |_, (talk, left)| now > talk.to + if *left == 0 { 0 } else { SILENCE });
        self.truth.talks.extend(over.map(|(_, (talk, _))| talk));
    }

    /// Somebody looks at what came, and answers while the talk lasts.
    fn look(&mut self, person: usize, peer: usize) {
        self.present(person);
        let Some((_, left)) = self.open.get_mut(&key(person, peer)) else { return };
        if *left == 0 {
            return;
        }
        *left -= 1;
        if self.dice.unit() < 0.9 {
            self.say(person, peer);
            if self.dice.unit() < 0.25 {
                self.say(person, peer);
            }
        }
    }

    fn say(&mut self, person: usize, peer: usize) {
        self.present(person);
        self.touch(person, peer);
        self.world.send(person, peer, "words");
        self.said.entry((person, peer)).or_default().push(self.world.now);
    }

    fn touch(&mut self, a: usize, b: usize) {
        if let Some((talk, _)) = self.open.get_mut(&key(a, b)) {
            talk.to = self.world.now;
        }
    }

    fn present(&mut self, person: usize) {
        self.presence.borrow_mut()[person] = self.world.now + PRESENT;
    }

    fn lose(&mut self, client: usize) {
        let again = self.breaks.exp_ms(LOSS_MEAN_S);
        self.plan(again, Act::Lose(client));
        let outage = 3 * SECOND + self.breaks.exp_ms(20.0);
        self.truth.losses.push((client, self.world.now));
        self.world.kill_gate(client, outage);
    }
}

fn key(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

/// Pairs and verifies many at once.
fn pair(world: &mut World, round: &[(usize, usize)]) {
    let mut invites = BTreeMap::new();
    for (a, b) in round {
        let wish = || Command::NewInvite { name: b.to_string(), hours: 48 };
        if let engine::Reply::Invite(id) = world.insist(*a, wish) {
            invites.insert((*a, *b), id);
        }
    }
    let all = |world: &World, so: &dyn Fn(&World, usize, usize) -> bool| {
        round.iter().all(|(a, b)| so(world, *a, *b))
    };
    let ready =
        |w: &World, a: usize, b: usize| w.invite_state(a, invites[&(a, b)]) == InviteState::Ready;
    wait(world, |world| all(world, &ready));
    for (a, b) in round {
        let id = invites[&(*a, *b)];
        let uri = world.clients[*a].engine().invites().find(|i| i.id == id).and_then(|i| i.uri);
        world.accept(*b, &uri.unwrap(), &a.to_string());
    }
    let known = |w: &World, a: usize, b: usize| {
        w.contact(a, &b.to_string()).is_some() && w.contact(b, &a.to_string()).is_some()
    };
    wait(world, |world| all(world, &known));
    for (a, b) in round {
        world.verify(*a, *b);
    }
}

fn wait(world: &mut World, so: impl Fn(&World) -> bool) {
    for _ in 0..2000 {
        if so(world) {
            return;
        }
        world.run(10 * SECOND);
    }
    assert!(so(world), "the pairings never ended");
}
