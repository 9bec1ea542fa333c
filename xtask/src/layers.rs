//! `cargo xtask layers`: who may import whom, and which crate may name which library.
//!
//! It reads the declared dependencies of every member (`cargo metadata --no-deps`), so a rule cannot be escaped by a feature or a
//! platform that is not built today. The table of arrows is [`table::CRATES`], the same as in `ARCHITECTURE.md`.

mod graph;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use anyhow::{Result, bail};

use self::graph::{Edge, Graph};
use self::table::{BANS, CRATES, Crate, FACES, OWNERS};
use crate::lints;
use crate::project::Project;

/// One thing that the rules forbid.
#[derive(Debug, PartialEq, Eq)]
struct Violation {
    rule: &'static str,
    what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.what)
    }
}

/// Checks the workspace, and that no crate steps out of the common lints.
pub(crate) fn run(project: &Project) -> Result<()> {
    let graph = Graph::new(&project.manifests()?, project.root());
    let violations = check(&graph);
    for violation in &violations {
        println!("{violation}");
    }
    let strays = lints::check(project, &graph.manifests())?;
    for stray in &strays {
        println!("lints: {stray}");
    }
    let found = violations.len().saturating_add(strays.len());
    println!(
        "layers: crates={} edges={} violations={found}",
        graph.packages.len(),
        graph.edges().count()
    );
    if found > 0 {
        bail!("the layer rules of ARCHITECTURE.md are broken");
    }
    Ok(())
}

fn check(graph: &Graph) -> Vec<Violation> {
    let mut found = Vec::new();
    places(graph, &mut found);
    for edge in graph.edges() {
        arrow(graph, &edge, &mut found);
        owner(graph, &edge, &mut found);
        ban(graph, &edge, &mut found);
    }
    types_only(graph, &mut found);
    reach(graph, &mut found);
    found
}

fn layer(name: &str) -> Option<&'static Crate> {
    CRATES.iter().find(|c| c.name == name)
}

/// Every member is in the table, and lies in the folder that gives it its permissions.
fn places(graph: &Graph, found: &mut Vec<Violation>) {
    for (name, package) in &graph.packages {
        match layer(name) {
            None => found.push(Violation {
                rule: "place",
                what: format!("{name} has no layer: give it one in xtask/src/layers/table.rs"),
            }),
            Some(c) if c.folder != package.folder => {
                found.push(Violation {
                    rule: "place",
                    what: format!(
                        "{name} lies in `{}`, its layer is `{}`",
                        package.folder, c.folder
                    ),
                });
            }
            Some(_) => {}
        }
    }
}

/// A member imports only what its row allows. Tests may use the crates of `testing/` besides.
fn arrow(graph: &Graph, edge: &Edge<'_>, found: &mut Vec<Violation>) {
    let (Some(from), Some(to)) = (layer(edge.from), graph.packages.get(edge.to)) else { return };
    let everything = from.folder == "testing";
    let test_help = edge.dev && to.folder == "testing";
    if !(everything || test_help || from.may.contains(&edge.to)) {
        found.push(Violation {
            rule: "arrow",
            what: format!("{} must not import {}", edge.from, edge.to),
        });
    }
}

/// Some libraries belong to one crate.
fn owner(graph: &Graph, edge: &Edge<'_>, found: &mut Vec<Violation>) {
    let in_testing = graph.packages.get(edge.from).is_some_and(|p| p.folder == "testing");
    for owned in OWNERS {
        let exempt = owned.tests_may && (edge.dev || in_testing)
            || owned.except.contains(&(edge.from, edge.to));
        if owned.libraries.iter().any(|l| matches(l, edge.to)) && edge.from != owned.by && !exempt {
            let what = format!(
                "{} must not name {}: {} belongs to {}",
                edge.from, edge.to, owned.what, owned.by
            );
            found.push(Violation { rule: "owner", what });
        }
    }
}

/// Some libraries are closed to a whole folder (tests of that folder are free), or to all.
fn ban(graph: &Graph, edge: &Edge<'_>, found: &mut Vec<Violation>) {
    let Some(from) = graph.packages.get(edge.from) else { return };
    for ban in BANS {
        let here = ban.folder.is_none_or(|folder| folder == from.folder && !edge.dev);
        if here && ban.libraries.iter().any(|l| matches(l, edge.to)) {
            found.push(Violation {
                rule: "ban",
                what: format!("{} must not name {}: {}", edge.from, edge.to, ban.reason),
            });
        }
    }
}

/// A face takes nothing of the daemon but its types.
fn types_only(graph: &Graph, found: &mut Vec<Violation>) {
    for edge in
        graph.edges().filter(|e| FACES.contains(&e.from) && e.to == "pvtcoms-daemon" && !e.dev)
    {
        if edge.default_features || edge.features.iter().any(|f| f != "types") {
            let what = format!(
                "{} must take pvtcoms-daemon with default-features = false and features = [\"types\"] at most",
                edge.from
            );
            found.push(Violation { rule: "face", what });
        }
    }
}

/// What must not be reached, by whatever way the features open.
fn reach(graph: &Graph, found: &mut Vec<Violation>) {
    for c in CRATES {
        let reached = graph.reach(c.name);
        for never in c.never.iter().filter(|n| reached.contains(**n)) {
            found.push(Violation {
                rule: "reach",
                what: format!("{} must never reach {never}", c.name),
            });
        }
    }
}

/// A name, or one with `*` at its beginning or end.
fn matches(pattern: &str, name: &str) -> bool {
    if let Some(start) = pattern.strip_suffix('*') {
        name.starts_with(start)
    } else if let Some(end) = pattern.strip_prefix('*') {
        name.ends_with(end)
    } else {
        pattern == name
    }
}
