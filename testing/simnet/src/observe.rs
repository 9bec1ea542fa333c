//! What a server could write down of every connection, and what the truth behind it was (TH-2).

use crate::disk::Disk;
use crate::gate::Origin;
use board::envelope::Envelope;
use board::frame::Window;
use board::header::DigestFrame;
use engine::OperationKind;
use engine::changes::Table;
use std::collections::BTreeMap;

/// What an envelope really is: an item for somebody. Cover has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Errand {
    /// The item; its copies in other mailboxes have the same.
    pub item: [u8; 16],
    /// Whom it is for, as the sender's disk names the contact.
    pub contact: [u8; 16],
}

/// What a server saw.
#[derive(Debug, Clone)]
pub enum Seen {
    /// A circuit came, and with it the request.
    Accept,
    /// An envelope was put.
    Put {
        /// Its tag.
        tag: [u8; 16],
        /// Bytes of the request.
        size: usize,
        /// Whether it was answered STORED.
        stored: bool,
        /// The page that was open.
        open_page: u64,
        /// The truth: what it was.
        errand: Option<Errand>,
    },
    /// It was written to the disk.
    Disk,
    /// A chunk was fetched.
    Fetch {
        /// Page number.
        page: u64,
        /// Chunk in the page.
        chunk: u16,
        /// Bytes of the answer.
        answer: usize,
    },
    /// A digest was asked for.
    Digest(Window),
    /// The circuit ended.
    Close {
        /// It broke off.
        lost: bool,
    },
    /// The mailbox closed a page.
    Page {
        /// Its number.
        page: u64,
        /// The first 8 bytes of each tag in it, in their order.
        prefixes: Vec<[u8; 8]>,
    },
}

/// One line of a server's log.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// When, virtual milliseconds.
    pub at: u64,
    /// At which mailbox.
    pub mailbox: usize,
    /// Number of the connection, counted over all mailboxes; pages have none.
    pub connection: Option<u64>,
    /// The truth: whose it was.
    pub client: usize,
    /// What was seen.
    pub what: Seen,
}

/// Writes down what servers see.
#[derive(Default)]
pub struct Observer {
    /// What was seen since somebody took it. Ends of streams may stand a moment early.
    pub seen: Vec<Sighting>,
    /// How often each byte occurred in envelopes after their tags.
    pub bytes: Vec<u64>,
    next: u64,
    open: BTreeMap<Origin, (usize, u64)>,
    visits: BTreeMap<(usize, u64), Visit>,
}

/// A circuit at a mailbox with an observer of its own, and the truth about it.
struct Visit {
    connection: u64,
    client: usize,
    errand: Option<Errand>,
}

impl Observer {
    pub(crate) fn accept(&mut self, at: u64, mailbox: usize, origin: Origin) {
        let connection = self.next;
        self.next += 1;
        self.open.insert(origin, (mailbox, connection));
        self.note(at, &origin, Seen::Accept);
    }

    pub(crate) fn note(&mut self, at: u64, origin: &Origin, what: Seen) {
        let Some((mailbox, connection)) = self.open.get(origin).copied() else { return };
        let (client, connection) = (origin.client, Some(connection));
        self.seen.push(Sighting { at, mailbox, connection, client, what });
    }

    pub(crate) fn close(&mut self, at: u64, origin: &Origin, lost: bool) {
        self.note(at, origin, Seen::Close { lost });
        self.open.remove(origin);
    }

    /// Every circuit of a client is gone.
    pub(crate) fn cut(&mut self, at: u64, client: usize) {
        let gone: Vec<Origin> = self.open.keys().filter(|o| o.client == client).copied().collect();
        gone.iter().for_each(|origin| self.close(at, origin, true));
    }

    pub(crate) fn page(&mut self, at: u64, mailbox: usize, frame: &DigestFrame) {
        let (page, prefixes) = (frame.header.page, frame.prefixes.clone());
        self.tell(at, mailbox, None, Seen::Page { page, prefixes });
    }

    /// A circuit came to a board that has an observer of its own, which calls it `number`. `client`
    /// and `errand` are the truth.
    pub(crate) fn enter(
        &mut self,
        mailbox: usize,
        number: u64,
        client: usize,
        errand: Option<Errand>,
    ) {
        let connection = self.next;
        self.next += 1;
        self.visits.insert((mailbox, number), Visit { connection, client, errand });
    }

    /// What a mailbox's own observer saw, on which of its circuits. Of one that came before anybody
    /// looked on, nothing is kept.
    pub(crate) fn tell(&mut self, at: u64, mailbox: usize, number: Option<u64>, mut what: Seen) {
        let (mut connection, mut client) = (None, usize::MAX);
        if let Some(number) = number {
            let Some(visit) = self.visits.get(&(mailbox, number)) else { return };
            (connection, client) = (Some(visit.connection), visit.client);
            if let Seen::Put { errand, .. } = &mut what {
                *errand = visit.errand;
            }
            if matches!(what, Seen::Close { .. }) {
                self.visits.remove(&(mailbox, number));
            }
        }
        self.seen.push(Sighting { at, mailbox, connection, client, what });
    }

    pub(crate) fn count(&mut self, envelope: &Envelope) {
        self.bytes.resize(256, 0);
        for byte in &envelope.as_bytes()[16..] {
            self.bytes[usize::from(*byte)] += 1;
        }
    }
}

/// What becomes of an operation that leaves a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// It leaves.
    Go,
    /// It leaves so many milliseconds later.
    After(u64),
    /// It does not leave; the client is told that there is no Tor.
    Refuse,
}

/// An operation that is about to leave.
pub struct Dial<'a> {
    /// When, virtual milliseconds.
    pub at: u64,
    /// Whose it is.
    pub client: usize,
    /// Which mailbox.
    pub mailbox: usize,
    /// What it is.
    pub kind: &'a OperationKind,
    /// What the envelope of a put really is.
    pub errand: Option<Errand>,
}

/// Stands between clients and gate and takes a defence away, so that an attack is seen to find it.
/// Nothing like it can stand in the product: there the core talks to the gate by itself.
pub trait Shaper {
    /// Rules on an operation.
    fn dial(&mut self, dial: &Dial<'_>) -> Ruling;

    /// Whether a put that failed leaves again at once.
    fn again(&mut self, _errand: Option<Errand>) -> bool {
        false
    }
}

/// What an envelope is, by the rows of its sender: sealed bytes are saved before they leave.
pub(crate) fn errand(disk: &Disk, envelope: &Envelope) -> Option<Errand> {
    let tag = envelope.tag().0;
    let holds = |row: &[u8]| row.windows(16).any(|at| at == tag);
    let (key, row) = disk.rows(Table::Outbox).find(|(_, row)| holds(row))?;
    // A row begins `version(1) ‖ item(16) ‖ order(8) ‖ owner(1) ‖ contact(16)`.
    let contact = row.get(26..42)?.try_into().ok()?;
    Some(Errand { item: key.try_into().ok()?, contact })
}
