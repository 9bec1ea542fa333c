//! A soak of the real programs: people talk in pairs over real Tor while their programs are killed.
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
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use record::Record;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};
use talker::{Shared, Talker};
use tornet::Tornet;

pub use ::soak::Tally;
pub use record::CONTROLS;

/// So long without any message being delivered, and the run ends: what is under way is lost.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Pages of the mailbox, in seconds: the quickest that it permits.
const PAGE_INTERVAL: u16 = 1;
/// How often the programs are looked at.
const TICK: Duration = Duration::from_millis(100);

/// What to soak.
pub struct Options {
    /// How many messages are said, by all together.
    pub messages: u64,
    /// How many pairs of people talk, at least one.
    pub pairs: u64,
    /// What is drawn follows from it.
    pub seed: u64,
    /// Messages that are delivered from one kill to the next, on average.
    pub kill_every: u64,
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
    say("a mailbox behind an onion service, and profiles");
    let pairs = 0..options.pairs.max(1);
    let people = pairs.map(|pair| arrive(&options.folder, pair, &mailbox, &net));
    let people = people.collect::<Result<Vec<_>>>()?;
    mailbox.wait_published()?;
    pair(&people, &mut say)?;
    say("they talk");
    let mut run = Run {
        options,
        people: &people,
        mailbox: &mut mailbox,
        network: &mut network,
        shared: shares(options.messages, people.len()),
        faults: Faults::new(options.seed, options.kill_every),
        last: String::new(),
        begun,
        start: Instant::now(),
    };
    let records = run.talk(&mut progress)?;
    Ok(run.outcome(&records))
}

/// Two people, each with a profile.
fn arrive(folder: &Path, pair: u64, mailbox: &Mailbox, net: &Path) -> Result<[Person; 2]> {
    let person = |name: &str| {
        let name = format!("{name}{pair}");
        let person = Person::arrive(&folder.join(&name), &name)?;
        person.init("fast", mailbox.onion(), net)?;
        Ok::<_, anyhow::Error>(person)
    };
    Ok([person("alice")?, person("bob")?])
}

/// All pairs at once: half a minute, in which each of them mostly waits for its slots.
fn pair(people: &[[Person; 2]], say: &mut impl FnMut(&str)) -> Result<()> {
    say(&format!("pairing {} pairs", people.len()));
    std::thread::scope(|scope| {
        let threads = people.iter().map(|[alice, bob]| scope.spawn(move || alice.pair(bob)));
        // All of them, before the first is waited for.
        let threads: Vec<_> = threads.collect();
        threads.into_iter().enumerate().try_for_each(|(k, thread)| {
            thread.join().ok().context("a thread that pairs fell over").flatten()?;
            say(&format!("paired {}", k + 1));
            Ok(())
        })
    })
}

/// What each pair has to say, together `messages`.
fn shares(messages: u64, pairs: usize) -> Vec<Shared> {
    let (pairs, end) = (u64::try_from(pairs).unwrap_or(1), |k: u64| k * messages);
    (0..pairs).map(|k| Shared::new(end(k + 1) / pairs - end(k) / pairs)).collect()
}

/// What came of the threads of a pair.
fn both<T>(threads: [ScopedJoinHandle<'_, Result<T>>; 2]) -> Result<[T; 2]> {
    let fell = "a person's thread fell over";
    let [alice, bob] = threads.map(|thread| thread.join().ok().context(fell).flatten());
    Ok([alice?, bob?])
}

struct Run<'a> {
    options: &'a Options,
    people: &'a [[Person; 2]],
    mailbox: &'a mut Mailbox,
    network: &'a mut Tornet,
    /// Of each pair.
    shared: Vec<Shared>,
    faults: Faults,
    last: String,
    begun: Instant,
    start: Instant,
}

impl<'a> Run<'a> {
    /// All talk, each on a thread of their own, while their programs are killed on this one.
    fn talk(&mut self, progress: &mut impl FnMut(&Progress)) -> Result<Vec<[Record; 2]>> {
        let (shared, people) = (self.shared.clone(), self.people);
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (pair, (people, shared)) in (0..).zip(people.iter().zip(&shared)) {
                threads.push([0, 1].map(|own| {
                    let mut dice = ChaCha20Rng::seed_from_u64(self.options.seed);
                    dice.set_stream(1 + 2 * pair + own);
                    let talker = Talker::new(people, own == 1, shared, dice);
                    scope.spawn(move || talker.talk())
                }));
            }
            let watched = self.watch(progress);
            shared.iter().for_each(Shared::end);
            let talkers = threads.into_iter().map(both).collect::<Result<Vec<_>>>();
            watched?;
            // Read when all have ended, or one's newest would be compared with what the other saw before.
            let read = |talker: Talker<'a>| scope.spawn(move || talker.read());
            let threads: Vec<_> = talkers?.into_iter().map(|pair| pair.map(read)).collect();
            threads.into_iter().map(both).collect()
        })
    }

    /// Kills programs until everything is delivered, or one pair hears nothing any more.
    fn watch(&mut self, progress: &mut impl FnMut(&Progress)) -> Result<()> {
        let shared = self.shared.clone();
        let mut moved = vec![(0, Instant::now()); shared.len()];
        let mut told = Instant::now();
        let sum = |count: fn(&Shared) -> u64| shared.iter().map(count).sum::<u64>();
        while !interrupted() && !shared.iter().all(Shared::finished) {
            if shared.iter().any(Shared::failed) {
                break;
            }
            std::thread::sleep(TICK);
            if self.options.limit.is_some_and(|limit| self.start.elapsed() >= limit) {
                shared.iter().for_each(Shared::close);
            }
            for (pair, moved) in shared.iter().zip(&mut moved) {
                if pair.delivered() > moved.0 || pair.finished() {
                    *moved = (pair.delivered(), Instant::now());
                }
            }
            if moved.iter().any(|(_, at)| at.elapsed() > PATIENCE) {
                break;
            }
            let delivered = sum(Shared::delivered);
            if let Some(done) =
                self.faults.turn(delivered, self.people, self.mailbox, self.network)?
            {
                self.last = done;
            }
            if told.elapsed() >= Duration::from_secs(1) {
                told = Instant::now();
                progress(&Progress {
                    elapsed: self.begun.elapsed(),
                    said: sum(Shared::said),
                    delivered,
                    killed: self.faults.tally.faults,
                    last: self.last.clone(),
                });
            }
        }
        Ok(())
    }

    fn outcome(self, records: &[[Record; 2]]) -> Outcome {
        let mut tally = self.faults.tally;
        tally.seeds = 1;
        tally.count("calls cut off or refused", self.shared.iter().map(Shared::refused).sum());
        let (mut findings, mut under_way, mut caught) = (Vec::new(), 0, usize::MAX);
        let directions = records
            .iter()
            .zip(self.people)
            .flat_map(|([alice, bob], [a, b])| [(alice, bob, a), (bob, alice, b)]);
        for (from, to, who) in directions {
            let judged = record::judge(from, to, interrupted());
            tally.add(&judged.tally);
            findings.extend(judged.findings.iter().map(|what| format!("{}: {what}", who.name)));
            under_way += judged.under_way;
            caught = caught.min(judged.caught);
        }
        let took = self.start.elapsed();
        let people = self.people.as_flattened().iter();
        let cores = people.flat_map(|person| person.children("pvtcomsd"));
        let core_memory = cores.map(resident_bytes).max().unwrap_or(0);
        Outcome { tally, findings, under_way, took, core_memory, caught }
    }
}
