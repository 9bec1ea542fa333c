//! What goes between clients and mailboxes, and how it goes wrong.

use crate::faults::Fate;
use crate::gate::{Again, Origin};
use crate::mailbox::Fare;
use crate::observe::{Dial, Errand, Ruling, Seen, errand};
use crate::transcript::{Kind, Record};
use crate::world::{Event, MINUTE, SECOND, World};
use board::envelope::Envelope;
use board::frame::{FetchAnswer, PutAnswer, PutRequest, Request, Window};
use board::header::{DigestFrame, DigestReader};
use board::tag::OnionKey;
use engine::{Answer, FailReason, Operation, OperationKind};
use rand_core::Rng;
use wire::Codec;

/// A request without an answer is given up after this.
const TIMEOUT: u64 = MINUTE;

pub(crate) struct Stream {
    pub(crate) origin: Origin,
    mailbox: usize,
    delay: u64,
    reader: DigestReader,
}

impl Stream {
    pub(crate) const fn new(origin: Origin, mailbox: usize, delay: u64, key: OnionKey) -> Self {
        Self { origin, mailbox, delay, reader: DigestReader::new(key) }
    }
}

impl World {
    pub(crate) fn start(&mut self, client: usize, operation: Operation) {
        let Operation { id, mailbox: key, token, kind } = operation;
        let mailbox = self.mailbox_of(&key);
        let mut delay = self.connecting();
        let errand = self.errand(client, &kind);
        let at = self.now;
        let dial = Dial { at, client, mailbox, kind: &kind, errand };
        let ruling = self.shaper.as_mut().map_or(Ruling::Go, |shaper| shaper.dial(&dial));
        if let Ruling::After(span) = ruling {
            delay += span;
        }
        if self.record && ruling != Ruling::Refuse {
            self.write_down(client, mailbox, token, &kind);
        }
        let origin = Origin { client, life: self.clients[client].loads, id };
        if !self.gate.dial(origin, token) {
            return self.fail(origin, 0, FailReason::Internal);
        }
        if !self.gate.works(client, self.now) || ruling == Ruling::Refuse {
            return self.fail(origin, delay, FailReason::NoTor);
        }
        self.schedule(self.now + delay, Event::Arrive(origin, mailbox, kind));
    }

    fn write_down(&mut self, client: usize, mailbox: usize, token: [u8; 16], kind: &OperationKind) {
        let (kind, size) = match kind {
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
        self.transcript.push(Record { at, client, mailbox, token, kind, size });
    }

    fn mailbox_of(&self, key: &OnionKey) -> usize {
        self.mailboxes.iter().position(|m| m.key == *key).expect("no such mailbox")
    }

    fn delay(&mut self) -> u64 {
        let draw = self.rng.next_u64();
        if self.tor { SECOND + draw % (4 * SECOND) } else { 50 }
    }

    /// Until a request is at the mailbox.
    fn connecting(&mut self) -> u64 {
        match &self.weather {
            Some(weather) => weather.connect(&mut self.rng),
            None => self.delay(),
        }
    }

    /// Until bytes on an open circuit are at the other end.
    pub(crate) fn transit(&mut self) -> u64 {
        match &self.weather {
            Some(weather) => weather.transit(&mut self.rng),
            None => 0,
        }
    }

    /// What an envelope really is, for whoever asks.
    fn errand(&self, client: usize, kind: &OperationKind) -> Option<Errand> {
        let OperationKind::Put { envelope, .. } = kind else { return None };
        let asked = self.observer.is_some() || self.shaper.is_some();
        asked.then(|| errand(&self.clients[client].disk, envelope)).flatten()
    }

    fn see(&mut self, origin: &Origin, what: Seen) {
        if let Some(observer) = &mut self.observer {
            observer.note(self.now, origin, what);
        }
    }

    /// Sends a page to every stream, through the reader that the shell has there; without a page,
    /// what its board has for it.
    pub(crate) fn publish(&mut self, mailbox: usize, page: Option<usize>) {
        let streams = core::mem::take(&mut self.streams);
        for mut stream in streams {
            let mut alive = true;
            if stream.mailbox == mailbox {
                let faults = self.mailboxes[mailbox].faults;
                let fate = self.mailboxes[mailbox].dice.draw(&faults);
                let lost = fate.lose_request;
                let bytes = match page {
                    Some(page) => {
                        self.mailboxes[mailbox].frame_for(page, stream.origin.client).to_bytes()
                    }
                    None => self.more(&stream.origin),
                };
                alive = !lost && self.feed(&mut stream, bytes, fate.flip);
                if !alive {
                    self.break_off(&stream.origin);
                }
                if lost {
                    self.fail(stream.origin, stream.delay, FailReason::Closed);
                }
            }
            if alive {
                self.streams.push(stream);
            }
        }
    }

    /// Sends digest frames to a stream; says whether it can go on.
    fn feed(&mut self, stream: &mut Stream, mut bytes: Vec<u8>, flip: Option<u64>) -> bool {
        turn(&mut bytes, flip);
        let at = self.now + stream.delay;
        for frame in stream.reader.push(&bytes).unwrap_or_default() {
            let answer = Answer::Frame(Box::new(frame));
            self.schedule(at, Event::Deliver(stream.origin, answer));
        }
        // A reader that met a fault says so from then on.
        let good = stream.reader.push(&[]).is_ok();
        if !good {
            self.fail(stream.origin, stream.delay, FailReason::Garbage);
        }
        good
    }

    fn fail(&mut self, origin: Origin, delay: u64, reason: FailReason) {
        self.schedule(self.now + delay, Event::Deliver(origin, Answer::Failed(reason)));
    }

    /// Every stream of a mailbox breaks off.
    pub(crate) fn drop_streams(&mut self, mailbox: usize) {
        let (gone, left): (Vec<Stream>, Vec<Stream>) =
            core::mem::take(&mut self.streams).into_iter().partition(|s| s.mailbox == mailbox);
        self.streams = left;
        for stream in gone {
            self.break_off(&stream.origin);
            self.fail(stream.origin, stream.delay, FailReason::Closed);
        }
    }

    /// The gate of a client dies: everything under way fails, and there is no Tor for a span.
    pub fn kill_gate(&mut self, client: usize, span: u64) {
        let open = self.gate.die(client, self.now + span);
        self.streams.retain(|s| s.origin.client != client);
        self.cut(client);
        for origin in open {
            self.schedule(self.now, Event::Stray(origin, Answer::Failed(FailReason::NoTor)));
        }
    }

    pub(crate) fn arrive(&mut self, origin: Origin, at: usize, kind: OperationKind) {
        let (now, unix_s) = (self.now, self.unix_s());
        let delay = if self.weather.is_some() { self.transit() } else { self.delay() };
        let errand = self.errand(origin.client, &kind);
        let faults = self.mailboxes[at].faults;
        let mut fate = self.mailboxes[at].dice.draw(&faults);
        let delay = delay + fate.delay_ms;
        if let Some(weather) = self.weather {
            let (lost, unanswered) = weather.losses(&mut self.rng);
            fate.lose_request |= lost;
            fate.lose_answer |= unanswered;
        }
        let failing = fate.lose_request || fate.retry;
        if failing && self.shaper.as_mut().is_some_and(|shaper| shaper.again(errand)) {
            let wait = self.connecting();
            self.write_down(origin.client, at, [0; 16], &kind);
            return self.schedule(now + wait, Event::Arrive(origin, at, kind));
        }
        if fate.lose_request || self.mailboxes[at].down {
            let dead = faults.dead || self.mailboxes[at].down;
            let reason = if dead { FailReason::Unreachable } else { FailReason::Closed };
            return self.fail(origin, delay, reason);
        }
        if self.mailboxes[at].board.is_some() {
            return self.ask(origin, at, kind, delay, errand, &fate);
        }
        if let Some(observer) = &mut self.observer {
            observer.accept(now, at, origin);
        }
        let mailbox = &mut self.mailboxes[at];
        let answer = match kind {
            OperationKind::Digest(window) => {
                self.see(&origin, Seen::Digest(window));
                return self.digest(origin, at, window, delay, fate.flip);
            }
            OperationKind::Put { envelope, seed, epoch, .. } => {
                let answer = if fate.retry {
                    mailbox.answer(false)
                } else {
                    let fare =
                        Fare { store: !fate.drop_put, echo: fate.duplicate, hold_s: fate.hold_s };
                    let (answer, write) = mailbox.put(now, unix_s, (seed, epoch), &envelope, fare);
                    self.survive(at, write);
                    if self.mailboxes[at].down {
                        self.hang_up(&origin);
                        return self.fail(origin, delay, FailReason::Closed);
                    }
                    answer
                };
                self.see_put(&origin, &envelope, epoch, errand, answer);
                let mut bytes = answer.encode();
                turn(&mut bytes, fate.flip);
                PutAnswer::decode(&bytes).map(Answer::Put)
            }
            OperationKind::Fetch { page, chunk } => {
                let answer = mailbox.fetch(page, chunk, !fate.garbage_fetch);
                if self.observer.is_some() {
                    let size = answer.as_ref().map_or_else(Vec::len, |a| a.encode().len());
                    self.see(&origin, Seen::Fetch { page, chunk, answer: size });
                }
                fetched(answer, fate.flip).map(|answer| Answer::Fetch(Box::new(answer)))
            }
        };
        self.hang_up(&origin);
        self.deliver(origin, delay, &fate, answer);
    }

    /// The answer goes back to the client, if it is not lost.
    pub(crate) fn deliver(
        &mut self,
        origin: Origin,
        delay: u64,
        fate: &Fate,
        answer: Result<Answer, wire::Malformed>,
    ) {
        let now = self.now;
        if fate.lose_answer || delay > TIMEOUT {
            return self.fail(origin, TIMEOUT, FailReason::Timeout);
        }
        let answer = answer.unwrap_or(Answer::Failed(FailReason::Garbage));
        match self.gate.again() {
            Again::No => self.schedule(now + delay, Event::Deliver(origin, answer)),
            Again::Late(span) => {
                self.fail(origin, TIMEOUT, FailReason::Timeout);
                self.schedule(now + span, Event::Stray(origin, answer));
            }
            Again::Twice(span) => {
                if let Some(second) = copy(&answer) {
                    self.schedule(now + delay + span, Event::Stray(origin, second));
                }
                self.schedule(now + delay, Event::Deliver(origin, answer));
            }
        }
    }

    fn digest(&mut self, origin: Origin, at: usize, window: Window, delay: u64, flip: Option<u64>) {
        let frames: Vec<DigestFrame> =
            self.mailboxes[at].window(self.unix_s(), window).cloned().collect();
        let mut stream = Stream::new(origin, at, delay, self.mailboxes[at].key);
        let hit = flip.map_or(0, |bit| usize::try_from(bit % 7).unwrap_or(0));
        for (k, frame) in frames.iter().enumerate() {
            if !self.feed(&mut stream, frame.to_bytes(), flip.filter(|_| k == hit)) {
                return self.hang_up(&origin);
            }
        }
        self.follow(stream, window);
    }

    /// The answer to a DIGEST as a board gives it.
    pub(crate) fn open_stream(
        &mut self,
        mut stream: Stream,
        bytes: Vec<u8>,
        window: Window,
        flip: Option<u64>,
    ) {
        if self.feed(&mut stream, bytes, flip) {
            self.follow(stream, window);
        } else {
            self.hang_up(&stream.origin);
        }
    }

    /// A stream goes on, another answer to a DIGEST is over.
    fn follow(&mut self, stream: Stream, window: Window) {
        if window == Window::Stream {
            self.streams.push(stream);
        } else {
            self.schedule(self.now + stream.delay, Event::Deliver(stream.origin, Answer::Ended));
            self.hang_up(&stream.origin);
        }
    }

    fn break_off(&mut self, origin: &Origin) {
        self.end_circuit(self.now, origin, true);
    }

    /// The mailbox has written its answer and closes (BRD-17).
    pub(crate) fn hang_up(&mut self, origin: &Origin) {
        self.end_circuit(self.now, origin, false);
    }

    fn see_put(
        &mut self,
        origin: &Origin,
        envelope: &Envelope,
        epoch: u64,
        errand: Option<Errand>,
        answer: PutAnswer,
    ) {
        let Some(observer) = &mut self.observer else { return };
        observer.count(envelope);
        let PutAnswer { stored, open_page, .. } = answer;
        let (tag, size) = (envelope.tag().0, put_size(envelope, epoch));
        observer.note(self.now, origin, Seen::Put { tag, size, stored, open_page, errand });
        if stored {
            observer.note(self.now, origin, Seen::Disk);
        }
    }
}

/// The same answer once more.
fn copy(answer: &Answer) -> Option<Answer> {
    match answer {
        Answer::Put(put) => PutAnswer::decode(&put.encode()).ok().map(Answer::Put),
        Answer::Fetch(fetch) => {
            FetchAnswer::decode(&fetch.encode()).ok().map(|answer| Answer::Fetch(Box::new(answer)))
        }
        _ => None,
    }
}

/// An answer as it arrives: only one in which a bit is turned is worth the way through its bytes.
fn fetched(
    answer: Result<FetchAnswer, Vec<u8>>,
    flip: Option<u64>,
) -> Result<FetchAnswer, wire::Malformed> {
    let mut bytes = match answer {
        Ok(answer) if flip.is_none() => return Ok(answer),
        Ok(answer) => answer.encode(),
        Err(garbage) => garbage,
    };
    turn(&mut bytes, flip);
    FetchAnswer::decode(&bytes)
}

fn put_size(envelope: &Envelope, epoch: u64) -> usize {
    let request =
        PutRequest { epoch, nonce: [0; 16], solution: [0; 16], envelope: envelope.clone() };
    Request::Put(request).encode().len()
}

pub(crate) fn turn(bytes: &mut [u8], flip: Option<u64>) {
    let flip = flip.filter(|_| !bytes.is_empty());
    let Some(bit) = flip.and_then(|bit| usize::try_from(bit).ok()) else { return };
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}
