//! Runs of the real programs: `docs/soak-runs.tsv`, one line a run, never rewritten. Hours of a small
//! machine are some thousands of messages, so the claim is their sum.

use anyhow::{Context as _, Result, bail};
use e2e::soak::{Outcome, Tally};

use crate::project::Project;

const FILE: &str = "docs/soak-runs.tsv";
const HEADING: &str =
    "date\tcommit\tseed\tpairs\tmessages\tlost\tduplicated\treordered\tother\tkilled\tseconds";

/// One run, by its columns.
pub(super) struct Run {
    /// Date and commit.
    of: [String; 2],
    /// The rest, in the order of the heading.
    numbers: [u64; 9],
}

/// All runs, oldest first.
pub(super) struct Runs(Vec<Run>);

impl Run {
    /// A run that ended just now, of what is checked out.
    pub(super) fn new(project: &Project, (seed, pairs): (u64, u64), outcome: &Outcome) -> Self {
        let Tally { messages, faults, lost, duplicated, reordered, other, .. } = outcome.tally;
        let seconds = outcome.took.as_secs();
        let numbers = [seed, pairs, messages, lost, duplicated, reordered, other, faults, seconds];
        Self { of: [crate::deny::today().to_string(), project.revision()], numbers }
    }

    fn parse(line: &str) -> Result<Self> {
        let [date, commit, numbers @ ..] = &*line.split('\t').collect::<Vec<_>>() else {
            bail!("`{line}` is too short");
        };
        let numbers: Result<Vec<u64>, _> = numbers.iter().map(|text| text.parse()).collect();
        let numbers = numbers.with_context(|| format!("`{line}` has a number that is none"))?;
        let numbers = numbers.try_into().ok().with_context(|| format!("`{line}`: columns"))?;
        Ok(Self { of: [(*date).to_owned(), (*commit).to_owned()], numbers })
    }

    fn line(&self) -> String {
        let numbers = self.numbers.iter().map(u64::to_string);
        self.of.iter().cloned().chain(numbers).collect::<Vec<_>>().join("\t")
    }

    fn tally(&self) -> Tally {
        let [_seed, _pairs, messages, lost, duplicated, reordered, other, faults, _seconds] =
            self.numbers;
        let seeds = 1;
        Tally { seeds, messages, faults, lost, duplicated, reordered, other, ..Tally::default() }
    }
}

impl Runs {
    pub(super) fn read(project: &Project) -> Result<Self> {
        Self::parse(&project.read(FILE)?)
    }

    fn parse(text: &str) -> Result<Self> {
        let lines = text.strip_prefix(HEADING).with_context(|| format!("{FILE} has no heading"))?;
        let runs = lines.lines().filter(|line| !line.is_empty()).map(Run::parse);
        Ok(Self(runs.collect::<Result<_>>()?))
    }

    /// Adds a run, and writes the file.
    pub(super) fn add(&mut self, project: &Project, run: Run) -> Result<()> {
        self.0.push(run);
        let lines: String = self.0.iter().map(|run| run.line() + "\n").collect();
        std::fs::write(project.root().join(FILE), format!("{HEADING}\n{lines}"))
            .with_context(|| format!("cannot write {FILE}"))
    }

    /// What they have come to, in the form of a single run; a seed is a run.
    pub(super) fn total(&self) -> String {
        let mut sum = Tally::default();
        self.0.iter().for_each(|run| sum.add(&run.tally()));
        let seconds: u64 = self.0.iter().filter_map(|run| run.numbers.last()).sum();
        let (hours, tenths) = (seconds / 3600, seconds % 3600 / 360);
        format!("all runs, {hours}.{tenths} h: {sum} other={}", sum.other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_add_up_and_keep_their_lines() {
        let line = |seed, messages, lost| {
            format!("2026-11-29\tabc\t{seed}\t6\t{messages}\t{lost}\t0\t0\t2\t30\t5400")
        };
        let runs = Runs::parse(&format!("{HEADING}\n{}\n{}\n", line(1, 500, 0), line(2, 9, 3)));
        let runs = runs.unwrap();
        assert_eq!(
            runs.0.iter().map(Run::line).collect::<Vec<_>>(),
            [line(1, 500, 0), line(2, 9, 3)]
        );
        let total = "all runs, 3.0 h: soak: messages=509 lost=3 duplicated=0 reordered=0 faults=60 seeds=2 other=4";
        assert_eq!(runs.total(), total);
        for wrong in [
            "2026-11-29\tabc",
            "2026-11-29\tabc\t1",
            &(line(1, 1, 1) + "\t1"),
            &line(1, 1, 1).replace("30", "x"),
        ] {
            assert!(Runs::parse(&format!("{HEADING}\n{wrong}\n")).is_err(), "{wrong}");
        }
        assert!(Runs::parse(&line(1, 1, 1)).is_err(), "no heading");
    }

    #[test]
    fn the_list_of_runs_can_be_read() {
        assert!(!Runs::read(&Project::find().unwrap()).unwrap().0.is_empty());
    }
}
