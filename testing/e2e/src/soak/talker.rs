//! A person who says what they have to say, reads what comes, and unlocks when that is asked.

use super::PATIENCE;
use super::record::{Line, Record, Saying};
use crate::Person;
use crate::process::interrupted;
use anyhow::{Result, bail};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Messages of one side that are not delivered yet; beyond that the person waits. More than an engine
/// has under way (64 indices), so that its outbox is never empty.
const WINDOW: usize = 120;
/// Said in a row before the person looks at what came.
const BURST: usize = 20;
/// From one look to the next: looking at a history costs more than what is looked for, if it is often.
const PAUSE: Duration = Duration::from_secs(2);
/// Most messages of one page of a history.
const PAGE: &str = "200";
/// How long reading everything at the end may take.
const LAST_LOOK: Duration = Duration::from_secs(300);

/// What the two and the one who kills know of each other.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

struct Inner {
    quota: u64,
    said: [AtomicU64; 2],
    delivered: [AtomicU64; 2],
    /// Has said everything, and was told of everything that it is queued.
    silent: [AtomicBool; 2],
    refused: AtomicU64,
    closed: AtomicBool,
    over: AtomicBool,
    failed: AtomicBool,
}

impl Shared {
    pub(super) fn new(messages: u64) -> Self {
        Self(Arc::new(Inner {
            quota: messages,
            said: Default::default(),
            delivered: Default::default(),
            silent: Default::default(),
            refused: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            over: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        }))
    }

    /// Nothing new is said from here on.
    pub(super) fn close(&self) {
        self.0.closed.store(true, Ordering::Relaxed);
    }

    /// Both read everything once more and are done.
    pub(super) fn end(&self) {
        self.0.over.store(true, Ordering::Relaxed);
    }

    pub(super) fn said(&self) -> u64 {
        self.0.said.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn delivered(&self) -> u64 {
        self.0.delivered.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// Calls that a kill cut off, or that met a locked core.
    pub(super) fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }

    /// Whether everything was said and is delivered.
    pub(super) fn finished(&self) -> bool {
        let silent = self.0.silent.iter().all(|silent| silent.load(Ordering::Relaxed));
        silent && self.delivered() == self.said()
    }

    /// Whether one of the two has given up.
    pub(super) fn failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }
}

pub(super) struct Talker<'a> {
    person: &'a Person,
    peer: &'a str,
    own: usize,
    shared: Shared,
    dice: ChaCha20Rng,
    quota: u64,
    record: Record,
    /// A text of which it is not known whether it is queued, with its key.
    unresolved: Option<(String, String)>,
    /// The newest row that was looked at.
    newest: i64,
    /// Messages before this are delivered.
    oldest_waiting: usize,
    waiting: usize,
    /// When a call last succeeded.
    well: Instant,
}

impl<'a> Talker<'a> {
    pub(super) fn new(
        [first, second]: &'a [Person; 2],
        second_talks: bool,
        shared: &Shared,
        dice: ChaCha20Rng,
    ) -> Self {
        let half = shared.0.quota / 2;
        let (person, peer) = if second_talks { (second, first) } else { (first, second) };
        let own = usize::from(second_talks);
        Self {
            person,
            peer: &peer.name,
            own,
            shared: shared.clone(),
            dice,
            quota: if own == 0 { half } else { shared.0.quota - half },
            record: Record::default(),
            unresolved: None,
            newest: 0,
            oldest_waiting: 0,
            waiting: 0,
            well: Instant::now(),
        }
    }

    /// Talks until it is over.
    pub(super) fn talk(mut self) -> Result<Self> {
        let done = self.until_over();
        if done.is_err() {
            self.shared.0.failed.store(true, Ordering::Relaxed);
        }
        done.map(|()| self)
    }

    /// Reads everything, when nobody talks any more: what was delivered by then is in the history of
    /// who reads after that.
    pub(super) fn read(mut self) -> Result<Record> {
        if let Some((_, text)) = self.unresolved.take() {
            // Whether it was queued is known to nobody: it may be seen, and may be missing.
            let id = String::new();
            self.record.said.push(Saying { id, text, row: None, delivered: false, known: false });
        }
        self.record.history = self.everything()?;
        Ok(self.record)
    }

    fn until_over(&mut self) -> Result<()> {
        while !self.shared.0.over.load(Ordering::Relaxed) && !interrupted() {
            for _ in 0..BURST {
                if !self.say()? {
                    break;
                }
            }
            self.look()?;
            if self.dice.next_u32().is_multiple_of(4) {
                // Reading must not lose anything, whenever it is cut off (PRD-2).
                self.call(&["--json", "inbox", "--ack"], "")?;
            }
            let silent = self.has_said_all() && self.unresolved.is_none();
            self.shared.0.silent[self.own].store(silent, Ordering::Relaxed);
            std::thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn has_said_all(&self) -> bool {
        let all = u64::try_from(self.record.said.len()).unwrap_or(u64::MAX) >= self.quota;
        all || self.shared.0.closed.load(Ordering::Relaxed)
    }

    /// Says the next thing, or repeats the one of which it is not known whether it is queued: under
    /// the same key it is done once. Says whether there may be more.
    fn say(&mut self) -> Result<bool> {
        if self.unresolved.is_none() {
            if self.has_said_all() || self.waiting >= WINDOW {
                return Ok(false);
            }
            let number = self.record.said.len();
            let text = self.text(number);
            self.unresolved = Some((format!("soak-{number}"), text));
        }
        let Some((key, text)) = self.unresolved.clone() else { return Ok(false) };
        let said = self.call(&["--json", "send", self.peer, "-", "--key", &key], &text)?;
        let Some(answer) = said.as_deref().and_then(|all| all.first()) else { return Ok(false) };
        let Some(id) = answer["message"].as_str() else { bail!("no message id: {answer}") };
        let id = id.to_owned();
        self.record.said.push(Saying { id, text, row: None, delivered: false, known: true });
        self.waiting += 1;
        self.unresolved = None;
        self.shared.0.said[self.own].fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    /// A number, then filling: one text of 32 needs two or three envelopes, the others one.
    fn text(&mut self, number: usize) -> String {
        let most = if self.dice.next_u32().is_multiple_of(32) { 9000 } else { 300 };
        let len = usize::try_from(self.dice.next_u32() % most).unwrap_or(0);
        let filling = "All that is said here is said once. ".chars().cycle().take(len);
        format!("{number} {}", filling.collect::<String>().trim_end())
    }

    /// Looks at the history, back to where nothing can have changed.
    fn look(&mut self) -> Result<()> {
        let waits = self.record.said.get(self.oldest_waiting);
        let oldest = waits.and_then(|saying| saying.row).unwrap_or(i64::MAX);
        let floor = self.newest.min(oldest.saturating_sub(1));
        if let Some(lines) = self.back_to(floor)? {
            self.newest = lines.last().map_or(self.newest, |line| line.row).max(self.newest);
            self.note_states(&lines);
        }
        Ok(())
    }

    /// The history after the row `floor`, oldest first; nothing if a call was cut off.
    fn back_to(&mut self, floor: i64) -> Result<Option<Vec<Line>>> {
        let mut pages: Vec<Vec<Line>> = Vec::new();
        let mut before: Option<i64> = None;
        loop {
            let row = before.map(|row| row.to_string());
            let mut arguments = vec!["--json", "history", self.peer, "--limit", PAGE];
            arguments.extend(row.as_deref().into_iter().flat_map(|row| ["--before", row]));
            let Some(page) = self.call(&arguments, "")? else { return Ok(None) };
            let page = page.iter().map(Line::of).collect::<Result<Vec<_>>>()?;
            let first = page.first().map(|line| line.row);
            pages.push(page);
            match first.filter(|first| *first > floor + 1) {
                Some(first) => before = Some(first),
                None => break,
            }
        }
        pages.reverse();
        Ok(Some(pages.into_iter().flatten().collect()))
    }

    fn note_states(&mut self, lines: &[Line]) {
        let said = &mut self.record.said;
        let ours = lines.iter().filter(|line| !line.came_in());
        for line in ours {
            let from = self.oldest_waiting;
            let waiting = said.iter_mut().skip(from).find(|saying| saying.id == line.id);
            let Some(saying) = waiting else { continue };
            saying.row = Some(line.row);
            if line.state == "delivered" && !saying.delivered {
                saying.delivered = true;
                self.waiting -= 1;
                self.shared.0.delivered[self.own].fetch_add(1, Ordering::Relaxed);
            }
        }
        while said.get(self.oldest_waiting).is_some_and(|saying| saying.delivered) {
            self.oldest_waiting += 1;
        }
    }

    /// The whole history, at the end.
    fn everything(&mut self) -> Result<Vec<Line>> {
        let deadline = Instant::now() + LAST_LOOK;
        loop {
            if let Some(lines) = self.back_to(0)? {
                return Ok(lines);
            }
            if Instant::now() > deadline {
                bail!("{}'s history cannot be read", self.person.name);
            }
        }
    }

    /// Runs a command; nothing if it was cut off or the profile is locked, which is unlocked then.
    fn call(&mut self, arguments: &[&str], input: &str) -> Result<Option<Vec<serde_json::Value>>> {
        let answer = self.person.run_with(arguments, input)?;
        if answer.code == 0 {
            self.well = Instant::now();
            return answer.json().map(Some);
        }
        self.shared.0.refused.fetch_add(1, Ordering::Relaxed);
        if self.well.elapsed() > PATIENCE {
            bail!("{}: `pvtcoms {}` is refused: {}", self.person.name, arguments[1], answer.err);
        }
        if answer.code == 6 {
            // The core may be killed while it unlocks.
            let _ = self.person.unlock();
        } else {
            std::thread::sleep(Duration::from_millis(200));
        }
        Ok(None)
    }
}
