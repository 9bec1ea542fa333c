//! What the mailboxes wrote down, and apart from it the truth (`docs/linkability.md`).

use board::frame::Window;
use serde_json::{Value, json};
use simnet::{Seen, Sighting};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

/// What was asked on a circuit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// An envelope was put.
    Put {
        /// Its tag.
        tag: [u8; 16],
        /// Bytes of the request.
        size: usize,
        /// Answered STORED, and so written to the disk.
        stored: bool,
        /// The page that was open.
        open_page: u64,
    },
    /// A chunk was fetched.
    Fetch {
        /// Page number.
        page: u64,
        /// Chunk in the page.
        chunk: u16,
        /// Bytes of the answer.
        answer: usize,
    },
    /// Page headers and tags were read.
    Digest(Window),
}

/// One operation, as a mailbox saw it.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its number in the log; the truth refers to it.
    pub number: usize,
    /// Its circuit.
    pub circuit: u64,
    /// The mailbox.
    pub mailbox: usize,
    /// When the circuit came, in milliseconds.
    pub accept: u64,
    /// When it ended; `u64::MAX` if the log ends before.
    pub close: u64,
    /// It broke off.
    pub lost: bool,
    /// What was asked.
    pub asked: Asked,
    /// An identifier in the frame. Frames of this protocol have none; those of some controls do.
    pub mark: Option<u64>,
}

/// A page that a mailbox closed.
#[derive(Debug, Clone)]
pub struct Page {
    /// The mailbox.
    pub mailbox: usize,
    /// When, in milliseconds.
    pub at: u64,
    /// Its number.
    pub page: u64,
    /// The first bytes of the tags in it, in their order.
    pub tags: Vec<[u8; 8]>,
}

/// Everything that was written down.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Operations in the order of their circuits' coming.
    pub operations: Vec<Operation>,
    /// Pages in the order of their closing.
    pub pages: Vec<Page>,
    /// Games are played from here on: what came before is what the mailboxes remember.
    pub from: u64,
    /// When the log ends.
    pub to: u64,
}

/// What an operation really was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Deed {
    /// Whose it was.
    pub client: usize,
    /// Number of the item that was put; cover has none.
    pub item: Option<usize>,
    /// Whom it was for.
    pub to: Option<usize>,
}

/// Two people talking.
#[derive(Debug, Clone, Copy)]
pub struct Talk {
    /// Who began.
    pub a: usize,
    /// With whom.
    pub b: usize,
    /// When it began, in milliseconds.
    pub from: u64,
    /// When the last word was said or came.
    pub to: u64,
}

/// The truth behind a log.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    /// By operation.
    pub deeds: Vec<Deed>,
    /// Who talked when.
    pub talks: Vec<Talk>,
    /// Whose network broke when; all circuits of the client ended then.
    pub losses: Vec<(usize, u64)>,
    /// Local time minus UTC, in minutes, by client.
    pub zones: Vec<i16>,
    /// Seconds from saying something to its arrival.
    pub delays: Vec<f64>,
}

/// Joins what was seen to operations. `peers` says whom a client calls by a contact's name.
#[must_use]
pub fn join(
    seen: Vec<Sighting>,
    peers: &BTreeMap<(usize, [u8; 16]), usize>,
    to: u64,
) -> (Log, Vec<Deed>) {
    let mut log = Log { to, ..Log::default() };
    let mut deeds: Vec<Deed> = Vec::new();
    let mut places: BTreeMap<u64, usize> = BTreeMap::new();
    let mut items: BTreeMap<(usize, [u8; 16]), usize> = BTreeMap::new();
    // A put that is repeated after its row is gone is still what it was.
    let mut errands: BTreeMap<[u8; 16], (usize, usize)> = BTreeMap::new();
    for Sighting { at, mailbox, connection, client, what } in seen {
        let Some(circuit) = connection else {
            if let Seen::Page { page, prefixes: tags } = what {
                log.pages.push(Page { mailbox, at, page, tags });
            }
            continue;
        };
        if matches!(what, Seen::Accept) {
            let number = log.operations.len();
            places.insert(circuit, number);
            deeds.push(Deed { client, item: None, to: None });
            let asked = Asked::Digest(Window::Stream);
            let (accept, close) = (at, u64::MAX);
            let (lost, mark) = (false, None);
            let operation =
                Operation { number, circuit, mailbox, accept, close, lost, asked, mark };
            log.operations.push(operation);
            continue;
        }
        let Some(place) = places.get(&circuit).copied() else { continue };
        let operation = &mut log.operations[place];
        match what {
            Seen::Put { tag, size, stored, open_page, errand } => {
                operation.asked = Asked::Put { tag, size, stored, open_page };
                if let Some(errand) = errand
                    && let Some(peer) = peers.get(&(client, errand.contact))
                {
                    let next = items.len();
                    let item = *items.entry((client, errand.item)).or_insert(next);
                    errands.insert(tag, (item, *peer));
                }
                if let Some((item, peer)) = errands.get(&tag) {
                    (deeds[place].item, deeds[place].to) = (Some(*item), Some(*peer));
                }
            }
            Seen::Fetch { page, chunk, answer } => {
                operation.asked = Asked::Fetch { page, chunk, answer };
            }
            Seen::Digest(window) => operation.asked = Asked::Digest(window),
            Seen::Close { lost } => (operation.close, operation.lost) = (at, lost),
            Seen::Accept | Seen::Disk | Seen::Page { .. } => {}
        }
    }
    (log, deeds)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

impl Operation {
    /// Its lines: accept, frame, disk, close.
    fn lines(&self) -> Vec<(u64, Value)> {
        let line = |event: &str, mut more: Value| {
            more["mailbox"] = json!(self.mailbox);
            more["connection"] = json!(self.circuit);
            more["operation"] = json!(self.number);
            more["event"] = json!(event);
            more
        };
        let mut frame = match self.asked {
            Asked::Put { tag, size, stored, open_page } => line(
                "put",
                json!({ "bytes_in": size, "tag": hex(&tag), "stored": stored, "open_page": open_page }),
            ),
            Asked::Fetch { page, chunk, answer } => line(
                "fetch",
                json!({ "bytes_in": 64, "page": page, "chunk": chunk, "bytes_out": answer }),
            ),
            Asked::Digest(window) => {
                line("digest", json!({ "bytes_in": 64, "window": format!("{window:?}") }))
            }
        };
        if let Some(mark) = self.mark {
            frame["mark"] = json!(mark);
        }
        let mut lines = vec![(self.accept, line("accept", json!({}))), (self.accept, frame)];
        if matches!(self.asked, Asked::Put { stored: true, .. }) {
            lines.push((self.accept, line("disk", json!({}))));
        }
        if self.close < u64::MAX {
            lines.push((self.close, line("close", json!({ "answered": !self.lost }))));
        }
        lines
    }
}

/// Writes `transcript.jsonl` and `truth.jsonl` into a directory.
///
/// # Errors
/// From the file system.
pub fn keep(dir: &Path, log: &Log, truth: &Truth) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut lines: Vec<(u64, Value)> = log.operations.iter().flat_map(Operation::lines).collect();
    lines.extend(log.pages.iter().map(|page| {
        let tags: Vec<String> = page.tags.iter().map(|tag| hex(tag)).collect();
        let line =
            json!({ "mailbox": page.mailbox, "event": "page", "page": page.page, "tags": tags });
        (page.at, line)
    }));
    lines.sort_by_key(|(at, _)| *at);
    let mut file = io::BufWriter::new(std::fs::File::create(dir.join("transcript.jsonl"))?);
    for (at, mut line) in lines {
        line["at"] = json!(at);
        writeln!(file, "{line}")?;
    }
    file.flush()?;
    let mut file = io::BufWriter::new(std::fs::File::create(dir.join("truth.jsonl"))?);
    writeln!(file, "{}", json!({ "games_from": log.from, "until": log.to }))?;
    for (client, zone) in truth.zones.iter().enumerate() {
        writeln!(file, "{}", json!({ "client": client, "zone_minutes": zone }))?;
    }
    for (operation, deed) in truth.deeds.iter().enumerate() {
        let Deed { client, item, to } = deed;
        let line = json!({ "operation": operation, "client": client, "item": item, "to": to });
        writeln!(file, "{line}")?;
    }
    for Talk { a, b, from, to } in &truth.talks {
        writeln!(file, "{}", json!({ "talk": [a, b], "from": from, "to": to }))?;
    }
    for (client, at) in &truth.losses {
        writeln!(file, "{}", json!({ "network_lost": client, "at": at }))?;
    }
    file.flush()
}
