//! What was run: `fuzz/ledger.tsv`, one line a run, never rewritten; and the table of `docs/fuzzing.md`, which is its sum.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::project::Project;

const FILE: &str = "fuzz/ledger.tsv";
const PAGE: &str = "docs/fuzzing.md";
const HEADING: &str = "date\ttarget\texecutions\tseconds\tcrashes\tcommit";
/// The table stands below this line of the page.
const MARK: &str = "<!-- written by `cargo xtask fuzz` from fuzz/ledger.tsv -->";

/// One run of one target.
pub(super) struct Run {
    pub(super) date: String,
    pub(super) target: String,
    pub(super) executions: u64,
    pub(super) seconds: u64,
    pub(super) crashes: u64,
    pub(super) commit: String,
}

/// The sum of a target's runs.
#[derive(Default)]
pub(super) struct Total {
    executions: u64,
    seconds: u64,
    crashes: u64,
    last: String,
}

/// All runs, oldest first.
#[derive(Default)]
pub(super) struct Ledger {
    runs: Vec<Run>,
}

/// Adds runs, one a line, to ledger and page, and gives the whole ledger.
///
/// It is read here and not at the start of a run that takes hours, and under a lock: another may have ended meanwhile.
pub(super) fn add(project: &Project, lines: &str) -> Result<Ledger> {
    let lock = std::fs::File::open(project.root().join(FILE))
        .with_context(|| format!("cannot read {FILE}"))?;
    lock.lock().with_context(|| format!("cannot lock {FILE}"))?;
    let mut ledger = Ledger::read(project)?;
    ledger.add(lines)?;
    ledger.write(project)?;
    Ok(ledger)
}

impl Run {
    /// A run that ended just now, of what is checked out.
    pub(super) fn new(
        project: &Project,
        target: &str,
        executions: u64,
        seconds: u64,
        crashes: u64,
    ) -> Self {
        Self {
            date: crate::deny::today().to_string(),
            target: target.to_owned(),
            executions,
            seconds,
            crashes,
            commit: project.revision(),
        }
    }

    /// As it stands in the ledger, with its end of line.
    pub(super) fn line(&self) -> String {
        let Self { date, target, executions, seconds, crashes, commit } = self;
        format!("{date}\t{target}\t{executions}\t{seconds}\t{crashes}\t{commit}\n")
    }

    fn parse(line: &str) -> Result<Self> {
        let fields: Vec<&str> = line.split('\t').collect();
        let [date, target, executions, seconds, crashes, commit] = fields.as_slice() else {
            anyhow::bail!("`{line}` has {} fields, not six", fields.len());
        };
        let number = |text: &str| text.parse().with_context(|| format!("`{line}`: `{text}`"));
        Ok(Self {
            date: (*date).to_owned(),
            target: (*target).to_owned(),
            executions: number(executions)?,
            seconds: number(seconds)?,
            crashes: number(crashes)?,
            commit: (*commit).to_owned(),
        })
    }
}

impl Ledger {
    pub(super) fn read(project: &Project) -> Result<Self> {
        let mut ledger = Self::default();
        let text = project.read(FILE)?;
        let lines = text.strip_prefix(HEADING).with_context(|| format!("{FILE} has no heading"))?;
        ledger.add(lines)?;
        Ok(ledger)
    }

    /// Adds runs, one a line; empty lines and headings do not count.
    fn add(&mut self, lines: &str) -> Result<()> {
        for line in lines.lines().filter(|line| !line.is_empty() && *line != HEADING) {
            self.runs.push(Run::parse(line)?);
        }
        Ok(())
    }

    /// Writes ledger and page.
    fn write(&self, project: &Project) -> Result<()> {
        let mut text = format!("{HEADING}\n");
        self.runs.iter().for_each(|run| text.push_str(&run.line()));
        let save = |path: &str, text: String| {
            std::fs::write(project.root().join(path), text)
                .with_context(|| format!("cannot write {path}"))
        };
        save(FILE, text)?;
        let page = project.read(PAGE)?;
        let (above, _) =
            page.split_once(MARK).with_context(|| format!("{PAGE} has no line `{MARK}`"))?;
        save(PAGE, format!("{above}{MARK}\n\n{}", self.table()))
    }

    pub(super) fn totals(&self) -> BTreeMap<&str, Total> {
        let mut totals: BTreeMap<&str, Total> = BTreeMap::new();
        for run in &self.runs {
            let total = totals.entry(&run.target).or_default();
            total.executions = total.executions.saturating_add(run.executions);
            total.seconds = total.seconds.saturating_add(run.seconds);
            total.crashes = total.crashes.saturating_add(run.crashes);
            total.last.clone_from(&run.date);
        }
        totals
    }

    /// Executions of the target that has the fewest.
    pub(super) fn least(&self) -> u64 {
        self.totals().values().map(|total| total.executions).min().unwrap_or_default()
    }

    /// The same among `targets`; 0 if one of them never ran.
    pub(super) fn least_of<'a>(&self, targets: impl Iterator<Item = &'a str>) -> u64 {
        let totals = self.totals();
        targets.map(|t| totals.get(t).map_or(0, |total| total.executions)).min().unwrap_or_default()
    }

    fn table(&self) -> String {
        let mut table =
            "| target | executions | a second | failures | last run |\n|---|---:|---:|---:|---|\n"
                .to_owned();
        for (target, Total { executions, seconds, crashes, last }) in self.totals() {
            let rate = executions.checked_div(seconds).unwrap_or_default();
            let line = format!("| `{target}` | {executions} | {rate} | {crashes} | {last} |\n");
            table.push_str(&line);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up_for_each_target() {
        let mut ledger = Ledger::default();
        ledger
            .add("2026-11-23\ta\t10\t2\t0\tabc\n2026-11-24\ta\t30\t2\t1\tabd\n2026-11-24\tb\t5\t1\t0\tabd\n")
            .unwrap();
        let table = ledger.table();
        assert!(table.contains("| `a` | 40 | 10 | 1 | 2026-11-24 |\n"), "{table}");
        assert_eq!((ledger.least(), ledger.least_of(["a"].into_iter())), (5, 40));
        assert_eq!(ledger.least_of(["a", "never run"].into_iter()), 0);
        assert!(ledger.add("2026-11-24\ta\tmany\t1\t0\tabd").is_err());
        assert!(ledger.add("2026-11-24\ta\t1").is_err());
    }

    #[test]
    fn the_page_shows_the_ledger() {
        let project = Project::find().unwrap();
        let ledger = Ledger::read(&project).unwrap();
        let page = project.read(PAGE).unwrap();
        let shown = page.split_once(MARK).unwrap().1.trim_start();
        assert_eq!(shown, ledger.table(), "run `cargo xtask fuzz`, which writes the table");
    }
}
