//! `models/models.toml`, and how a model with marked lines becomes one variant of itself.
//!
//! A line that ends in `// @flag` is there only if the flag is set, one that ends in `// @!flag` only if it is not; several marks
//! on a line must all be met. Everything else of a model is in every variant.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde::Deserialize;

use super::uncontrolled;

/// The whole table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(rename = "scenario")]
    pub(super) scenarios: Vec<Scenario>,
}

/// One situation, with what must hold in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Scenario {
    pub(super) name: String,
    pub(super) says: String,
    /// `models/MODEL.vp`.
    model: String,
    /// Runs of the protocol by each side that the attacker may interleave.
    pub(super) sessions: u8,
    /// A search cut at the depth of terms counts as well.
    #[serde(default)]
    pub(super) bounded: bool,
    #[serde(default)]
    with: Vec<String>,
    pub(super) holds: Vec<String>,
    #[serde(default, rename = "control")]
    pub(super) controls: Vec<Control>,
}

/// A variant of the scenario that is broken on purpose.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Control {
    pub(super) says: String,
    /// Flags that are set besides those of the scenario.
    #[serde(default)]
    with: Vec<String>,
    /// Flags of the scenario that are not set.
    #[serde(default)]
    without: Vec<String>,
    pub(super) breaks: Vec<String>,
}

impl Scenario {
    /// The model's place in the checkout.
    pub(super) fn file(&self) -> String {
        format!("models/{}.vp", self.model)
    }

    /// Refuses what would make a result mean less than it says: a query without a control, and a flag that no line bears.
    pub(super) fn check(&self, text: &str) -> Result<()> {
        ensure!(!self.holds.is_empty(), "it asks nothing");
        let open = uncontrolled(self);
        ensure!(open.is_empty(), "no control breaks: {}", open.join(", "));
        let known: BTreeSet<&str> =
            text.lines().flat_map(|l| marks(l).1).map(|m| m.trim_start_matches('!')).collect();
        for control in &self.controls {
            ensure!(!control.breaks.is_empty(), "control `{}` breaks nothing", control.says);
            for flag in &control.without {
                ensure!(self.with.contains(flag), "`{flag}` is not set and cannot be taken away");
            }
        }
        let named = self.with.iter().chain(self.controls.iter().flat_map(|c| &c.with));
        for flag in named {
            if !known.contains(flag.as_str()) {
                bail!("no line of {} is marked `{flag}`", self.file());
            }
        }
        Ok(())
    }

    /// The model of this scenario, or of one of its controls, with its queries.
    pub(super) fn expand(&self, text: &str, control: Option<&Control>) -> String {
        let mut flags: BTreeSet<&str> = self.with.iter().map(String::as_str).collect();
        let mut queries = &self.holds;
        if let Some(control) = control {
            flags.extend(control.with.iter().map(String::as_str));
            for flag in &control.without {
                flags.remove(flag.as_str());
            }
            queries = &control.breaks;
        }
        let mut out = String::new();
        for line in text.lines() {
            let (code, marks) = marks(line);
            let in_force = marks.iter().all(|mark| match mark.strip_prefix('!') {
                Some(flag) => !flags.contains(flag),
                None => flags.contains(mark),
            });
            if in_force {
                out.push_str(code);
                out.push('\n');
            }
        }
        out.push_str("\nqueries[\n");
        for query in queries {
            out.push('\t');
            out.push_str(query);
            out.push('\n');
        }
        out.push_str("]\n");
        out
    }
}

/// A line without its marks, and the marks without `@`. A comment with any other word in it is a comment.
fn marks(line: &str) -> (&str, Vec<&str>) {
    let Some((code, comment)) = line.rsplit_once("//") else { return (line, Vec::new()) };
    let words: Option<Vec<&str>> =
        comment.split_whitespace().map(|word| word.strip_prefix('@')).collect();
    match words {
        Some(words) if !words.is_empty() => (code.trim_end(), words),
        _ => (line, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "always // a comment\nif set // @a\nif not // @!a\nboth // @a @b\n";

    fn scenario(more: &str) -> Scenario {
        let fixed = "name = 's'\nsays = 's'\nmodel = 'm'\nsessions = 1\nholds = ['q?']\n";
        toml::from_str(&format!("{fixed}{more}")).unwrap()
    }

    #[test]
    fn marked_lines_follow_the_flags() {
        let control = "with = ['a']\n[[control]]\nsays = 'c'\nwith = ['b']\nbreaks = ['q?']\n";
        let scenario = scenario(control);
        let queries = "\nqueries[\n\tq?\n]\n";
        assert_eq!(scenario.expand(MODEL, None), format!("always // a comment\nif set\n{queries}"));
        assert_eq!(
            scenario.expand(MODEL, scenario.controls.first()),
            format!("always // a comment\nif set\nboth\n{queries}")
        );
        scenario.check(MODEL).unwrap();
    }

    #[test]
    fn tables_that_show_less_than_they_say_are_refused() {
        for (more, complaint) in [
            ("", "no control breaks: q?"),
            ("[[control]]\nsays = 'c'\nwith = ['c']\nbreaks = ['q?']\n", "marked `c`"),
            ("[[control]]\nsays = 'c'\nwithout = ['a']\nbreaks = ['q?']\n", "cannot be taken away"),
            (
                "with = ['z']\n[[control]]\nsays = 'c'\nwith = ['a']\nbreaks = ['q?']\n",
                "marked `z`",
            ),
        ] {
            let error = scenario(more).check(MODEL).unwrap_err().to_string();
            assert!(error.contains(complaint), "{error}");
        }
    }
}
