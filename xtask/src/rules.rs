//! `cargo xtask spec`: every numbered rule of `docs/spec` stands at a line of code and in the name of a test.
//!
//! A rule is `[BRD-7]` in a page of `docs/spec`; its line is any source line with `BRD-7`, its test any function `..brd_7..`. A page may
//! excuse rules in a line `- [BRD-10] not testable here: reason`.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};

use crate::project::Project;
use crate::sources::{Sources, ids};

/// The rules that the pages define.
#[derive(Default)]
pub(crate) struct Spec {
    rules: BTreeSet<String>,
    excused: BTreeSet<String>,
}

impl Spec {
    pub(crate) fn read(project: &Project) -> Result<Self> {
        let mut spec = Self::default();
        let folder = project.root().join("docs/spec");
        if !folder.exists() {
            return Ok(spec);
        }
        for entry in std::fs::read_dir(&folder).context("cannot list docs/spec")? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "md") {
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("cannot read {}", path.display()))?;
                spec.add(&text);
            }
        }
        Ok(spec)
    }

    fn add(&mut self, page: &str) {
        for line in page.lines() {
            let named = bracketed(line);
            if line.contains("not testable here:") {
                self.excused.extend(named.iter().cloned());
            }
            self.rules.extend(named);
        }
    }

    pub(crate) fn knows(&self, id: &str) -> bool {
        self.rules.contains(id)
    }
}

/// The ids in a line that stand in square brackets.
fn bracketed(line: &str) -> Vec<String> {
    let inside =
        line.split('[').skip(1).filter_map(|rest| rest.split_once(']')).map(|(inside, _)| inside);
    inside
        .filter(|text| ids(text).first().is_some_and(|id| id == text))
        .map(str::to_owned)
        .collect()
}

/// What `cargo xtask spec` reports.
struct Report {
    untested: Vec<String>,
    unplaced: Vec<String>,
    /// Tests named for a rule that no page has, in a family that some page has.
    strays: Vec<String>,
}

pub(crate) fn run(project: &Project) -> Result<()> {
    let spec = Spec::read(project)?;
    let sources = Sources::scan(project)?;
    let known = requirement_ids(&project.read("docs/requirements.md")?);
    let report = check(&spec, &sources, &known);
    for stray in &report.strays {
        println!("{stray}: no page of docs/spec has this rule");
    }
    for (what, ids) in
        [("no test names", &report.untested), ("no source line names", &report.unplaced)]
    {
        if !ids.is_empty() {
            println!("{what}: {}", ids.join(" "));
        }
    }
    let (untested, unplaced) = (report.untested.len(), report.unplaced.len());
    println!("spec: rules={} untested={untested} unplaced={unplaced}", spec.rules.len());
    if !report.strays.is_empty() {
        bail!("{} tests name rules that do not exist", report.strays.len());
    }
    Ok(())
}

/// The ids of `docs/requirements.md`: the first column of its tables.
pub(crate) fn requirement_ids(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter_map(|line| line.strip_prefix('|')?.split('|').next())
        .flat_map(ids)
        .collect()
}

fn check(spec: &Spec, sources: &Sources, requirements: &BTreeSet<String>) -> Report {
    let wanted = || spec.rules.iter().filter(|rule| !spec.excused.contains(*rule));
    let untested = wanted().filter(|rule| !sources.tests.keys().any(|test| names(test, rule)));
    let unplaced = wanted().filter(|rule| !sources.ids.contains(*rule));

    let families: BTreeSet<&str> =
        spec.rules.iter().filter_map(|r| r.rsplit_once('-')).map(|(f, _)| f).collect();
    let mut strays = Vec::new();
    for (test, files) in &sources.tests {
        for family in &families {
            if let Some(rule) =
                rule_of(test, family).filter(|r| !spec.knows(r) && !requirements.contains(r))
            {
                let places: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                strays.push(format!("{test} ({}) names {rule}", places.join(", ")));
            }
        }
    }
    Report { untested: untested.cloned().collect(), unplaced: unplaced.cloned().collect(), strays }
}

/// Whether the name of a test contains a rule as whole words: `brd_7` is in `brd_7_rejects`, not in `brd_70_rejects`.
fn names(test: &str, rule: &str) -> bool {
    let rule = rule.to_lowercase().replace('-', "_");
    format!("_{test}_").contains(&format!("_{rule}_"))
}

/// The rule of `family` that a test's name begins with.
fn rule_of(test: &str, family: &str) -> Option<String> {
    let rest = test.strip_prefix(&family.to_lowercase().replace('-', "_"))?.strip_prefix('_')?;
    let number = rest.split('_').next()?;
    let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    digits.then(|| format!("{family}-{number}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(tests: &[&str], ids: &[&str]) -> Sources {
        Sources {
            tests: tests.iter().map(|t| ((*t).to_owned(), vec!["a.rs".into()])).collect(),
            ids: ids.iter().map(|i| (*i).to_owned()).collect(),
        }
    }

    fn spec() -> Spec {
        let mut spec = Spec::default();
        spec.add("- **[BRD-7]** padding is zero, see [RFC 5869] and [x](y)\n- **[BRD-70]** more\n## Excused\n- [BRD-8] not testable here: words");
        spec.add("**[ID-CERT-1]** four keys");
        spec
    }

    #[test]
    fn untested_and_unplaced_rules_are_listed() {
        let report = check(
            &spec(),
            &sources(&["brd_7_rejects", "wire_id_cert_1"], &["BRD-7"]),
            &BTreeSet::new(),
        );
        assert_eq!(report.untested, ["BRD-70"]);
        assert_eq!(report.unplaced, ["BRD-70", "ID-CERT-1"]);
        assert_eq!(report.strays, Vec::<String>::new());
    }

    #[test]
    fn tests_of_unknown_rules_are_reported() {
        let requirements = BTreeSet::from(["ID-2".to_owned()]);
        let named = sources(
            &["brd_9_is_gone", "brd_8_fine", "id_cert_2_gone", "id_2_used_twice", "sha_256_other"],
            &[],
        );
        let report = check(&spec(), &named, &requirements);
        assert_eq!(
            report.strays,
            ["brd_9_is_gone (a.rs) names BRD-9", "id_cert_2_gone (a.rs) names ID-CERT-2"]
        );
    }

    #[test]
    fn requirements_are_the_first_column() {
        let page = "| id | promise |\n|---|---|\n| ID-1 | as TH-9 says |\n| TH-2 | x |\n text SE-3";
        assert_eq!(requirement_ids(page), BTreeSet::from(["ID-1".to_owned(), "TH-2".to_owned()]));
    }
}
