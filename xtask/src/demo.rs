//! `cargo xtask demo`: two people talk, over a private network of real `tor` processes.
//!
//! It starts the programs that people use and speaks to them by the command line. Whatever it
//! starts ends with it, also on Ctrl-C.
#![expect(clippy::arithmetic_side_effects, reason = "counts for one screen")]

mod columns;

use crate::programs;
use crate::project::Project;
use anyhow::{Context as _, Result, bail};
use e2e::{Follower, Mailbox, Person, wait_until};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tornet::Tornet;

/// Seconds between the pages of the demo's mailbox.
const PAGE_INTERVAL: u16 = 1;
/// Bytes of the long text.
const LONG_TEXT: usize = 100 * 1024;
/// How long a message may take before the demo has failed.
const PATIENCE: Duration = Duration::from_secs(300);

/// What is said before the mailbox dies, and whether Alice says it. Bob was invited, so he can speak
/// at once; Alice's first message would wait for his device's greeting (RAT-4).
const BEFORE: [(bool, &str); 4] = [
    (false, "Hello Alice. Nobody between us can read this, today or later."),
    (true, "Hello Bob. And the mailbox cannot tell that we know each other."),
    (false, "Are the documents ready? I check the hash."),
    (true, "They are. Here they come."),
];
/// What is said after the mailbox is back.
const AFTER: [(bool, &str); 2] =
    [(false, "They arrived, byte for byte."), (true, "Good. The mailbox was killed meanwhile.")];

/// A message that was sent.
struct Sent {
    from_alice: bool,
    id: String,
    text: String,
}

/// Runs the demo; with `keep` leaves everything running until Ctrl-C.
pub(crate) fn run(project: &Project, keep: bool) -> Result<()> {
    let cancel = programs::ready(project)?;
    let folder = fresh_folder()?;
    let mut stage = Stage::set(&folder, project.root().join("LICENSE"), cancel)?;
    let outcome = stage.play();
    if let Err(error) = &outcome {
        eprintln!("the demo stopped: {error:#}");
        eprintln!("logs: {}", folder.display());
    }
    if keep && outcome.is_ok() {
        stage.keep()?;
    }
    drop(stage);
    if outcome.is_ok() {
        std::fs::remove_dir_all(&folder).context("the demo's folder stays")?;
    }
    outcome
}

/// `TARGET/demo/PID`, private and empty.
fn fresh_folder() -> Result<PathBuf> {
    let programs = e2e::programs()?;
    let target = programs.parent().context("the programs lie in no folder")?;
    let folder = target.join("demo").join(std::process::id().to_string());
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(folder)
}

struct Stage {
    start: Instant,
    alice: Person,
    bob: Person,
    to_alice: Follower,
    to_bob: Follower,
    mailbox: Mailbox,
    folder: PathBuf,
    /// A real text that is longer than an envelope.
    long: PathBuf,
    network: Tornet,
}

impl Stage {
    /// Network, mailbox, two paired people.
    fn set(folder: &Path, long: PathBuf, cancel: Arc<AtomicBool>) -> Result<Self> {
        let start = Instant::now();
        let say = |line: &str| println!("{:>5.1} s  {line}", start.elapsed().as_secs_f32());
        let options = tornet::Options { cancel, ..Default::default() };
        let network = Tornet::start_with(&options, say)?;
        let net = network.net_json();
        say("a mailbox behind an onion service, pages every second");
        let mailbox = Mailbox::start(&folder.join("mailbox"), net, PAGE_INTERVAL)?;
        say("two people: profile, identity, database, Tor");
        let alice = Person::arrive(&folder.join("alice"), "alice")?;
        let bob = Person::arrive(&folder.join("bob"), "bob")?;
        for person in [&alice, &bob] {
            person.init("fast", mailbox.onion(), net)?;
        }
        mailbox.wait_published()?;
        say(&format!("the mailbox is {}", mailbox.onion()));
        say("Alice makes an invite and hands it to Bob");
        let uri = alice.must(&["invite", "new", "--uri", "--name", "bob"])?.out;
        say("Bob accepts it; the handshake goes through the mailbox");
        bob.must_with(&["accept", "-", "--name", "alice"], &uri)?;
        alice.wait_contact("bob")?;
        bob.wait_contact("alice")?;
        let unverified = alice.run(&["send", "bob", "too early"])?;
        if unverified.code != 4 {
            bail!("a message to an unverified contact ended with {}, not 4", unverified.code);
        }
        say("nothing is sent before the words are compared");
        let words = (alice.reads_aloud("bob")?, bob.reads_aloud("alice")?);
        say(&format!("Alice reads aloud: {} · Bob: {}", words.0.join(" "), words.1.join(" ")));
        alice.verify(&bob)?;
        bob.verify(&alice)?;
        say("both typed what they heard: verified");
        let (to_alice, to_bob) = (alice.follow()?, bob.follow()?);
        let folder = folder.to_owned();
        Ok(Self { start, alice, bob, to_alice, to_bob, mailbox, folder, long, network })
    }

    fn say(&self, line: &str) {
        println!("{:>5.1} s  {line}", self.start.elapsed().as_secs_f32());
    }

    fn play(&mut self) -> Result<()> {
        let mut sent = Vec::new();
        for (from_alice, text) in BEFORE {
            sent.push(self.send(from_alice, text)?);
            self.wait_delivered(&sent, "")?;
            if sent.len() == 1 {
                let seconds = self.start.elapsed().as_secs_f32();
                println!("demo: first_message_seconds={seconds:.1}");
            }
        }
        let long = self.long_text()?;
        self.say(&format!("Alice sends a text of {} bytes", long.len()));
        sent.push(self.send(true, &long)?);
        wait_until("the first part at the mailbox", PATIENCE, || {
            Ok((self.puts_seen()? > 24).then_some(()))
        })?;
        self.mailbox.kill_9();
        self.say("kill -9 of the mailbox, half-way");
        std::thread::sleep(Duration::from_secs(2));
        self.mailbox.restart()?;
        self.say("the mailbox is started again; the rest goes on by itself");
        self.wait_delivered(&sent, "the long text")?;
        for (from_alice, text) in AFTER {
            sent.push(self.send(from_alice, text)?);
            self.wait_delivered(&sent, "")?;
        }
        self.report(&sent)
    }

    fn send(&self, from_alice: bool, text: &str) -> Result<Sent> {
        let (from, to) = if from_alice { (&self.alice, "bob") } else { (&self.bob, "alice") };
        let answer = from.must_with(&["--json", "send", to, "-"], text)?.json()?;
        let id = answer.first().and_then(|a| a["message"].as_str()).context("no message id")?;
        if text.len() < 100 {
            self.say(&format!("{} → {to}: {text}", from.name));
        }
        Ok(Sent { from_alice, id: id.to_owned(), text: text.to_owned() })
    }

    /// Waits until the newest message is delivered; tells how far it is.
    fn wait_delivered(&self, sent: &[Sent], what: &str) -> Result<()> {
        let newest = sent.last().context("nothing was sent")?;
        let (from, to) =
            if newest.from_alice { (&self.alice, "bob") } else { (&self.bob, "alice") };
        let mut told = Instant::now();
        wait_until("a receipt", PATIENCE, || {
            let state = from.state_of(to, &newest.id)?;
            if !what.is_empty() && told.elapsed() > Duration::from_secs(3) {
                told = Instant::now();
                self.say(&format!(
                    "… {what}: {state}, {} deposits seen by the mailbox",
                    self.puts_seen()?
                ));
            }
            Ok((state == "delivered").then_some(()))
        })
    }

    /// A real text, read from disk.
    fn long_text(&self) -> Result<String> {
        let licence = std::fs::read_to_string(&self.long)?;
        let path = self.folder.join("long.txt");
        std::fs::write(&path, licence.repeat(4).chars().take(LONG_TEXT).collect::<String>())?;
        std::fs::read_to_string(&path).context("the long text cannot be read back")
    }

    fn observations(&self) -> Result<Vec<Value>> {
        let text = std::fs::read_to_string(self.mailbox.observations())?;
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    fn puts_seen(&self) -> Result<usize> {
        Ok(self.observations()?.iter().filter(|line| columns::is_put(line)).count())
    }

    /// Compares what was sent with what each side has, and prints the three columns.
    fn report(&self, sent: &[Sent]) -> Result<()> {
        let got = (self.alice.received_from("bob")?, self.bob.received_from("alice")?);
        let (mut delivered, mut duplicated) = (0_usize, 0_usize);
        for message in sent {
            let there = if message.from_alice { &got.1 } else { &got.0 };
            let copies = there.iter().filter(|text| **text == message.text).count();
            delivered += usize::from(copies >= 1);
            duplicated += copies.saturating_sub(1);
        }
        let extra = (got.0.len() + got.1.len()).saturating_sub(delivered + duplicated);
        let orders = in_order(sent, true, &got.1) && in_order(sent, false, &got.0);
        println!();
        columns::print(&self.to_alice.seen(), &self.to_bob.seen(), &self.observations()?);
        self.memory();
        let seconds = self.start.elapsed().as_secs();
        println!(
            "demo: sent={} delivered={delivered} duplicated={duplicated} seconds={seconds}",
            sent.len()
        );
        if delivered != sent.len() || duplicated != 0 || extra != 0 || !orders {
            bail!("not every message arrived exactly once and in order");
        }
        Ok(())
    }

    /// Resident memory of the programs at the end of the conversation.
    fn memory(&self) {
        let megabytes = |pids: Vec<u32>| {
            let tenths = pids.into_iter().map(e2e::resident_bytes).max().unwrap_or(0) / 100_000;
            format!("{}.{} MB", tenths / 10, tenths % 10)
        };
        println!(
            "memory: pvtcomsd={} pvtcoms-tor={} pvtcoms-mailbox={}",
            megabytes(self.alice.children("pvtcomsd")),
            megabytes(self.alice.children("pvtcoms-tor")),
            megabytes(self.mailbox.process_ids().into_iter().take(1).collect()),
        );
    }

    /// Leaves everything running and says how to go on by hand.
    fn keep(&self) -> Result<()> {
        let program = e2e::programs()?.join("pvtcoms");
        println!("\nEverything keeps running until Ctrl-C. In two other terminals:\n");
        for (person, other) in [(&self.alice, "bob"), (&self.bob, "alice")] {
            println!(
                "  {} {} --profile {} chat {other}\n",
                person.environment(),
                program.display(),
                person.name
            );
        }
        println!("The network file is {}", self.network.net_json().display());
        while !e2e::interrupted() {
            std::thread::sleep(Duration::from_millis(200));
        }
        println!("ending everything");
        Ok(())
    }
}

/// Whether one side's messages were shown in the order in which they were sent.
fn in_order(sent: &[Sent], from_alice: bool, got: &[String]) -> bool {
    let wanted = sent.iter().filter(|m| m.from_alice == from_alice).map(|m| &m.text);
    wanted.eq(got.iter())
}
