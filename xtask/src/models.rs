//! `cargo xtask models`: a tool searches the symbolic models of `models/` for attacks.
//!
//! `models/models.toml` lists scenarios. Each names a model, the lines of it that are in force, the queries that must hold, and
//! controls: broken variants of the same model in which those queries must fall. A query that holds without a control that breaks
//! it proves nothing, so such a table is refused before anything runs. `docs/models.md` says what the models mean.

mod table;
mod tool;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::project::Project;
use table::{Scenario, Table};
use tool::{Tool, Verdict};

/// Longest search of one model. A model that needs more is a failure, never a pass.
const LIMIT: Duration = Duration::from_secs(600);

/// What the whole run counts.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    queries: usize,
    passed: usize,
    controls: usize,
    caught: usize,
    bounded: usize,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queries, passed, controls, caught, bounded: _ } = self;
        write!(f, "models: queries={queries} passed={passed} controls={controls} caught={caught}")
    }
}

/// Runs every scenario and its controls; fails if a query falls that must hold, or holds that must fall.
pub(crate) fn run(project: &Project) -> Result<()> {
    let table: Table = toml::from_str(&project.read("models/models.toml")?)
        .context("cannot read models/models.toml")?;
    for scenario in &table.scenarios {
        let text = project.read(&scenario.file())?;
        scenario.check(&text).with_context(|| format!("scenario `{}`", scenario.name))?;
    }
    let tool = Tool::find(project)?;
    let folder = project.target().join("models");
    std::fs::create_dir_all(&folder).context("cannot make the folder of the expanded models")?;
    println!("models: {} scenarios, searched by verifpal {}", table.scenarios.len(), tool::VERSION);
    println!("models: expanded models and the tool's reports: {}", folder.display());

    let mut tally = Tally::default();
    for scenario in &table.scenarios {
        let text = project.read(&scenario.file())?;
        println!("\n{}: {} (sessions: {})", scenario.name, scenario.says, scenario.sessions);
        let lines = scenario.expand(&text, None);
        let report = tool.search(&folder, &scenario.name, &lines, scenario.sessions, LIMIT)?;
        println!("  searched in {:.1} s", report.took.as_secs_f32());
        judge(scenario, &report.verdicts, &mut tally)?;
        for (n, control) in (1_u8..).zip(&scenario.controls) {
            let name = format!("{}-control-{n}", scenario.name);
            let lines = scenario.expand(&text, Some(control));
            let report = tool.search(&folder, &name, &lines, scenario.sessions, LIMIT)?;
            println!("  control: {} ({:.1} s)", control.says, report.took.as_secs_f32());
            caught(&control.breaks, &report.verdicts, &mut tally)?;
        }
    }
    if tally.bounded > 0 {
        println!(
            "\nmodels: {} of the queries that hold were cut at the depth of terms",
            tally.bounded
        );
    }
    println!("{tally}");
    ensure!(tally.passed == tally.queries, "an attack was found that must not exist");
    ensure!(tally.caught == tally.controls, "a broken model passed: the search shows nothing");
    Ok(())
}

/// Counts the queries of `scenario` that hold. A search that stopped short counts only where the table says that it does.
fn judge(scenario: &Scenario, verdicts: &[Verdict], tally: &mut Tally) -> Result<()> {
    for query in &scenario.holds {
        let verdict = find(query, verdicts)?;
        let held = !verdict.broken && (verdict.exhausted || scenario.bounded);
        count(&mut tally.queries, &mut tally.passed, held);
        tally.bounded = tally.bounded.saturating_add(usize::from(held && !verdict.exhausted));
        println!("  {} {query} ({})", if held { "holds " } else { "FALLS " }, verdict.envelope);
    }
    Ok(())
}

/// Counts the queries that a control breaks, as it must.
fn caught(breaks: &[String], verdicts: &[Verdict], tally: &mut Tally) -> Result<()> {
    for query in breaks {
        let broken = find(query, verdicts)?.broken;
        count(&mut tally.controls, &mut tally.caught, broken);
        println!("    {} {query}", if broken { "caught" } else { "MISSED" });
    }
    Ok(())
}

fn count(all: &mut usize, good: &mut usize, is_good: bool) {
    *all = all.saturating_add(1);
    *good = good.saturating_add(usize::from(is_good));
}

fn find<'a>(query: &str, verdicts: &'a [Verdict]) -> Result<&'a Verdict> {
    let mut same = verdicts.iter().filter(|v| v.query == query);
    match (same.next(), same.next()) {
        (Some(verdict), None) => Ok(verdict),
        _ => bail!("the tool's report has no single answer to `{query}`"),
    }
}

/// The queries in `holds` that no control breaks.
fn uncontrolled(scenario: &Scenario) -> Vec<&str> {
    let broken: BTreeSet<&str> =
        scenario.controls.iter().flat_map(|c| &c.breaks).map(String::as_str).collect();
    scenario.holds.iter().map(String::as_str).filter(|q| !broken.contains(q)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(query: &str, broken: bool, exhausted: bool) -> Verdict {
        Verdict { query: query.to_owned(), broken, exhausted, envelope: String::new() }
    }

    fn scenario(bounded: bool) -> Scenario {
        toml::from_str(&format!(
            "name = 's'\nsays = 's'\nmodel = 'm'\nsessions = 1\nbounded = {bounded}\nholds = ['q']"
        ))
        .unwrap()
    }

    #[test]
    fn committed_table_fits_the_committed_models() {
        let project = Project::find().unwrap();
        let table: Table = toml::from_str(&project.read("models/models.toml").unwrap()).unwrap();
        assert!(!table.scenarios.is_empty());
        for scenario in &table.scenarios {
            scenario.check(&project.read(&scenario.file()).unwrap()).unwrap();
        }
    }

    #[test]
    fn an_attack_or_an_unannounced_bound_is_no_pass() {
        for (broken, exhausted, bounded, passes) in [
            (false, true, false, true),
            (true, true, false, false),
            (false, false, false, false),
            (false, false, true, true),
        ] {
            let mut tally = Tally::default();
            judge(&scenario(bounded), &[verdict("q", broken, exhausted)], &mut tally).unwrap();
            assert_eq!((tally.queries, tally.passed), (1, usize::from(passes)));
        }
    }

    #[test]
    fn a_control_that_holds_is_missed_and_an_absent_answer_is_an_error() {
        let mut tally = Tally::default();
        caught(&["q".to_owned()], &[verdict("q", false, true)], &mut tally).unwrap();
        assert_eq!((tally.controls, tally.caught), (1, 0));
        assert!(caught(&["q".to_owned()], &[], &mut tally).is_err());
    }

    #[test]
    fn a_query_without_a_control_is_named() {
        assert_eq!(uncontrolled(&scenario(false)), ["q"]);
    }
}
