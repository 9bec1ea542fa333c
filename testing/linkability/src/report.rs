//! The whole experiment, its table, its picture and its last line.

mod picture;

use crate::attackers::{Attacker, Outcome, ask};
use crate::controls::{Activity, By, Rewritten};
use crate::exact::structure;
use crate::games::{Game, draw};
use crate::sides::{Missing, coupling, left_right};
use crate::transcript::keep;
use crate::world::{Presence, Run, Setup, live};
use engine::Mode;
pub use picture::picture;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

/// The largest advantage that is claimed, as the upper end of its interval.
pub const BOUND: f64 = 0.05;
/// The farthest that an area may be from that of a coin.
pub const AREA: f64 = 0.03;
/// Cases of a game in a run.
const CASES: usize = 4000;

/// What is run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Clients, an even number.
    pub clients: usize,
    /// Hours of virtual time in which games are played.
    pub hours: u64,
    /// First seed.
    pub seed: u64,
    /// How many seeds.
    pub seeds: u64,
    /// Whether everybody is in `fast` mode; then nothing is claimed.
    pub fast: bool,
    /// Clients and hours of the worlds of controls.
    pub controls: (usize, u64),
    /// Runs of each side in T2.
    pub sides: usize,
    /// Of a thousand fetches, those that the mailboxes answer with random bytes.
    pub garbage: u32,
    /// Where the log of the first seed is kept.
    pub keep: Option<PathBuf>,
}

/// A control and what became of it.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its name.
    pub name: String,
    /// Who had to find it, and what was found.
    pub found: String,
    /// Whether it was.
    pub caught: bool,
}

/// What the experiment gave.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Outcomes of the run proper.
    pub outcomes: BTreeMap<(Game, Attacker), Outcome>,
    /// Controls.
    pub controls: Vec<Control>,
    /// What T0, T1 and T2 found wrong.
    pub wrong: Vec<String>,
    /// T2, in words.
    pub sides: String,
    /// Seconds from saying something to its arrival: median, and what one in twenty exceeds.
    pub delay: (f64, f64),
    /// Circuits of a client in a day.
    pub circuits: f64,
}

/// Asks every attacker in every game.
#[must_use]
pub fn judge(run: &Run, games: &[Game], seed: u64) -> BTreeMap<(Game, Attacker), Outcome> {
    let mut outcomes = BTreeMap::new();
    for game in games {
        let cases = draw(*game, &run.log, &run.truth, CASES, seed);
        for attacker in Attacker::ALL {
            outcomes.insert((*game, attacker), ask(attacker, &cases));
        }
    }
    outcomes
}

/// Runs it. `tell` is told what is done.
#[must_use]
pub fn experiment(plan: &Plan, mut tell: impl FnMut(&str)) -> Report {
    let mut report = Report::default();
    let (mut delays, mut operations) = (Vec::new(), 0);
    for seed in plan.seed..plan.seed + plan.seeds {
        tell(&format!("seed {seed}: {} clients, {} h", plan.clients, plan.hours));
        let mode = if plan.fast { Mode::Fast } else { Mode::Steady };
        let setup =
            Setup { mode, garbage: plan.garbage, ..Setup::new(plan.clients, plan.hours, seed) };
        let run = live(&setup, Presence::default(), None);
        operations += run.log.operations.iter().filter(|o| o.accept >= run.log.from).count();
        delays.extend(&run.truth.delays);
        let broken = structure(&run.log, &run.bytes, run.reused);
        report.wrong.extend(broken.iter().take(3).map(|line| format!("T1, seed {seed}: {line}")));
        for (key, outcome) in judge(&run, &Game::ALL, seed) {
            report.outcomes.entry(key).or_default().add(&outcome);
        }
        if seed == plan.seed {
            if let Some(dir) = &plan.keep
                && let Err(error) = keep(dir, &run.log, &run.truth)
            {
                report.wrong.push(format!("the log cannot be kept: {error}"));
            }
            if !plan.fast {
                tell("controls on the log of the first seed");
                report.controls = rewritten(&run, seed);
            }
        }
    }
    delays.sort_by(f64::total_cmp);
    let quantile = |share: usize| delays.get(delays.len() * share / 100).copied().unwrap_or(0.0);
    report.delay = (quantile(50), quantile(95));
    let days = plan.seeds as f64 * plan.hours as f64 / 24.0 * plan.clients as f64;
    report.circuits = f64::from(u32::try_from(operations).unwrap_or(u32::MAX)) / days;
    if !plan.fast {
        tell("controls with worlds of their own");
        report.controls.extend(lived(plan));
        tell("T0 and T2");
        two_worlds(plan, &mut report);
    }
    report
}

fn best(run: &Run, game: Game, seed: u64) -> (f64, &'static str) {
    let outcomes = judge(run, &[game], seed);
    let each = outcomes.iter().map(|((_, who), o)| (o.advantage().value, who.name()));
    each.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((0.0, "nobody"))
}

fn by_game(name: &str, run: &Run, game: Game, limit: f64, seed: u64) -> Control {
    let (advantage, who) = best(run, game, seed);
    let found = format!("{}: {advantage:.2} by {who}, must exceed {limit}", game.name());
    Control { name: name.to_owned(), found, caught: advantage > limit }
}

fn rewritten(run: &Run, seed: u64) -> Vec<Control> {
    let each = Rewritten::ALL.iter().map(|control| {
        let (log, truth) = control.rewrite(&run.log, &run.truth);
        let broken = Run { log, truth, bytes: run.bytes.clone(), reused: run.reused };
        match control.by() {
            By::Game(game, limit) => by_game(control.name(), &broken, game, limit, seed),
            By::Structure => {
                let wrong = structure(&broken.log, &broken.bytes, broken.reused);
                let found = wrong.first().map_or_else(|| "nothing".to_owned(), Clone::clone);
                let caught = !wrong.is_empty();
                Control { name: control.name().to_owned(), found: format!("T1: {found}"), caught }
            }
        }
    });
    each.collect()
}

/// Controls that change what clients do, and so need worlds of their own.
fn lived(plan: &Plan) -> Vec<Control> {
    let (clients, hours) = plan.controls;
    let setup = Setup::new(clients, hours, plan.seed ^ 0xc0);
    let presence = Presence::default();
    let activity = Box::new(Activity::new(Presence::clone(&presence)));
    let active = live(&setup, presence, Some(activity));
    let fast = live(&Setup { mode: Mode::Fast, ..setup }, Presence::default(), None);
    vec![
        by_game("rate follows activity", &active, Game::G5, 0.08, plan.seed),
        by_game("immediate put and fetch", &fast, Game::G3, 0.1, plan.seed),
    ]
}

fn two_worlds(plan: &Plan, report: &mut Report) {
    let clients = 12.min(plan.clients);
    if let Some(line) = coupling(clients, plan.seed, Missing::Nothing) {
        report.wrong.push(format!("T0: {line}"));
    }
    for (name, missing) in
        [("no idle cover", Missing::Cover), ("retry at once on error", Missing::Patience)]
    {
        let found = coupling(clients, plan.seed, missing);
        let caught = found.is_some();
        let found = format!("T0: {}", found.unwrap_or_else(|| "nothing".to_owned()));
        report.controls.push(Control { name: name.to_owned(), found, caught });
    }
    if plan.sides > 0 {
        let sides = left_right(clients, plan.sides, plan.seed);
        report.sides = format!(
            "T2: {} runs a side, {:.2} told right, of which {:.2} would be chance (99 %)",
            sides.runs, sides.accuracy, sides.limit
        );
        if sides.accuracy > sides.limit {
            report.wrong.push(report.sides.clone());
        }
    }
}

impl Report {
    /// The largest upper end of an interval in the games that are claimed.
    #[must_use]
    pub fn steady(&self) -> f64 {
        let claimed = |((game, _), outcome): (&(Game, Attacker), &Outcome)| {
            Game::CLAIMED.contains(game).then(|| outcome.advantage().high)
        };
        self.outcomes.iter().filter_map(claimed).fold(0.0, f64::max)
    }

    /// What is over its bound, or was missed.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let mut wrong = self.wrong.clone();
        for ((game, who), outcome) in &self.outcomes {
            if !Game::CLAIMED.contains(game) {
                continue;
            }
            let (area, high) = (outcome.area(), outcome.advantage().high);
            if high >= BOUND || (area - 0.5).abs() >= AREA {
                let (game, who) = (game.name(), who.name());
                wrong.push(format!("{game}, {who}: area {area:.3}, advantage up to {high:.3}"));
            }
        }
        let missed = self.controls.iter().filter(|c| !c.caught);
        wrong.extend(missed.map(|c| format!("control missed: {}, {}", c.name, c.found)));
        wrong
    }

    /// The table.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        let mut line = |words: &str| {
            let _infallible = writeln!(text, "{words}");
        };
        line(&format!("{:26} {:>6}  {}", "game", "cases", "area, advantage [95 %] by attacker"));
        for game in Game::ALL {
            let of = |who: Attacker| self.outcomes.get(&(game, who)).cloned().unwrap_or_default();
            let each = Attacker::ALL.map(|who| {
                let (outcome, name) = (of(who), who.name());
                let a = outcome.advantage();
                format!(
                    "{name} {:.3} {:+.3} [{:+.3} {:+.3}]",
                    outcome.area(),
                    a.value,
                    a.low,
                    a.high
                )
            });
            let claimed = if Game::CLAIMED.contains(&game) { "" } else { "  (reported)" };
            let cases = of(Attacker::Logistic).cases();
            line(&format!("{:26} {cases:>6}  {}{claimed}", game.name(), each.join("  ")));
        }
        for Control { name, found, caught } in &self.controls {
            let caught = if *caught { "caught" } else { "MISSED" };
            line(&format!("control {name:32} {caught}  {found}"));
        }
        if !self.sides.is_empty() {
            line(&self.sides);
        }
        let (median, late) = self.delay;
        line(&format!("delay: median {median:.0} s, one in twenty above {late:.0} s"));
        text
    }

    /// The last line.
    #[must_use]
    pub fn last_line(&self) -> String {
        format!(
            "linkability: steady={:.3} bound={BOUND} delay_p50={:.0} circuits={:.0} controls={} caught={}",
            self.steady(),
            self.delay.0,
            self.circuits,
            self.controls.len(),
            self.controls.iter().filter(|c| c.caught).count()
        )
    }
}
