//! The stages of `cargo xtask ci` and `cargo xtask lint`.
//!
//! One profile (dev) and one selection of features (the whole workspace), so that every dependency is compiled once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::project::{Project, run};
use crate::{claims, deny, layers, mutants, nopanic, rules, secrets};

/// What starts real `tor` processes: run last, one at a time. The same filter stands in `.config/nextest.toml`.
const REAL_TOR: &str =
    "package(pvtcoms-e2e) + package(pvtcoms-tornet) + (package(pvtcoms-tor) & kind(test))";

struct Stage {
    name: &'static str,
    run: fn(&Project) -> Result<()>,
}

const LINT: &[Stage] = &[
    Stage { name: "fmt", run: |p| run(&mut p.cargo(&["fmt", "--all", "--check"])) },
    Stage { name: "layers", run: layers::run },
    Stage { name: "claims", run: claims::run },
    Stage { name: "spec", run: rules::run },
    Stage { name: "secrets", run: secrets::run },
    Stage { name: "clippy", run: clippy },
];

const REST: &[Stage] = &[
    Stage { name: "deny", run: deny::run },
    Stage { name: "no panic", run: nopanic::run },
    // All targets: the same features as the tests, so that no dependency is compiled twice.
    Stage {
        name: "build",
        run: |p| {
            run(&mut p.cargo(&["build", "--workspace", "--all-targets", "--locked", "--quiet"]))
        },
    },
    Stage { name: "tests", run: |p| nextest(p, &format!("not ({REAL_TOR})")) },
    Stage {
        name: "doctests",
        run: |p| run(&mut p.cargo(&["test", "--workspace", "--locked", "--doc", "--quiet"])),
    },
    Stage { name: "mutants", run: mutants::run },
    Stage { name: "tests over real Tor", run: real_tor },
];

/// Everything the build server checks; stops at the first stage that fails.
pub(crate) fn ci(project: &Project) -> Result<()> {
    stages(project, LINT.iter().chain(REST))
}

/// The stages that need no build of the programs.
pub(crate) fn lint(project: &Project) -> Result<()> {
    stages(project, LINT.iter())
}

fn stages<'a>(project: &Project, stages: impl Iterator<Item = &'a Stage>) -> Result<()> {
    let mut done: Vec<(&str, Duration)> = Vec::new();
    for Stage { name, run } in stages {
        println!("\n=== {name}");
        let start = Instant::now();
        run(project).with_context(|| {
            format!("stage `{name}` failed after {:.0} s", start.elapsed().as_secs_f32())
        })?;
        done.push((name, start.elapsed()));
    }
    println!("\n=== all stages passed");
    for (name, took) in done {
        println!("{:>7.1} s  {name}", took.as_secs_f32());
    }
    Ok(())
}

fn clippy(project: &Project) -> Result<()> {
    run(&mut project.cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
        "--",
        "-D",
        "warnings",
    ]))
}

const NEXTEST: [&str; 6] = ["nextest", "run", "--workspace", "--locked", "--cargo-quiet", "-E"];

fn nextest(project: &Project, filter: &str) -> Result<()> {
    run(project.cargo(&NEXTEST).arg(filter))
}

/// One private network for all of them (TOR-28).
fn real_tor(project: &Project) -> Result<()> {
    let tornet = project.target().join("debug").join("tornet");
    run(project.command(tornet).args(["run", "--", "cargo"]).args(NEXTEST).arg(REAL_TOR))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nextest_configuration_limits_the_same_tests() {
        let config = Project::find().unwrap().read(".config/nextest.toml").unwrap();
        assert!(config.contains(&format!("filter = '{REAL_TOR}'")), "the two filters differ");
    }
}
