//! One life: a plan carried out, and at its end the question what everybody saw.

use crate::client::SaveFault;
use crate::faults::Faults;
use crate::mailbox::MailboxCrash;
use crate::model::{Finding, Model};
use crate::plan::{Act, Fault, Plan};
use crate::sabotage::Sabotage;
use crate::world::{DAY, HOUR, MINUTE, SECOND, World};
use crypto::Zeroizing;
use engine::changes::Table;
use engine::{Command, Reply};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use soak::Tally;
use std::collections::BTreeMap;

/// Who could not do something, because the program was off, tries again after this.
const LATER: u64 = 10 * MINUTE;
/// How long it may take until everything has arrived, once nothing goes wrong any more. A message is
/// pursued at intervals of up to 32 h.
const PATIENCE: u64 = 6 * DAY;
/// What comes a second time comes soon.
const AFTERMATH: u64 = 3 * HOUR;

/// What is undone when a fault is over.
enum Over {
    Return(usize),
    Clock(usize),
    Mailbox(usize),
    Unblock(usize, usize),
    Act(Act),
}

struct Life {
    world: World,
    plan: Plan,
    agenda: BTreeMap<(u64, usize), Over>,
    next: usize,
    gone: Vec<bool>,
    dice: ChaCha20Rng,
    tally: Tally,
}

/// Lives a plan and gives what happened in it, and what was wrong.
#[must_use]
pub fn live(plan: &Plan, sabotage: Option<Sabotage>) -> (Tally, Vec<Finding>) {
    let mut life = Life::begin(plan.clone(), sabotage);
    life.go();
    life.end()
}

impl Life {
    /// Everybody is paired before anything goes wrong; crashes in a pairing are enumerated elsewhere.
    fn begin(plan: Plan, sabotage: Option<Sabotage>) -> Self {
        let mut world = World::new(plan.seed);
        world.record = false;
        for _ in 0..plan.mailboxes {
            let at = world.add_mailbox();
            world.mailboxes[at].keep_all = false;
            world.mailboxes[at].settings.interval_s = plan.interval_s;
        }
        for (at, (mode, homes)) in plan.modes.iter().zip(&plan.homes).enumerate() {
            world.add_client(&at.to_string(), *mode);
            for home in homes {
                world.use_mailbox(at, *home);
            }
        }
        for (a, b) in &plan.pairs {
            world.pair(*a, *b);
            world.verify(*a, *b);
        }
        for client in &mut world.clients {
            if let Some(sabotage) = sabotage {
                client.disk.sabotage(sabotage);
            }
        }
        let model = Model::of(&world, &plan.pairs);
        world.model = Some(model);
        world.tor = plan.tor;
        for mailbox in &mut world.mailboxes {
            mailbox.faults = plan.rates;
        }
        (world.gate.late, world.gate.doubled) = plan.answers;
        let start = world.now;
        let mut life = Self {
            world,
            agenda: BTreeMap::new(),
            next: 0,
            gone: vec![false; plan.mailboxes],
            dice: ChaCha20Rng::seed_from_u64(plan.seed ^ 0x11fe),
            tally: Tally::default(),
            plan,
        };
        for (at, act) in life.plan.acts.clone() {
            life.note(start + at, Over::Act(act));
        }
        life
    }

    fn note(&mut self, at: u64, what: Over) {
        self.agenda.insert((at, self.next), what);
        self.next += 1;
    }

    fn model(&mut self) -> &mut Model {
        self.world.model.as_mut().unwrap()
    }

    fn go(&mut self) {
        while let Some(((at, _), what)) = self.agenda.pop_first() {
            self.world.run_to(at);
            match what {
                Over::Return(client) => self.back(client),
                Over::Clock(client) => self.world.clients[client].skew_ms = 0,
                Over::Mailbox(mailbox) => {
                    let dead = self.gone[mailbox];
                    self.world.mailboxes[mailbox].faults = Faults { dead, ..self.plan.rates };
                }
                Over::Unblock(by, whom) => self.block(by, whom, false),
                Over::Act(act) => self.act(act),
            }
        }
    }

    fn back(&mut self, client: usize) {
        if self.world.clients[client].engine.is_none() {
            self.world.switch_on(client);
        }
    }

    fn is_off(&self, client: usize) -> bool {
        self.world.clients[client].engine.is_none()
    }

    fn act(&mut self, act: Act) {
        let later = self.world.now + LATER;
        match act {
            Act::Say(from, to, len) => {
                if !self.say(from, to, len) {
                    self.note(later, Over::Act(act));
                }
            }
            Act::Recall(from, to) => self.recall(from, to),
            Act::Read(client, interrupted) => {
                self.world.clients[client].read_all(interrupted);
            }
            Act::Block(by, whom, span) => {
                if !self.is_off(by) {
                    self.block(by, whom, true);
                    self.note(self.world.now + span, Over::Unblock(by, whom));
                }
            }
            Act::Fault(fault) => self.strike(fault),
        }
    }

    /// Says something; whether it was said shows on the sender's own disk.
    fn say(&mut self, from: usize, to: usize, len: usize) -> bool {
        if self.is_off(from) {
            return false;
        }
        let contact = self.world.peer(from, to);
        let number = self.model().count(from, to);
        let mut text = format!("{from}>{to} {number} {:08x} ", self.dice.next_u32());
        text.extend((0..len).map(|at| char::from(b'a' + u8::try_from(at % 26).unwrap())));
        let wish = Command::Send { contact, text: Zeroizing::new(text.clone()) };
        // A refusal can be that of a blocked contact: it is said again later.
        let _ = self.world.command(from, wish);
        let now = self.world.now;
        let World { model, clients, .. } = &mut self.world;
        let saved = clients[from].disk.messages.iter().rev().find(|m| m.text == text);
        if let (Some(model), Some(message)) = (model, saved) {
            model.said(now, from, to, message);
        }
        saved.is_some()
    }

    /// Takes back what was said last, if it has not left; whether it was taken back shows on the
    /// sender's own disk.
    fn recall(&mut self, from: usize, to: usize) {
        let last = self.model().last(from, to);
        if let Some((contact, message)) = last.filter(|_| !self.is_off(from)) {
            let _ = self.world.command(from, Command::Recall { contact, message });
        }
    }

    fn block(&mut self, by: usize, whom: usize, blocked: bool) {
        let again = self.world.now + LATER;
        let contact = self.world.peer_on_disk(by, whom);
        let done = match contact.filter(|_| !self.is_off(by)) {
            Some(contact) => {
                let unsaved = self.world.clients[by].unsaved;
                let done = self.world.command(by, Command::Block { contact, blocked });
                done == Ok(Reply::Done) && self.world.clients[by].unsaved == unsaved
            }
            None => false,
        };
        self.tally.count("blocked", u64::from(blocked && done));
        if !blocked && !done {
            self.note(again, Over::Unblock(by, whom));
        }
    }

    fn strike(&mut self, fault: Fault) {
        self.tally.count(fault.name(), 1);
        self.tally.faults += 1;
        let now = self.world.now;
        match fault {
            Fault::Save(client, how) => self.world.clients[client].faults.push_back(how),
            Fault::FullDisk(client, times) => {
                let full = SaveFault::DiskFull { off: SECOND };
                self.world.clients[client].faults.extend(vec![full; times]);
            }
            Fault::Gate(client, span) => self.world.kill_gate(client, span),
            Fault::Absent(client, span) => self.leave(client, now + span),
            Fault::AllAbsent(span) => {
                for client in 0..self.world.clients.len() {
                    self.leave(client, now + span);
                }
            }
            Fault::Clock(client, days, span) => {
                self.world.clients[client].skew_ms = days * 86_400_000;
                self.note(now + span, Over::Clock(client));
            }
            Fault::MailboxKilled(mailbox, written) => {
                let mailbox = &mut self.world.mailboxes[mailbox];
                let next = mailbox.writes + 1;
                mailbox.crash = Some(if written {
                    MailboxCrash::After(next)
                } else {
                    MailboxCrash::Before(next)
                });
            }
            Fault::Unreachable(mailbox, span) => self.spoil(mailbox, span, |f| f.dead = true),
            Fault::Withholds(mailbox, span) => {
                self.spoil(mailbox, span, |f| f.garbage_fetch = 1000)
            }
            Fault::Garbage(mailbox, span) => self.spoil(mailbox, span, |f| f.flip = 1000),
            Fault::Drops(mailbox, span) => self.spoil(mailbox, span, |f| f.drop_put = 1000),
            Fault::Equivocates(mailbox, client) => {
                self.world.mailboxes[mailbox].lies_to.insert(client);
            }
            Fault::RolledBack(mailbox, span) => self.world.roll_back(mailbox, span),
            Fault::Gone(mailbox) => self.lose_mailbox(mailbox),
        }
    }

    fn leave(&mut self, client: usize, until: u64) {
        self.world.switch_off(client);
        self.note(until, Over::Return(client));
    }

    fn spoil(&mut self, mailbox: usize, span: u64, how: impl FnOnce(&mut Faults)) {
        how(&mut self.world.mailboxes[mailbox].faults);
        self.note(self.world.now + span, Over::Mailbox(mailbox));
    }

    /// A mailbox is gone. Who has no other one, or has left it, adds the spare one and leaves the old
    /// one.
    fn lose_mailbox(&mut self, mailbox: usize) {
        self.gone[mailbox] = true;
        self.world.mailboxes[mailbox].faults.dead = true;
        for client in 0..self.world.clients.len() {
            if !self.plan.homes[client].contains(&mailbox) || self.has_another(client) {
                continue;
            }
            self.back(client);
            self.world.clients[client].faults.clear();
            self.plan.homes[client] = vec![self.plan.mailboxes - 1];
            self.world.use_mailbox(client, self.plan.mailboxes - 1);
            let old = self.world.mailboxes[mailbox].key;
            self.world.insist(client, || Command::RemoveMailbox(old));
        }
    }

    /// Whether a client has two mailboxes and has left neither of them, as its disk says: the row of
    /// one that was left says until when it is read.
    fn has_another(&self, client: usize) -> bool {
        let rows = self.world.clients[client].disk.values(Table::Mailbox);
        rows.len() == 2 && rows.iter().all(|(_, until)| until.is_empty())
    }

    /// Everything is well again, and everybody is there: now all must come.
    fn end(mut self) -> (Tally, Vec<Finding>) {
        (self.world.gate.late, self.world.gate.doubled) = (0, 0);
        for (at, mailbox) in self.world.mailboxes.iter_mut().enumerate() {
            mailbox.faults = Faults { dead: self.gone[at], ..Faults::default() };
            mailbox.lies_to.clear();
            mailbox.crash = None;
        }
        for client in 0..self.world.clients.len() {
            self.world.clients[client].faults.clear();
            self.world.clients[client].skew_ms = 0;
            self.back(client);
        }
        let waits = |world: &World| world.model.as_ref().unwrap().waits(&world.clients);
        let _ = self.world.run_until(PATIENCE, |world| !waits(world));
        self.world.run(AFTERMATH);
        for client in &mut self.world.clients {
            client.read_all(false);
        }
        let model = self.world.model.as_ref().unwrap();
        let mut findings = model.judge(&self.world.clients);
        if self.world.gate.reused > 0 {
            findings.push(Finding::SharedCircuit(self.world.gate.reused));
        }
        let mut tally = self.tally;
        tally.messages = model.messages();
        let (taken_back, given_up) = model.withdrawn();
        tally.count("taken back", taken_back);
        tally.count("given up", given_up);
        tally.seeds = 1;
        tally.count("days of virtual time", self.world.now / DAY);
        for mailbox in &self.world.mailboxes {
            tally.faults += mailbox.dice.struck;
            tally.count("single answers spoilt", mailbox.dice.struck);
        }
        tally.faults += self.world.gate.strayed;
        tally.count("answers late or twice", self.world.gate.strayed);
        for finding in &findings {
            finding.count(&mut tally);
        }
        (tally, findings)
    }
}
