//! `cargo xtask claims`: every claim of `docs/claims.md` names a requirement, what shows it, and when that was last seen;
//! every fault of `docs/reliability.md` names its test.
//!
//! A row is `| id | claim | shown by | last figure, date |`. `id` names requirements of `docs/requirements.md` or rules of `docs/spec`.
//! `shown by` holds one or more of these in backticks, all of which must exist:
//! a test (`name`, or `crate::..::name`), a command (`cargo xtask layers`, `make demo`), or a file with a `compile_fail` example
//! (`doctest path/to/file.rs`). The last column ends with a date, `2026-11-23`.

mod reliability;

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::rules::{Spec, requirement_ids};
use crate::sources::{Sources, ids};

/// What a claim may rest on.
struct Evidence {
    ids: Box<dyn Fn(&str) -> bool>,
    sources: Sources,
    verbs: Vec<String>,
    goals: BTreeSet<String>,
    compile_fail: Box<dyn Fn(&str) -> bool>,
}

/// One row of the ledger.
#[derive(Debug, Default, PartialEq, Eq)]
struct Row {
    line: usize,
    cells: Vec<String>,
}

pub(crate) fn run(project: &Project) -> Result<()> {
    let evidence = Evidence::gather(project)?;
    let page = project.read("docs/reliability.md")?;
    let (faults, untested) = reliability::check(&page, |item| evidence.missing(item));
    for fault in &untested {
        println!("docs/reliability.md:{fault}");
    }
    println!("reliability: rows={faults}");
    if faults == 0 || !untested.is_empty() {
        bail!("{} rows of docs/reliability.md are not shown by what they name", untested.len());
    }
    let (total, wrong) = check(&project.read("docs/claims.md")?, &evidence);
    for fault in &wrong {
        println!("docs/claims.md:{fault}");
    }
    let unproven: BTreeSet<&str> =
        wrong.iter().filter_map(|fault| fault.split(':').next()).collect();
    println!("claims: total={total} proven={}", total.saturating_sub(unproven.len()));
    if total == 0 {
        bail!("docs/claims.md has no claims");
    }
    if !wrong.is_empty() {
        bail!("{} claims are not shown by what they name", unproven.len());
    }
    Ok(())
}

impl Evidence {
    fn gather(project: &Project) -> Result<Self> {
        let requirements = requirement_ids(&project.read("docs/requirements.md")?);
        let spec = Spec::read(project)?;
        let makefile = project.read("Makefile")?;
        let root = project.root().to_path_buf();
        Ok(Self {
            ids: Box::new(move |id| requirements.contains(id) || spec.knows(id)),
            sources: Sources::scan(project)?,
            verbs: crate::verbs(),
            goals: makefile
                .lines()
                .filter_map(|l| l.split_once(':'))
                .map(|(goal, _)| goal.to_owned())
                .collect(),
            compile_fail: Box::new(move |file| {
                std::fs::read_to_string(root.join(file))
                    .is_ok_and(|text| text.contains("```compile_fail"))
            }),
        })
    }

    /// Why this piece of evidence does not exist.
    fn missing(&self, item: &str) -> Option<String> {
        let words: Vec<&str> = item.split_whitespace().collect();
        let there = match words.as_slice() {
            ["cargo", "xtask", verb, ..] => self.verbs.iter().any(|v| v == verb),
            ["make", goal] => self.goals.contains(*goal),
            ["doctest", file] => (self.compile_fail)(file),
            [test] => self.has_test(test),
            _ => return Some(format!("`{item}` is no test, no command and no doctest")),
        };
        (!there).then(|| format!("`{item}` does not exist"))
    }

    /// A test by its last segment; a first segment must be the crate (its folder, or its name without `pvtcoms-`).
    fn has_test(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split("::").collect();
        let (Some(first), Some(name)) = (segments.first(), segments.last()) else { return false };
        let Some(files) = self.sources.tests.get(*name) else { return false };
        let crate_folder = first.replace('_', "-");
        segments.len() == 1
            || files.iter().any(|file| {
                file.iter().take(2).any(|part| part.to_string_lossy() == crate_folder.as_str())
            })
    }
}

/// Returns the number of claims and what is wrong with them, as `line: fault`.
fn check(ledger: &str, evidence: &Evidence) -> (usize, Vec<String>) {
    let rows = rows(ledger);
    let mut wrong = Vec::new();
    for Row { line, cells } in &rows {
        let faults = match cells.as_slice() {
            [id, claim, shown_by, last] => row_faults(id, claim, shown_by, last, evidence),
            _ => vec![format!("has {} columns, a claim has four", cells.len())],
        };
        wrong.extend(faults.into_iter().map(|fault| format!("{line}: {fault}")));
    }
    (rows.len(), wrong)
}

fn row_faults(
    id: &str,
    claim: &str,
    shown_by: &str,
    last: &str,
    evidence: &Evidence,
) -> Vec<String> {
    let mut faults = Vec::new();
    let named = ids(id);
    if named.is_empty() {
        faults.push("names no requirement".to_owned());
    }
    faults.extend(
        named
            .iter()
            .filter(|id| !(evidence.ids)(id))
            .map(|id| format!("{id} is no requirement and no rule")),
    );
    if claim.is_empty() {
        faults.push("claims nothing".to_owned());
    }
    let items: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
    if items.is_empty() {
        faults.push("is shown by nothing".to_owned());
    }
    faults.extend(items.into_iter().filter_map(|item| evidence.missing(item)));
    let dated =
        last.split_whitespace().last().is_some_and(|day| day.parse::<jiff::civil::Date>().is_ok());
    if !dated {
        faults.push(format!("`{last}` does not end with a date"));
    }
    faults
}

/// The rows of all tables with the ledger's heading.
fn rows(ledger: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(ledger.lines()) {
        let Some(row) = line.trim().strip_prefix('|') else {
            inside = false;
            continue;
        };
        let row = row.strip_suffix('|').unwrap_or(row);
        let cells: Vec<String> = row.split('|').map(|cell| cell.trim().to_owned()).collect();
        let rule =
            cells.iter().all(|cell| !cell.is_empty() && cell.chars().all(|c| c == '-' || c == ':'));
        if cells == ["id", "claim", "shown by", "last figure, date"] {
            inside = true;
        } else if inside && !rule {
            rows.push(Row { line: number, cells });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "text\n\n| id | claim | shown by | last figure, date |\n|---|---|---|---|\n";

    fn evidence() -> Evidence {
        let mut sources = Sources::default();
        sources
            .tests
            .insert("brd_7_rejects".to_owned(), vec!["protocol/board/src/envelope.rs".into()]);
        Evidence {
            ids: Box::new(|id| ["ID-2", "BRD-7"].contains(&id)),
            sources,
            verbs: vec!["layers".to_owned()],
            goals: BTreeSet::from(["demo".to_owned()]),
            compile_fail: Box::new(|file| file == "protocol/engine/src/step.rs"),
        }
    }

    fn faults(row: &str) -> Vec<String> {
        let (total, wrong) = check(&format!("{HEAD}{row}\n"), &evidence());
        assert_eq!(total, 1);
        wrong
    }

    #[test]
    fn claims_with_real_evidence_are_proven() {
        for row in [
            "| ID-2 | once | `brd_7_rejects` | pass, 2026-11-23 |",
            "| ID-2, BRD-7 | once | `board::envelope::brd_7_rejects`, `cargo xtask layers`, `make demo` | 3 ms, 2026-11-23 |",
            "| BRD-7 | saved | `doctest protocol/engine/src/step.rs` | 2026-11-23 |",
        ] {
            assert_eq!(faults(row), Vec::<String>::new(), "{row}");
        }
    }

    #[test]
    fn claims_planted_false_are_reported() {
        for (row, fault) in [
            ("| ID-9 | once | `brd_7_rejects` | 2026-11-23 |", "ID-9 is no requirement"),
            ("| none | once | `brd_7_rejects` | 2026-11-23 |", "names no requirement"),
            ("| ID-2 | once | `no_such_test` | 2026-11-23 |", "`no_such_test` does not exist"),
            ("| ID-2 | once | `ratchet::brd_7_rejects` | 2026-11-23 |", "does not exist"),
            (
                "| ID-2 | once | `cargo xtask fly` | 2026-11-23 |",
                "`cargo xtask fly` does not exist",
            ),
            ("| ID-2 | once | `make fly` | 2026-11-23 |", "`make fly` does not exist"),
            ("| ID-2 | once | `rm -rf` | 2026-11-23 |", "no test, no command"),
            ("| ID-2 | once | `doctest a.rs` | 2026-11-23 |", "does not exist"),
            ("| ID-2 | once | trust me | 2026-11-23 |", "shown by nothing"),
            ("| ID-2 | | `brd_7_rejects` | 2026-11-23 |", "claims nothing"),
            ("| ID-2 | once | `brd_7_rejects` | soon |", "date"),
            ("| ID-2 | once | `brd_7_rejects` |", "four"),
        ] {
            let found = faults(row);
            assert!(
                matches!(found.as_slice(), [only] if only.contains(fault) && only.starts_with("5: ")),
                "{row}: {found:?}"
            );
        }
    }

    #[test]
    fn real_ledger_with_a_planted_claim_is_reported() {
        let project = Project::find().unwrap();
        let evidence = Evidence::gather(&project).unwrap();
        let ledger = project.read("docs/claims.md").unwrap();
        let (total, wrong) = check(&ledger, &evidence);
        assert!(total > 0);

        let planted = format!(
            "{ledger}\n{HEAD}| TR-1 | nothing leaves | `tr_1_no_such_test_anywhere` | 0 packets, 2026-11-23 |\n"
        );
        let (more, found) = check(&planted, &evidence);
        assert_eq!((more, found.len()), (total + 1, wrong.len() + 1));
        assert!(found.last().unwrap().contains("tr_1_no_such_test_anywhere"), "{found:?}");
    }
}
