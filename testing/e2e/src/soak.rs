//! A soak of the real programs: two people talk over real Tor while their programs are killed.
//!
//! What is said, what is killed, when, and for how long follows from a seed. What the machine makes of
//! it does not: a run cannot be replayed exactly, as a life of the simulator can.

mod faults;
mod record;
mod talker;

use crate::process::{interrupted, resident_bytes};
use crate::{Mailbox, Person};
use anyhow::{Context, Result};
use faults::Faults;
use record::Record;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use talker::{Shared, Talker};
use tornet::Tornet;

pub use record::CONTROLS;

/// So long without any message being delivered, and the run ends: what is under way is lost.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Pages of the mailbox, in seconds: the quickest that it permits.
const PAGE_INTERVAL: u16 = 1;
/// How often the programs are looked at.
const TICK: Duration = Duration::from_millis(100);

/// What to soak.
pub struct Options {
    /// How many messages are said, by both together.
    pub messages: u64,
    /// What is drawn follows from it.
    pub seed: u64,
    /// Nothing new is said after this.
    pub limit: Option<Duration>,
    /// Where everything lies; its path is short, because a socket's path has at most 107 bytes.
    pub folder: PathBuf,
    /// Gives up the start of the network.
    pub cancel: Arc<AtomicBool>,
}

/// How far a run is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    /// Since the run began.
    pub elapsed: Duration,
    /// Messages that their senders were told are queued.
    pub said: u64,
    /// Those that they were told are delivered.
    pub delivered: u64,
    /// Programs killed.
    pub killed: u64,
    /// What was done last.
    pub last: String,
}

/// What came of a run.
pub struct Outcome {
    /// What happened, counted.
    pub tally: soak::Tally,
    /// What was wrong, a line each.
    pub findings: Vec<String>,
    /// Messages still under way when the run was interrupted; they are not counted.
    pub under_way: u64,
    /// How long they talked.
    pub took: Duration,
    /// Resident memory of the larger core at the end, in bytes; while a profile is unlocked a core
    /// takes the 256 MiB of Argon2id besides.
    pub core_memory: u64,
    /// How many of [`CONTROLS`] planted differences were found; 0 if too little was seen to plant them.
    pub caught: usize,
}

/// Runs it. `progress` is told of each stage of the start, then each second.
///
/// After [`interrupt`](crate::interrupt) the run ends, and what was done until then is judged.
/// Nothing is left running.
///
/// # Errors
/// If something cannot be started, or a program refuses for fifteen minutes what it must do.
pub fn run(options: &Options, mut progress: impl FnMut(&Progress)) -> Result<Outcome> {
    let begun = Instant::now();
    let mut say = |last: &str| {
        let (elapsed, last) = (begun.elapsed(), last.to_owned());
        progress(&Progress { elapsed, last, ..Progress::default() });
    };
    let cancel = Arc::clone(&options.cancel);
    // A network of its own: its relays are killed.
    let mut network =
        Tornet::start_with(&tornet::Options { cancel, ..Default::default() }, &mut say)?;
    let net = network.net_json().to_owned();
    let mut mailbox = Mailbox::start(&options.folder.join("mailbox"), &net, PAGE_INTERVAL)?;
    say("a mailbox behind an onion service, and two people");
    let people = ["alice", "bob"].map(|name| arrive(&options.folder, name, &mailbox, &net));
    let [alice, bob] = people;
    let people = [alice?, bob?];
    mailbox.wait_published()?;
    people[0].pair(&people[1])?;
    say("they talk");
    let mut run = Run {
        options,
        people: &people,
        mailbox: &mut mailbox,
        network: &mut network,
        shared: Shared::new(options.messages),
        faults: Faults::new(options.seed),
        last: String::new(),
        begun,
        start: Instant::now(),
    };
    let records = run.talk(&mut progress)?;
    Ok(run.outcome(&records))
}

fn arrive(folder: &Path, name: &str, mailbox: &Mailbox, net: &Path) -> Result<Person> {
    let person = Person::arrive(&folder.join(name), name)?;
    person.init("fast", mailbox.onion(), net)?;
    Ok(person)
}

struct Run<'a> {
    options: &'a Options,
    people: &'a [Person; 2],
    mailbox: &'a mut Mailbox,
    network: &'a mut Tornet,
    shared: Shared,
    faults: Faults,
    last: String,
    begun: Instant,
    start: Instant,
}

impl Run<'_> {
    /// Both talk, each on a thread of their own, while their programs are killed on this one.
    fn talk(&mut self, progress: &mut impl FnMut(&Progress)) -> Result<[Record; 2]> {
        let shared = self.shared.clone();
        let people = self.people;
        std::thread::scope(|scope| {
            let threads = [(0, "bob"), (1, "alice")].map(|(own, peer)| {
                let talker = Talker::new(&people[own], peer, own, &shared, self.options.seed);
                scope.spawn(move || talker.talk())
            });
            let watched = self.watch(&shared, progress);
            shared.end();
            let [alice, bob] = threads.map(|thread| {
                thread.join().ok().context("a person's thread fell over").and_then(|record| record)
            });
            watched?;
            Ok([alice?, bob?])
        })
    }

    /// Kills programs until everything is delivered, or nothing is delivered any more.
    fn watch(&mut self, shared: &Shared, progress: &mut impl FnMut(&Progress)) -> Result<()> {
        let (mut delivered, mut moved) = (0, Instant::now());
        let mut told = Instant::now();
        while !interrupted() && !shared.finished() && !shared.failed() {
            std::thread::sleep(TICK);
            if self.options.limit.is_some_and(|limit| self.start.elapsed() >= limit) {
                shared.close();
            }
            if shared.delivered() > delivered {
                (delivered, moved) = (shared.delivered(), Instant::now());
            }
            if moved.elapsed() > PATIENCE {
                break;
            }
            if let Some(done) =
                self.faults.turn(delivered, self.people, self.mailbox, self.network)?
            {
                self.last = done;
            }
            if told.elapsed() >= Duration::from_secs(1) {
                told = Instant::now();
                progress(&Progress {
                    elapsed: self.begun.elapsed(),
                    said: shared.said(),
                    delivered: shared.delivered(),
                    killed: self.faults.tally.faults,
                    last: self.last.clone(),
                });
            }
        }
        Ok(())
    }

    fn outcome(self, records: &[Record; 2]) -> Outcome {
        let mut tally = self.faults.tally;
        tally.seeds = 1;
        tally.count("calls cut off or refused", self.shared.refused());
        let (mut findings, mut under_way, mut caught) = (Vec::new(), 0, usize::MAX);
        let [alice, bob] = records;
        let [a, b] = self.people;
        for (from, to, who) in [(alice, bob, a), (bob, alice, b)] {
            let judged = record::judge(from, to, interrupted());
            tally.add(&judged.tally);
            findings.extend(judged.findings.iter().map(|what| format!("{}: {what}", who.name)));
            under_way += judged.under_way;
            caught = caught.min(judged.caught);
        }
        let took = self.start.elapsed();
        let cores = self.people.iter().flat_map(|person| person.children("pvtcomsd"));
        let core_memory = cores.map(resident_bytes).max().unwrap_or(0);
        Outcome { tally, findings, under_way, took, core_memory, caught }
    }
}
