//! `cargo xtask bench --check`: instructions of fixed scenarios, counted by callgrind, held against `testing/peers/instructions.json`.
//!
//! Counts do not depend on what else the machine does. They do depend on the code paths that a processor offers: valgrind knows AVX2, but
//! neither SHA-NI, ADX nor AVX-512, so what it counts is SHA-256 in software and X25519 of dalek. That is the same on every x86-64 machine
//! with AVX2, and good for what the check is for: to notice that we do more work than before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::PEERS;
use crate::project::{self, Project};

/// Scenarios of the program `pvtcoms-count`, by name.
const SCENARIOS: &[&str] = &["setup", "pingpong", "burst", "skip"];
/// Does what `CONTROL_OF` does and 4 % more, so the check must refuse it.
const CONTROL: &str = "slow-burst";
const CONTROL_OF: &str = "burst";
const BASELINE: &str = "testing/peers/instructions.json";
/// Counts may rise by this, in thousandths.
const MAY_RISE: u64 = 30;

type Counts = BTreeMap<String, u64>;

/// Counts, and fails for each scenario that has become more expensive than the baseline allows.
pub(crate) fn check(project: &Project) -> Result<()> {
    let baseline: Counts = serde_json::from_str(&project.read(BASELINE)?)
        .with_context(|| format!("{BASELINE} is not what --bless writes"))?;
    let program = Program::build(project)?;
    let counts = program.count_all()?;
    let faults = judge(&baseline, &counts);
    // A check that lets the control pass would let everything pass.
    let control = program.count(&[CONTROL])?;
    let slow = Counts::from([(CONTROL_OF.to_owned(), control)]);
    let of = baseline.iter().filter(|(name, _)| *name == CONTROL_OF);
    let of: Counts = of.map(|(name, count)| (name.clone(), *count)).collect();
    let caught = counts.get(CONTROL_OF).is_some_and(|honest| control > *honest)
        && !judge(&of, &slow).is_empty();
    for (name, count) in &counts {
        let before = baseline.get(name).copied().unwrap_or_default();
        println!("  {name:<10} {count:>11} instructions, {}", change(before, *count));
    }
    println!(
        "count: scenarios={} risen={} control_caught={}",
        counts.len(),
        faults.len(),
        u8::from(caught)
    );
    if !faults.is_empty() {
        bail!("{}\nIf it is meant: cargo xtask bench --bless", faults.join("\n"));
    }
    if !caught {
        bail!(
            "the planted slower scenario was not noticed: {CONTROL_OF} has become so much faster that the baseline is too old. Write a \
             new one: cargo xtask bench --bless"
        );
    }
    Ok(())
}

/// Counts, and writes the baseline.
pub(crate) fn bless(project: &Project) -> Result<()> {
    let counts = Program::build(project)?.count_all()?;
    let mut text = serde_json::to_string_pretty(&counts)?;
    text.push('\n');
    std::fs::write(project.root().join(BASELINE), text)
        .with_context(|| format!("cannot write {BASELINE}"))?;
    for (name, count) in &counts {
        println!("  {name:<10} {count:>11} instructions");
    }
    println!("{BASELINE} is written: commit it with what changed the counts");
    Ok(())
}

/// What is wrong with `counts`, one line each.
fn judge(baseline: &Counts, counts: &Counts) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, before) in baseline {
        match counts.get(name) {
            None => faults.push(format!("{name} stands in {BASELINE} and was not counted")),
            Some(count) if too_many(*before, *count) => {
                faults.push(format!(
                    "{name} takes {count} instructions, {}",
                    change(*before, *count)
                ));
            }
            Some(_) => {}
        }
    }
    let unknown = counts.keys().filter(|name| !baseline.contains_key(*name));
    faults.extend(unknown.map(|name| format!("{name} has no count in {BASELINE}")));
    faults
}

fn too_many(before: u64, count: u64) -> bool {
    count.saturating_mul(1000) > before.saturating_mul(MAY_RISE.saturating_add(1000))
}

/// For people: how far `count` is from `before`.
fn change(before: u64, count: u64) -> String {
    let moved =
        count.abs_diff(before).saturating_mul(10_000).checked_div(before).unwrap_or_default();
    let sign = if count < before { '-' } else { '+' };
    let (whole, part) = (moved.checked_div(100), moved.checked_rem(100));
    format!(
        "{sign}{}.{:02} % against the baseline",
        whole.unwrap_or_default(),
        part.unwrap_or_default()
    )
}

/// A counting program, built.
pub(super) struct Program {
    pub(super) path: PathBuf,
    out: PathBuf,
    /// The function in which is counted, as callgrind's pattern.
    measured: &'static str,
}

impl Program {
    fn build(project: &Project) -> Result<Self> {
        Self::build_bin(project, PEERS, "pvtcoms-count", "*peers*scenario*measured*")
    }

    /// Builds the program `bin` of a package.
    pub(super) fn build_bin(
        project: &Project,
        package: &str,
        bin: &str,
        measured: &'static str,
    ) -> Result<Self> {
        let valgrind = Command::new("valgrind").arg("--version").output();
        if !valgrind.is_ok_and(|out| out.status.success()) {
            bail!("valgrind is missing: run tools/install.sh bench");
        }
        println!(
            "building the scenarios (some minutes at first), then counting: about ten seconds each"
        );
        let target = project.target().join("counts");
        let mut build = project.cargo(&[
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--package",
            package,
            "--bin",
            bin,
        ]);
        // Valgrind runs ADX and does not say so; without ADX the portable code would be counted. In a
        // folder of its own, since nothing else may be built on that assumption.
        build.env("VALGRIND_BUG_494162", "1").env("CARGO_TARGET_DIR", &target);
        project::run(&mut build)?;
        let path = target.join("release").join(bin);
        Ok(Self { path, out: project.target().join(format!("callgrind.{bin}")), measured })
    }

    fn count_all(&self) -> Result<Counts> {
        SCENARIOS.iter().map(|name| Ok(((*name).to_owned(), self.count(&[name])?))).collect()
    }

    /// Runs one scenario under callgrind and reads the sum of what it counted.
    pub(super) fn count(&self, scenario: &[&str]) -> Result<u64> {
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--quiet", "--collect-atstart=no"])
            .arg(format!("--toggle-collect={}", self.measured))
            .arg(format!("--callgrind-out-file={}", self.out.display()))
            .arg(&self.path)
            .args(scenario)
            // The same environment for everybody: its size moves the stack.
            .env_clear();
        project::output(&mut command)?;
        read_total(&self.out)
    }
}

fn read_total(file: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("callgrind left no {}", file.display()))?;
    total(&text).with_context(|| {
        format!(
            "callgrind counted nothing: is `measured` still the name of a function? See {}",
            file.display()
        )
    })
}

/// The count that callgrind's output file ends with, unless it is zero.
fn total(out: &str) -> Option<u64> {
    let line = out.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    line.trim().parse().ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(all: &[(&str, u64)]) -> Counts {
        all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    #[test]
    fn a_rise_above_three_per_cent_is_a_fault_and_one_of_three_is_none() {
        let before = counts(&[("burst", 1_000_000), ("skip", 5_000)]);
        for (burst, faults) in
            [(1, 0), (1_000_000, 0), (1_030_000, 0), (1_030_001, 1), (2_000_000, 1)]
        {
            let found = judge(&before, &counts(&[("burst", burst), ("skip", 5_000)]));
            assert_eq!(found.len(), faults, "{burst}: {found:?}");
        }
    }

    #[test]
    fn a_doctored_baseline_is_noticed() {
        let honest = counts(&[("burst", 1_000_000), ("skip", 5_000)]);
        assert!(judge(&honest, &honest).is_empty());
        // Lowered, a scenario removed, one invented.
        assert_eq!(judge(&counts(&[("burst", 950_000), ("skip", 5_000)]), &honest).len(), 1);
        assert_eq!(judge(&counts(&[("burst", 1_000_000)]), &honest).len(), 1);
        let invented = counts(&[("burst", 1_000_000), ("skip", 5_000), ("leap", 1)]);
        assert_eq!(judge(&invented, &honest).len(), 1);
        assert_eq!(judge(&counts(&[("burst", 0), ("skip", 0)]), &honest).len(), 2);
    }

    #[test]
    fn the_sum_is_read_and_nothing_counted_is_an_error() {
        assert_eq!(total("events: Ir\nfn=(1) main\n16 400\n\ntotals: 123456\n"), Some(123_456));
        assert_eq!(total("events: Ir\n\ntotals: 0\n"), None);
        assert_eq!(total("events: Ir\n"), None);
    }

    #[test]
    fn changes_read_well() {
        assert_eq!(change(1000, 1035), "+3.50 % against the baseline");
        assert_eq!(change(1000, 900), "-10.00 % against the baseline");
        assert_eq!(change(0, 900), "+0.00 % against the baseline");
    }
}
