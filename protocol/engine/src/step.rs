//! What the engine asks of the shell, and what the shell answers.

use crate::changes::{Change, Changes, Event, EventKind, Table};
use crate::clock::Now;
use board::envelope::Envelope;
use board::frame::{FetchAnswer, PutAnswer, Window};
use board::header::DigestFrame;
use board::tag::OnionKey;
use crypto::Zeroizing;

/// Names an operation between engine and shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpId(pub u64);

/// One operation at one mailbox, on a circuit of its own (BRD-36).
pub struct Operation {
    /// Its name in [`Answer`]s.
    pub id: OpId,
    /// The mailbox.
    pub mailbox: OnionKey,
    /// Fresh isolation token; no two operations share one (TOR-6).
    pub token: [u8; 16],
    /// What to do there.
    pub kind: OperationKind,
}

/// What to do at a mailbox.
pub enum OperationKind {
    /// Solve the proof of work and put the envelope.
    Put {
        /// The envelope, 4096 bytes.
        envelope: Envelope,
        /// Seed of the proof of work, from the newest header known.
        seed: [u8; 32],
        /// The hour that the seed belongs to.
        epoch: u64,
        /// Effort that the mailbox asks for.
        effort: u32,
    },
    /// Fetch eight envelopes.
    Fetch {
        /// Page number.
        page: u64,
        /// Chunk in the page.
        chunk: u16,
    },
    /// Read page headers and tag prefixes.
    Digest(Window),
}

/// What came of an operation. Every operation but a stream gets exactly one answer that is not
/// [`Answer::Frame`].
pub enum Answer {
    /// A put was answered.
    Put(PutAnswer),
    /// A fetch was answered.
    Fetch(Box<FetchAnswer>),
    /// A digest sent a frame; more may follow.
    Frame(Box<DigestFrame>),
    /// A digest ended.
    Ended,
    /// No answer.
    Failed(FailReason),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailReason {
    /// No Tor.
    NoTor,
    /// Tor is blocked.
    Blocked,
    /// The clock is off.
    Clock,
    /// Nothing within the time limit.
    Timeout,
    /// The mailbox's onion service is not to be found.
    NotFound,
    /// The mailbox refused the stream.
    Refused,
    /// The mailbox cannot be reached.
    Unreachable,
    /// The mailbox closed the stream before its answer.
    Closed,
    /// The answer is no answer, or not an honest one.
    Garbage,
    /// A fault of the gate or of this program.
    Internal,
}

/// What the shell does once a step is saved.
pub enum Effect {
    /// Start an operation.
    Start(Operation),
    /// End a stream; no answer is expected.
    Stop(OpId),
}

/// What one input led to: writes, and effects that stay sealed until the writes are saved.
///
/// ```compile_fail,E0616
/// fn leak(step: engine::Step) {
///     let _ = step.effects; // nothing leaves until it is saved
/// }
/// ```
#[must_use = "a step that is not committed is lost"]
#[derive(Default)]
pub struct Step {
    changes: Changes,
    effects: Vec<Effect>,
}

impl Step {
    /// Saves the step, then hands out what may leave (STO-24).
    ///
    /// # Errors
    /// What `save` answers. The step is gone then and nothing of it has left; the engine is ahead
    /// of the disk and must be loaded again.
    pub fn commit<E>(self, save: impl FnOnce(&Changes) -> Result<(), E>) -> Result<Vec<Effect>, E> {
        if !self.changes.0.is_empty() {
            save(&self.changes)?;
        }
        Ok(self.effects)
    }

    pub(crate) fn put(&mut self, table: Table, key: &[u8], value: Zeroizing<Vec<u8>>) {
        self.changes.0.push(Change::Put { table, key: key.to_vec(), value });
    }

    pub(crate) fn delete(&mut self, table: Table, key: &[u8]) {
        self.changes.0.push(Change::Delete { table, key: key.to_vec() });
    }

    pub(crate) fn change(&mut self, change: Change) {
        self.changes.0.push(change);
    }

    pub(crate) fn event(&mut self, now: Now, kind: EventKind, contact: Option<[u8; 16]>) {
        self.message_event(now, kind, contact, None);
    }

    pub(crate) fn message_event(
        &mut self,
        now: Now,
        kind: EventKind,
        contact: Option<[u8; 16]>,
        message: Option<[u8; 16]>,
    ) {
        let at = now.unix_s();
        self.change(Change::Event(Event { kind, contact, message, at }));
    }

    pub(crate) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn into_changes(self) -> Changes {
        self.changes
    }
}
