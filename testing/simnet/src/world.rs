use crate::client::{Client, Done};
use crate::gate::{Gate, Origin};
use crate::mailbox::{SimMailbox, Write};
use crate::model::Model;
use crate::observe::{Observer, Shaper};
use crate::traffic::Stream;
use crate::transcript::Record;
use crate::weather::Weather;
use engine::changes::Snapshot;
use engine::{Answer, Effect, Mode, Now, OpId, Operation, OperationKind};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeMap;

/// A second of virtual time.
pub const SECOND: u64 = 1000;
/// A minute of virtual time.
pub const MINUTE: u64 = 60 * SECOND;
/// An hour of virtual time.
pub const HOUR: u64 = 60 * MINUTE;
/// A day of virtual time.
pub const DAY: u64 = 24 * HOUR;
/// When every world begins: noon UTC.
pub const START_UNIX_S: u64 = 1_767_268_800;
/// A mailbox that died is started again after this.
const MAILBOX_PAUSE: u64 = 20 * SECOND;

pub(crate) enum Event {
    Close(usize),
    Arrive(Origin, usize, OperationKind),
    Deliver(Origin, Answer),
    /// An answer that comes when it is no longer waited for, or a second time.
    Stray(Origin, Answer),
    /// A client is started again, if it was not before.
    Wake(usize, u64),
    /// A mailbox is started again.
    Rise(usize),
}

/// Clients, mailboxes and a clock.
pub struct World {
    /// Milliseconds since the world began.
    pub now: u64,
    /// The clients.
    pub clients: Vec<Client>,
    /// The mailboxes.
    pub mailboxes: Vec<SimMailbox>,
    /// Every operation that left a client.
    pub transcript: Vec<Record>,
    /// Whether `transcript` is kept. A long run has no use for it.
    pub record: bool,
    /// What stands between the clients and the mailboxes.
    pub gate: Gate,
    /// What each person must see, if somebody asks.
    pub model: Option<Model>,
    /// Whether operations take as long as they do through Tor, or 50 ms.
    pub tor: bool,
    /// How long operations take, in place of either.
    pub weather: Option<Weather>,
    /// Writes down what servers see, if somebody asks.
    pub observer: Option<Observer>,
    /// Takes a defence away.
    pub shaper: Option<Box<dyn Shaper>>,
    /// When each client's engine wants its time, or `u64::MAX`.
    dues: Vec<u64>,
    pub(crate) seed: u64,
    queue: BTreeMap<(u64, u64), Event>,
    next: u64,
    pub(crate) streams: Vec<Stream>,
    /// Circuits that are open at boards made elsewhere: the mailbox, and the number there.
    pub(crate) circuits: BTreeMap<Origin, (usize, u64)>,
    pub(crate) rng: ChaCha20Rng,
}

impl World {
    /// An empty world; the same seed gives the same history.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            now: 0,
            clients: Vec::new(),
            mailboxes: Vec::new(),
            transcript: Vec::new(),
            record: true,
            gate: Gate::new(seed),
            model: None,
            tor: false,
            weather: None,
            observer: None,
            shaper: None,
            dues: Vec::new(),
            seed,
            queue: BTreeMap::new(),
            next: 0,
            streams: Vec::new(),
            circuits: BTreeMap::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    /// The time as clients are told it.
    #[must_use]
    pub fn clock(&self) -> Now {
        Now { mono_ms: self.now, unix_ms: START_UNIX_S * SECOND + self.now }
    }

    /// The time as this client is told it.
    pub(crate) fn clock_of(&self, client: usize) -> Now {
        let Now { mono_ms, unix_ms } = self.clock();
        let unix_ms = unix_ms.checked_add_signed(self.clients[client].skew_ms).unwrap();
        Now { mono_ms, unix_ms }
    }

    pub(crate) fn unix_s(&self) -> u64 {
        self.clock().unix_s()
    }

    /// Adds a mailbox and gives its number.
    pub fn add_mailbox(&mut self) -> usize {
        let at = self.mailboxes.len();
        let number = u8::try_from(at + 1).unwrap();
        let mailbox = SimMailbox::new(number, self.seed ^ u64::from(number), self.unix_s());
        let first = self.now + mailbox.interval_ms();
        self.mailboxes.push(mailbox);
        self.schedule(first, Event::Close(at));
        at
    }

    /// Adds a client and gives its number.
    pub fn add_client(&mut self, name: &str, mode: Mode) -> usize {
        self.add_client_in(name, mode, 0)
    }

    /// Adds a client whose local time is so many minutes ahead of UTC.
    pub fn add_client_in(&mut self, name: &str, mode: Mode, zone_min: i16) -> usize {
        let at = self.clients.len();
        let seed = self.seed.wrapping_mul(1000).wrapping_add(u64::try_from(at).unwrap());
        let client = Client::new(seed, self.clock(), name, mode, zone_min);
        self.clients.push(client);
        self.note_due(at);
        at
    }

    /// Adds a client that was saved before; it is off.
    pub fn add_saved(&mut self, disk: crate::Disk) -> usize {
        self.clients.push(Client::saved(disk));
        let at = self.clients.len() - 1;
        self.note_due(at);
        at
    }

    /// Notes when a client's engine wants its time.
    fn note_due(&mut self, client: usize) {
        self.dues.resize(self.clients.len(), u64::MAX);
        let engine = self.clients[client].engine.as_ref();
        self.dues[client] = engine.and_then(engine::Engine::poll_timeout).unwrap_or(u64::MAX);
    }

    /// What an eager client would do: puts at once, beside the schedule. A control for tests that
    /// compare schedules.
    pub fn put_at_once(&mut self, client: usize, mailbox: usize) {
        let id = OpId(u64::MAX);
        let envelope = board::envelope::dummy(&mut self.rng);
        let kind = OperationKind::Put { envelope, seed: [0; 32], epoch: 0, effort: 1 };
        let (mailbox, token) = (self.mailboxes[mailbox].key, [0; 16]);
        self.start(client, Operation { id, mailbox, token, kind });
    }

    pub(crate) fn schedule(&mut self, at: u64, event: Event) {
        self.queue.insert((at, self.next), event);
        self.next += 1;
    }

    /// Gives an engine something to do and carries out what comes of it.
    pub(crate) fn drive<T>(
        &mut self,
        client: usize,
        input: impl FnOnce(&mut engine::Engine, &mut ChaCha20Rng, Now) -> (T, engine::Step),
    ) -> Option<T> {
        let now = self.clock_of(client);
        let mut watcher = self.clients[client].watcher.take();
        let thought = self.clients[client].live().map(|(engine, rng)| match &mut watcher {
            None => input(engine, rng, now),
            Some(watcher) => {
                let (mut input, mut thought) = (Some(input), None);
                watcher.think(&mut || {
                    thought = input.take().map(|input| input(engine, rng, now));
                });
                thought.expect("the watcher did not let the engine think")
            }
        });
        self.clients[client].watcher = watcher;
        let (out, step) = thought?;
        match self.clients[client].commit(now, step) {
            Done::Saved(effects) => effects.into_iter().for_each(|e| self.effect(client, e)),
            Done::Loaded => self.cut_off(client),
            Done::Off(span) => {
                self.cut_off(client);
                let life = self.clients[client].loads;
                self.schedule(self.now + span, Event::Wake(client, life));
            }
        }
        self.note_due(client);
        if let Some(model) = &mut self.model {
            model.tick(self.now);
            model.saved(client, &mut self.clients);
        }
        self.save_files(client);
        Some(out)
    }

    /// What the shell does with files that are whole (FIL-12): saves them, then says so.
    fn save_files(&mut self, client: usize) {
        let full = self.clients[client].folder_full;
        let Some(engine) = self.clients[client].engine.as_ref().filter(|_| !full) else { return };
        let Some((contact, file)) = engine.whole_files().next() else { return };
        let (name, bytes) = engine.whole_file(contact, file).unwrap();
        let saved = (name.to_owned(), bytes.to_vec());
        let name = saved.0.clone();
        let before = self.clients[client].folder.insert((contact, file), saved.clone());
        assert!(before.is_none_or(|before| before == saved), "a file came twice");
        self.drive(client, |engine, rng, now| {
            let command = engine::Command::FileSaved { contact, file, name };
            ((), engine.handle_command(rng, now, command).unwrap().1)
        });
    }

    fn effect(&mut self, client: usize, effect: Effect) {
        match effect {
            Effect::Start(operation) => self.start(client, operation),
            Effect::Stop(id) => {
                let origin = Origin { client, life: self.clients[client].loads, id };
                self.gate.end(&origin);
                self.streams.retain(|s| s.origin != origin);
                let heard = self.now + self.transit();
                self.end_circuit(heard, &origin, false);
            }
        }
    }

    /// The program of a client is gone: nothing of what it asked for is waited for.
    pub(crate) fn cut_off(&mut self, client: usize) {
        self.gate.forget(client);
        self.streams.retain(|s| s.origin.client != client);
        self.cut(client);
    }

    /// Runs until `until`, in milliseconds of this world.
    pub fn run_to(&mut self, until: u64) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// Runs for a span.
    pub fn run(&mut self, span: u64) {
        self.run_to(self.now + span);
    }

    /// Runs until something is so, or until the span is over; says whether it came to be so.
    pub fn run_until(&mut self, span: u64, mut so: impl FnMut(&Self) -> bool) -> bool {
        let until = self.now + span;
        loop {
            if so(self) {
                return true;
            }
            if !self.step(until) {
                self.now = self.now.max(until);
                return so(self);
            }
        }
    }

    /// Handles the next event, if it is not after `until`.
    fn step(&mut self, until: u64) -> bool {
        let event = self.queue.keys().next().map(|(at, _)| *at);
        let dues = self.dues.iter().enumerate().map(|(at, due)| (*due, at));
        let timer = dues.min().filter(|(due, _)| *due < u64::MAX);
        let next = [event, timer.map(|(at, _)| at)].into_iter().flatten().min();
        let Some(next) = next.filter(|at| *at <= until) else { return false };
        self.now = self.now.max(next);
        if event.is_some_and(|at| timer.is_none_or(|(timer, _)| at <= timer)) {
            let (_, event) = self.queue.pop_first().unwrap();
            self.handle(event);
        } else if let Some((_, client)) = timer {
            self.drive(client, |engine, rng, now| ((), engine.handle_timeout(rng, now)));
            self.tidy(client);
        }
        true
    }

    /// Deletes what is due on a client's disk, as the shell does every minute.
    fn tidy(&mut self, client: usize) {
        let now = self.clock_of(client);
        let client = &mut self.clients[client];
        if let Some(engine) = &client.engine {
            client.disk.forget_due(engine.due(now));
        }
    }

    /// A person reads everything that came in.
    ///
    /// # Panics
    /// If the client is off.
    pub fn read(&mut self, client: usize) {
        let now = self.clock_of(client);
        let client = &mut self.clients[client];
        let due = client.engine().due(now);
        client.disk.read(due.now);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Close(at) => {
                if !self.tick(at) {
                    self.close_page(at);
                }
                let next = self.now + self.mailboxes[at].interval_ms();
                self.schedule(next, Event::Close(at));
            }
            Event::Arrive(origin, mailbox, kind) => {
                if self.gate.is_open(&origin) {
                    self.arrive(origin, mailbox, kind);
                }
            }
            Event::Deliver(origin, answer) => {
                let waited = match answer {
                    Answer::Frame(_) => self.gate.is_open(&origin),
                    _ => self.gate.end(&origin),
                };
                if waited {
                    self.answer(origin, answer);
                }
            }
            Event::Stray(origin, answer) => self.answer(origin, answer),
            Event::Wake(client, life) => {
                let there = &self.clients[client];
                if there.engine.is_none() && there.loads == life {
                    self.switch_on(client);
                }
            }
            Event::Rise(at) => self.mailboxes[at].down = false,
        }
    }

    fn close_page(&mut self, at: usize) {
        let unix_s = self.unix_s();
        let (page, write) = self.mailboxes[at].close(unix_s);
        if let (Some(observer), Some(page)) = (&mut self.observer, page) {
            observer.page(self.now, at, self.mailboxes[at].frame(page));
        }
        if page.is_some() && write == Write::Good {
            self.publish(at, page);
        }
        self.survive(at, write);
    }

    fn answer(&mut self, origin: Origin, answer: Answer) {
        let Origin { client, life, id } = origin;
        if self.clients[client].loads == life {
            self.drive(client, |engine, rng, now| ((), engine.handle_answer(rng, now, id, answer)));
        }
    }

    /// A mailbox that died takes its streams with it, and is started again.
    pub(crate) fn survive(&mut self, mailbox: usize, write: Write) {
        if write != Write::Good {
            self.drop_streams(mailbox);
            self.schedule(self.now + MAILBOX_PAUSE, Event::Rise(mailbox));
        }
    }

    /// The disk of a mailbox of a span ago is put back.
    pub fn roll_back(&mut self, mailbox: usize, span: u64) {
        let then = self.unix_s().saturating_sub(span / SECOND);
        self.mailboxes[mailbox].roll_back(then);
        self.drop_streams(mailbox);
    }

    /// Turns a client off, as a lock or the end of the program does.
    pub fn switch_off(&mut self, client: usize) {
        self.clients[client].engine = None;
        self.clients[client].disk.closed();
        self.note_due(client);
        self.cut_off(client);
    }

    /// Loads a client from its disk.
    pub fn switch_on(&mut self, client: usize) {
        self.begin(client, Client::load);
    }

    /// Loads a client from rows that lie elsewhere.
    pub fn switch_on_from(&mut self, client: usize, snapshot: &Snapshot) {
        self.begin(client, |client, now| client.load_from(now, snapshot));
    }

    /// Loads a client from its disk, with dice of this seed.
    pub fn switch_on_seeded(&mut self, client: usize, seed: u64) {
        self.begin(client, |client, now| client.load_seeded(now, seed));
    }

    fn begin(&mut self, client: usize, load: impl FnOnce(&mut Client, Now)) {
        self.switch_off(client);
        let now = self.clock_of(client);
        load(&mut self.clients[client], now);
        self.note_due(client);
    }
}
