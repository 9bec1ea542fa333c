//! What goes between clients and mailboxes, and how it goes wrong.

use crate::gate::{Again, Origin};
use crate::mailbox::Fare;
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

impl World {
    pub(crate) fn start(&mut self, client: usize, operation: Operation) {
        let Operation { id, mailbox: key, token, kind } = operation;
        let mailbox = self.mailbox_of(&key);
        if self.record {
            self.write_down(client, mailbox, token, &kind);
        }
        let delay = self.delay();
        let origin = Origin { client, life: self.clients[client].loads, id };
        if !self.gate.dial(origin, token) {
            return self.fail(origin, 0, FailReason::Internal);
        }
        if !self.gate.works(client, self.now) {
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

    /// Sends a page to every stream, through the reader that the shell has there.
    pub(crate) fn publish(&mut self, mailbox: usize, page: usize) {
        let streams = core::mem::take(&mut self.streams);
        for mut stream in streams {
            let mut alive = true;
            if stream.mailbox == mailbox {
                let faults = self.mailboxes[mailbox].faults;
                let fate = self.mailboxes[mailbox].dice.draw(&faults);
                let lost = fate.lose_request;
                let frame = self.mailboxes[mailbox].frame_for(page, stream.origin.client);
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
                    let answer = Answer::Frame(Box::new(frame));
                    self.schedule(at, Event::Deliver(stream.origin, answer));
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

    /// Every stream of a mailbox breaks off.
    pub(crate) fn drop_streams(&mut self, mailbox: usize) {
        let (gone, left): (Vec<Stream>, Vec<Stream>) =
            core::mem::take(&mut self.streams).into_iter().partition(|s| s.mailbox == mailbox);
        self.streams = left;
        for stream in gone {
            self.fail(stream.origin, stream.delay, FailReason::Closed);
        }
    }

    /// The gate of a client dies: everything under way fails, and there is no Tor for a span.
    pub fn kill_gate(&mut self, client: usize, span: u64) {
        let open = self.gate.die(client, self.now + span);
        self.streams.retain(|s| s.origin.client != client);
        for origin in open {
            self.schedule(self.now, Event::Stray(origin, Answer::Failed(FailReason::NoTor)));
        }
    }

    pub(crate) fn arrive(&mut self, origin: Origin, at: usize, kind: OperationKind) {
        let (now, unix_s, delay) = (self.now, self.unix_s(), self.delay());
        let mailbox = &mut self.mailboxes[at];
        let faults = mailbox.faults;
        let fate = mailbox.dice.draw(&faults);
        let delay = delay + fate.delay_ms;
        if fate.lose_request || mailbox.down {
            let dead = faults.dead || mailbox.down;
            let reason = if dead { FailReason::Unreachable } else { FailReason::Closed };
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
                    let fare =
                        Fare { store: !fate.drop_put, echo: fate.duplicate, hold_s: fate.hold_s };
                    let (answer, write) = mailbox.put(now, unix_s, (seed, epoch), &envelope, fare);
                    self.survive(at, write);
                    if self.mailboxes[at].down {
                        return self.fail(origin, delay, FailReason::Closed);
                    }
                    answer
                };
                let mut bytes = answer.encode();
                turn(&mut bytes, fate.flip);
                PutAnswer::decode(&bytes).map(Answer::Put)
            }
            OperationKind::Fetch { page, chunk } => {
                let answer = mailbox.fetch(page, chunk, !fate.garbage_fetch);
                fetched(answer, fate.flip).map(|answer| Answer::Fetch(Box::new(answer)))
            }
        };
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
        let reader = DigestReader::new(self.mailboxes[at].key);
        let mut stream = Stream { origin, mailbox: at, delay, reader };
        let hit = flip.map_or(0, |bit| usize::try_from(bit % 7).unwrap_or(0));
        for (k, frame) in frames.iter().enumerate() {
            if !self.send_frame(&mut stream, frame, flip.filter(|_| k == hit)) {
                return;
            }
        }
        if window == Window::Stream {
            self.streams.push(stream);
        } else {
            self.schedule(self.now + delay, Event::Deliver(origin, Answer::Ended));
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

fn turn(bytes: &mut [u8], flip: Option<u64>) {
    let Some(bit) = flip.and_then(|bit| usize::try_from(bit).ok()) else { return };
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}
