//! `cargo xtask bench`: the criterion benches of the protocol, and their figures in one table; with `--peers`, beside another protocol.

pub(crate) mod count;
pub(crate) mod mailbox;
pub(crate) mod scale;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::project::{self, Project};

/// The packages that have benches.
const BENCHED: &[&str] = &["pvtcoms-ratchet"];
const PEERS: &str = "pvtcoms-peers";

/// Runs the benches in the release profile and prints the median of each.
pub(crate) fn run(project: &Project) -> Result<()> {
    let results = project.target().join("criterion");
    if results.exists() {
        std::fs::remove_dir_all(&results).context("cannot remove the figures of an earlier run")?;
    }
    for package in BENCHED {
        project::run(&mut project.cargo(&[
            "bench",
            "--locked",
            "--package",
            package,
            "--benches",
        ]))?;
    }
    let mut figures = Vec::new();
    collect(&results, &mut figures)?;
    if figures.is_empty() {
        bail!("no figures under {}", results.display());
    }
    figures.sort();
    println!("\nmedian per iteration, with its 95 % interval");
    for line in figures {
        println!("  {line}");
    }
    Ok(())
}

/// Runs our protocol beside vodozemac's. The bench prints everything itself; its last line begins with `peers:`.
pub(crate) fn peers(project: &Project) -> Result<()> {
    println!("our protocol beside vodozemac: the first build takes some minutes, the run one");
    project::run(&mut project.cargo(&["bench", "--locked", "--package", PEERS, "--bench", "peers"]))
}

/// What criterion writes beside each bench as `new/benchmark.json` and `new/estimates.json`.
#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

#[derive(Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Deserialize)]
struct Estimate {
    point_estimate: f64,
    confidence_interval: Interval,
}

#[derive(Deserialize)]
struct Interval {
    lower_bound: f64,
    upper_bound: f64,
}

/// Walks criterion's folders; a folder `new` holds the figures of the last run.
fn collect(folder: &Path, figures: &mut Vec<String>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            if path.ends_with("new") {
                figures.push(figure(&path)?);
            } else {
                collect(&path, figures)?;
            }
        }
    }
    Ok(())
}

fn figure(folder: &Path) -> Result<String> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    };
    let Benchmark { full_id } = serde_json::from_str(&read("benchmark.json")?)?;
    let Estimates { median } = serde_json::from_str(&read("estimates.json")?)?;
    let Interval { lower_bound, upper_bound } = median.confidence_interval;
    Ok(format!(
        "{full_id:<40} {:>10} ({} .. {})",
        time(median.point_estimate),
        time(lower_bound),
        time(upper_bound)
    ))
}

/// Nanoseconds in a unit that people read.
fn time(nanos: f64) -> String {
    if nanos < 1e3 {
        format!("{nanos:.1} ns")
    } else if nanos < 1e6 {
        format!("{:.1} us", nanos / 1e3)
    } else {
        format!("{:.2} ms", nanos / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_criterion_writes() {
        let dir = tempfile::tempdir().unwrap();
        let new = dir.path().join("group/ping/new");
        std::fs::create_dir_all(&new).unwrap();
        std::fs::write(
            new.join("benchmark.json"),
            r#"{"group_id":"group","full_id":"group/ping"}"#,
        )
        .unwrap();
        let interval = r#"{"confidence_level":0.95,"lower_bound":900.0,"upper_bound":2500000.0}"#;
        let median = format!(
            r#"{{"median":{{"point_estimate":1234.0,"standard_error":1.0,"confidence_interval":{interval}}}}}"#
        );
        std::fs::write(new.join("estimates.json"), median).unwrap();
        let mut figures = Vec::new();
        collect(dir.path(), &mut figures).unwrap();
        let words: Vec<_> = figures.first().unwrap().split_whitespace().collect();
        assert_eq!(words, ["group/ping", "1.2", "us", "(900.0", "ns", "..", "2.50", "ms)"]);
    }
}
