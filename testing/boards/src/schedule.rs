//! What a client's schedule costs: a day of a real engine in `steady`, and its proofs of work.

use crate::whole::nonce;
use anyhow::{Context as _, Result, ensure};
use board::envelope::dummy;
use board::pow::{EquixWork, solve_with};
use engine::changes::Changes;
use engine::{Command, Mode};
use mailbox::seal::os_rng;
use simnet::{DAY, Kind, Watcher, World, thread_cpu};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

const ALICE: usize = 0;
/// Whom she has met. All are in `steady`, with one mailbox for all.
const CONTACTS: usize = 10;
/// What she and each of them say to each other in the day.
const MESSAGES: usize = 2;
/// Solutions of which the mean is taken: the time of one varies.
const SOLUTIONS: u32 = 50;

/// A day of Alice's.
pub(crate) struct Day {
    /// Processor time of her engine.
    engine: Duration,
    /// Her deposits.
    puts: u32,
    /// Processor time of one proof of work at effort 1.
    solving: Duration,
}

impl Day {
    /// Lives it, in the simulator.
    pub(crate) fn live() -> Result<Self> {
        let mut world = town();
        let spent = Rc::new(Cell::new(Duration::ZERO));
        world.clients.get_mut(ALICE).context("nobody")?.watcher =
            Some(Box::new(Meter(Rc::clone(&spent))));
        for peer in 1..=CONTACTS {
            for _ in 0..MESSAGES {
                world.send(ALICE, peer, "How was your day?");
                world.send(peer, ALICE, "Nothing happened.");
            }
        }
        world.transcript.clear();
        world.record = true;
        world.run(DAY);
        let hers = world.transcript.iter().filter(|record| record.client == ALICE);
        let puts = hers.filter(|record| matches!(record.kind, Kind::Put(_))).count();
        Ok(Self { engine: spent.get(), puts: u32::try_from(puts)?, solving: solving()? })
    }

    /// Per cent of one core, on average over the day.
    pub(crate) fn percent(&self) -> f64 {
        percent(self.engine + self.solving * self.puts)
    }

    /// Says what it is made of.
    pub(crate) fn tell(&self) {
        let Self { engine, puts, solving } = self;
        println!(
            "schedule: engine={:.1}s puts={puts} solving={:.1}ms core={:.3}%",
            engine.as_secs_f64(),
            solving.as_secs_f64() * 1e3,
            self.percent()
        );
    }
}

fn percent(spent: Duration) -> f64 {
    spent.as_secs_f64() * 100.0 / (24.0 * 3600.0)
}

/// They meet in `fast`, which is over sooner.
fn town() -> World {
    let mut world = World::new(1);
    world.record = false;
    world.tor = true;
    let mailbox = world.add_mailbox();
    for client in 0..=CONTACTS {
        world.add_client(&client.to_string(), Mode::Fast);
        world.use_mailbox(client, mailbox);
        if client > ALICE {
            world.pair(ALICE, client);
            world.verify(ALICE, client);
        }
    }
    for client in 0..=CONTACTS {
        world.insist(client, || Command::SetMode(Mode::Steady));
    }
    world
}

/// Adds up what the engine's part of each step takes.
struct Meter(Rc<Cell<Duration>>);

impl Watcher for Meter {
    fn think(&mut self, work: &mut dyn FnMut()) {
        let before = thread_cpu();
        work();
        self.0.set(self.0.get() + thread_cpu().saturating_sub(before));
    }

    fn save(&mut self, _: &Changes) {}
}

/// Processor time of one proof of work at effort 1, as the core's worker makes it.
fn solving() -> Result<Duration> {
    let mut work = EquixWork::compiled();
    let before = thread_cpu();
    for _ in 0..SOLUTIONS {
        let envelope = dummy(&mut os_rng());
        let solved = solve_with(&mut work, &[1; 32], &[2; 32], &envelope, 1, nonce);
        ensure!(solved.is_some(), "no solution");
    }
    Ok((thread_cpu() - before) / SOLUTIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn per_cent_are_of_one_core_and_one_day() {
        let day = Day {
            engine: Duration::from_secs(64),
            puts: 1000,
            solving: Duration::from_millis(800),
        };
        assert!((day.percent() - 1.0).abs() < 1e-9);
    }
}
