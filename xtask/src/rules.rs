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
    /// The same for source lines.
    unknown: Vec<String>,
}

impl Report {
    fn verdict(&self) -> Result<()> {
        let lacking = self.untested.len().saturating_add(self.unplaced.len());
        if lacking > 0 {
            bail!("{lacking} times a rule lacks its test or its line of code");
        }
        let gone = self.strays.len().saturating_add(self.unknown.len());
        if gone > 0 {
            bail!("{gone} tests and lines name rules that do not exist");
        }
        Ok(())
    }
}

pub(crate) fn run(project: &Project) -> Result<()> {
    let spec = Spec::read(project)?;
    let sources = Sources::scan(project)?;
    let known = requirement_ids(&project.read("docs/requirements.md")?);
    let report = check(&spec, &sources, &known);
    for stray in report.strays.iter().chain(&report.unknown) {
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
    report.verdict()
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
            let known = |rule: &String| spec.knows(rule) || requirements.contains(rule);
            for rule in rules_of(test, family).into_iter().filter(|rule| !known(rule)) {
                let places: Vec<String> = files.iter().map(|f| f.display().to_string()).collect();
                strays.push(format!("{test} ({}) names {rule}", places.join(", ")));
            }
        }
    }
    let of_a_family =
        |id: &&String| id.rsplit_once('-').is_some_and(|(family, _)| families.contains(family));
    let unknown = sources.ids.iter().filter(of_a_family);
    let unknown = unknown.filter(|id| !spec.knows(id) && !requirements.contains(*id));
    Report {
        untested: untested.cloned().collect(),
        unplaced: unplaced.cloned().collect(),
        unknown: unknown.map(|id| format!("a source line names {id}")).collect(),
        strays,
    }
}

/// Whether the name of a test contains a rule as whole words: `brd_7` is in `brd_7_rejects`, not in `brd_70_rejects`.
fn names(test: &str, rule: &str) -> bool {
    let rule = rule.to_lowercase().replace('-', "_");
    format!("_{test}_").contains(&format!("_{rule}_"))
}

/// The rules of `family` that a test's name holds as whole words.
fn rules_of(test: &str, family: &str) -> Vec<String> {
    let test = format!("_{test}");
    let family_words = format!("_{}_", family.to_lowercase().replace('-', "_"));
    let numbers = test.match_indices(&family_words).filter_map(|(at, _)| {
        let rest = test.get(at.checked_add(family_words.len())?..)?;
        rest.split('_').next()
    });
    let digits = |number: &&str| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    numbers.filter(digits).map(|number| format!("{family}-{number}")).collect()
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
        spec.add("- **[XYZ-7]** padding is zero, see [RFC 5869] and [x](y)\n- **[XYZ-70]** more\n## Excused\n- [XYZ-8] not testable here: words");
        spec.add("**[ID-CERT-1]** four keys");
        spec
    }

    #[test]
    fn untested_and_unplaced_rules_are_listed() {
        let report = check(
            &spec(),
            &sources(&["xyz_7_rejects", "wire_id_cert_1"], &["XYZ-7"]),
            &BTreeSet::new(),
        );
        assert_eq!(report.untested, ["XYZ-70"]);
        assert_eq!(report.unplaced, ["ID-CERT-1", "XYZ-70"]);
        assert_eq!(report.strays, Vec::<String>::new());
        assert!(report.verdict().is_err());
    }

    #[test]
    fn a_page_whose_rules_all_have_a_line_and_a_test_passes() {
        let complete = sources(
            &["xyz_7_xyz_70_both", "id_cert_1_keys"],
            &["XYZ-7", "XYZ-70", "XYZ-8", "ID-CERT-1"],
        );
        let report = check(&spec(), &complete, &BTreeSet::new());
        assert!(report.verdict().is_ok());
    }

    #[test]
    fn lines_of_unknown_rules_are_reported() {
        let report = check(&spec(), &sources(&[], &["XYZ-99", "RFC-9"]), &BTreeSet::new());
        assert_eq!(report.unknown, ["a source line names XYZ-99"]);
        let none = Report { untested: vec![], unplaced: vec![], ..report };
        assert!(none.verdict().is_err());
    }

    #[test]
    fn tests_of_unknown_rules_are_reported() {
        let requirements = BTreeSet::from(["ID-2".to_owned()]);
        let named = sources(
            &[
                "xyz_7_xyz_9_is_gone",
                "xyz_8_fine",
                "id_cert_2_gone",
                "id_2_used_twice",
                "sha_256_other",
            ],
            &[],
        );
        let report = check(&spec(), &named, &requirements);
        assert_eq!(
            report.strays,
            ["id_cert_2_gone (a.rs) names ID-CERT-2", "xyz_7_xyz_9_is_gone (a.rs) names XYZ-9"]
        );
    }

    #[test]
    fn requirements_are_the_first_column() {
        let page = "| id | promise |\n|---|---|\n| ID-1 | as TH-9 says |\n| TH-2 | x |\n text SE-3";
        assert_eq!(requirement_ids(page), BTreeSet::from(["ID-1".to_owned(), "TH-2".to_owned()]));
    }
}
