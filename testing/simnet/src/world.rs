use crate::client::Client;
use crate::mailbox::SimMailbox;
use crate::transcript::{Kind, Record};
use board::envelope::Envelope;
use board::frame::{FetchAnswer, PutAnswer, PutRequest, Request, Window};
use board::header::{DigestFrame, DigestReader};
use board::tag::OnionKey;
use engine::{Answer, Effect, FailReason, Mode, Now, OpId, Operation, OperationKind};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use std::collections::BTreeMap;
use wire::Codec;

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
/// A request without an answer is given up after this.
const TIMEOUT: u64 = MINUTE;

/// Names a client's operation, in one of its lives.
type Origin = (usize, u64, OpId);

enum Event {
    Close(usize),
    Arrive(Origin, usize, OperationKind),
    Deliver(Origin, Answer),
}

struct Stream {
    origin: Origin,
    mailbox: usize,
    delay: u64,
    reader: DigestReader,
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
    /// Whether operations take as long as they do through Tor, or 50 ms.
    pub tor: bool,
    seed: u64,
    queue: BTreeMap<(u64, u64), Event>,
    next: u64,
    streams: Vec<Stream>,
    rng: ChaCha20Rng,
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
            tor: false,
            seed,
            queue: BTreeMap::new(),
            next: 0,
            streams: Vec::new(),
            rng: ChaCha20Rng::seed_from_u64(seed),
        }
    }

    /// The time as clients are told it.
    #[must_use]
    pub fn clock(&self) -> Now {
        Now { mono_ms: self.now, unix_ms: START_UNIX_S * SECOND + self.now }
    }

    /// The time as this client is told it.
    fn clock_of(&self, client: usize) -> Now {
        let Now { mono_ms, unix_ms } = self.clock();
        let unix_ms = unix_ms.checked_add_signed(self.clients[client].skew_ms).unwrap();
        Now { mono_ms, unix_ms }
    }

    fn unix_s(&self) -> u64 {
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
        let at = self.clients.len();
        let seed = self.seed.wrapping_mul(1000).wrapping_add(u64::try_from(at).unwrap());
        let client = Client::new(seed, self.clock(), name, mode);
        self.clients.push(client);
        at
    }

    /// Adds a client that was saved before; it is off.
    pub fn add_saved(&mut self, disk: crate::Disk) -> usize {
        self.clients.push(Client::saved(disk));
        self.clients.len() - 1
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

    fn schedule(&mut self, at: u64, event: Event) {
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
        let (engine, rng) = self.clients[client].live()?;
        let (out, step) = input(engine, rng, now);
        let effects = self.clients[client].commit(now, step);
        for effect in effects {
            match effect {
                Effect::Start(operation) => self.start(client, operation),
                Effect::Stop(id) => {
                    let life = self.clients[client].loads;
                    self.streams.retain(|s| s.origin != (client, life, id));
                }
            }
        }
        Some(out)
    }

    fn start(&mut self, client: usize, operation: Operation) {
        let Operation { id, mailbox: key, token, kind } = operation;
        let mailbox = self.mailbox_of(&key);
        let (seen, size) = match &kind {
            OperationKind::Put { envelope, epoch, .. } => {
                (Kind::Put(envelope.clone()), put_size(envelope, *epoch))
            }
            OperationKind::Fetch { page, chunk } => {
                let request = Request::Fetch { page: *page, chunk: *chunk };
                (Kind::Fetch { page: *page, chunk: *chunk }, request.encode().len())
            }
            OperationKind::Digest(window) => {
                (Kind::Digest(*window), Request::Digest(*window).encode().len())
            }
        };
        let at = self.now;
        self.transcript.push(Record { at, client, mailbox, token, kind: seen, size });
        let delay = self.delay();
        let origin = (client, self.clients[client].loads, id);
        self.schedule(at + delay, Event::Arrive(origin, mailbox, kind));
    }

    fn mailbox_of(&self, key: &OnionKey) -> usize {
        self.mailboxes.iter().position(|m| m.key == *key).expect("no such mailbox")
    }

    fn delay(&mut self) -> u64 {
        let draw = self.rng.next_u64();
        if self.tor { SECOND + draw % (4 * SECOND) } else { 50 }
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
        let timer = self
            .clients
            .iter()
            .enumerate()
            .filter_map(|(at, client)| Some((client.engine.as_ref()?.poll_timeout()?, at)))
            .min();
        let next = [event, timer.map(|(at, _)| at)].into_iter().flatten().min();
        let Some(next) = next.filter(|at| *at <= until) else { return false };
        self.now = self.now.max(next);
        if event.is_some_and(|at| timer.is_none_or(|(timer, _)| at <= timer)) {
            let (_, event) = self.queue.pop_first().unwrap();
            self.handle(event);
        } else if let Some((_, client)) = timer {
            self.drive(client, |engine, rng, now| ((), engine.handle_timeout(rng, now)));
        }
        true
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Close(at) => {
                let unix_s = self.unix_s();
                if let Some(page) = self.mailboxes[at].close(unix_s) {
                    self.publish(at, page);
                }
                let next = self.now + self.mailboxes[at].interval_ms();
                self.schedule(next, Event::Close(at));
            }
            Event::Arrive(origin, mailbox, kind) => self.arrive(origin, mailbox, kind),
            Event::Deliver((client, life, id), answer) => {
                if self.clients[client].loads == life {
                    self.drive(client, |engine, rng, now| {
                        ((), engine.handle_answer(rng, now, id, answer))
                    });
                }
            }
        }
    }

    /// Sends a page to every stream, through the reader that the shell has there.
    fn publish(&mut self, mailbox: usize, page: usize) {
        let frame = self.mailboxes[mailbox].frame(page).clone();
        let streams = core::mem::take(&mut self.streams);
        for mut stream in streams {
            let mut alive = true;
            if stream.mailbox == mailbox {
                let faults = self.mailboxes[mailbox].faults;
                let fate = self.mailboxes[mailbox].dice.draw(&faults);
                let lost = fate.lose_request;
                alive = !lost && self.send_frame(&mut stream, &frame, fate.flip);
                if lost {
                    self.fail(stream.origin, stream.delay, FailReason::Closed);
                }
            }
            if alive {
                self.streams.push(stream);
            }
        }
    }

    fn send_frame(&mut self, stream: &mut Stream, frame: &DigestFrame, flip: Option<u64>) -> bool {
        let mut bytes = frame.to_bytes();
        turn(&mut bytes, flip);
        let at = self.now + stream.delay;
        match stream.reader.push(&bytes) {
            Ok(frames) => {
                for frame in frames {
                    self.schedule(
                        at,
                        Event::Deliver(stream.origin, Answer::Frame(Box::new(frame))),
                    );
                }
                true
            }
            Err(_) => {
                self.fail(stream.origin, stream.delay, FailReason::Garbage);
                false
            }
        }
    }

    fn fail(&mut self, origin: Origin, delay: u64, reason: FailReason) {
        self.schedule(self.now + delay, Event::Deliver(origin, Answer::Failed(reason)));
    }

    fn arrive(&mut self, origin: Origin, at: usize, kind: OperationKind) {
        let (now, unix_s, delay) = (self.now, self.unix_s(), self.delay());
        let mailbox = &mut self.mailboxes[at];
        let faults = mailbox.faults;
        let fate = mailbox.dice.draw(&faults);
        let delay = delay + fate.delay_ms;
        if fate.lose_request {
            let reason = if faults.dead { FailReason::Unreachable } else { FailReason::Closed };
            return self.fail(origin, delay, reason);
        }
        let answer = match kind {
            OperationKind::Digest(window) => {
                return self.digest(origin, at, window, delay, fate.flip);
            }
            OperationKind::Put { envelope, seed, epoch, .. } => {
                let answer = if fate.retry {
                    mailbox.answer(false)
                } else {
                    let how = (!fate.drop_put, fate.duplicate);
                    mailbox.put(now, unix_s, (seed, epoch), &envelope, how)
                };
                let mut bytes = answer.encode();
                turn(&mut bytes, fate.flip);
                PutAnswer::decode(&bytes).map(Answer::Put)
            }
            OperationKind::Fetch { page, chunk } => {
                let mut bytes = mailbox.fetch(page, chunk, !fate.garbage_fetch);
                turn(&mut bytes, fate.flip);
                FetchAnswer::decode(&bytes).map(|answer| Answer::Fetch(Box::new(answer)))
            }
        };
        if fate.lose_answer || delay > TIMEOUT {
            return self.fail(origin, TIMEOUT, FailReason::Timeout);
        }
        let answer = answer.unwrap_or(Answer::Failed(FailReason::Garbage));
        self.schedule(now + delay, Event::Deliver(origin, answer));
    }

    fn digest(&mut self, origin: Origin, at: usize, window: Window, delay: u64, flip: Option<u64>) {
        let frames: Vec<DigestFrame> =
            self.mailboxes[at].window(self.unix_s(), window).cloned().collect();
        let reader = DigestReader::new(self.mailboxes[at].key);
        let mut stream = Stream { origin, mailbox: at, delay, reader };
        let hit = flip.map_or(0, |bit| usize::try_from(bit % 7).unwrap_or(0));
        for (k, frame) in frames.iter().enumerate() {
            if !self.send_frame(&mut stream, frame, flip.filter(|_| k == hit)) {
                return;
            }
        }
        let (client, life, _) = origin;
        if window != Window::Stream {
            self.schedule(self.now + delay, Event::Deliver(origin, Answer::Ended));
        } else if self.clients[client].loads == life {
            self.streams.push(stream);
        }
    }

    /// Turns a client off, as a lock or the end of the program does.
    pub fn switch_off(&mut self, client: usize) {
        self.clients[client].engine = None;
        self.streams.retain(|s| s.origin.0 != client);
    }

    /// Loads a client from its disk.
    pub fn switch_on(&mut self, client: usize) {
        self.switch_off(client);
        let now = self.clock_of(client);
        self.clients[client].load(now);
    }

    /// Loads a client from its disk, with dice of this seed.
    pub fn switch_on_seeded(&mut self, client: usize, seed: u64) {
        self.switch_off(client);
        let now = self.clock_of(client);
        self.clients[client].load_seeded(now, seed);
    }
}

fn put_size(envelope: &Envelope, epoch: u64) -> usize {
    let request =
        PutRequest { epoch, nonce: [0; 16], solution: [0; 16], envelope: envelope.clone() };
    Request::Put(request).encode().len()
}

fn turn(bytes: &mut [u8], flip: Option<u64>) {
    let Some(bit) = flip.and_then(|bit| usize::try_from(bit).ok()) else { return };
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}
