//! Nobody steps out of the workspace's lints, and `unsafe` has two rooms (MEM-6).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use toml::{Table, Value};

use crate::project::Project;
use crate::sources::rust_texts;

/// The crates with a lint table of their own, because Cargo lets none override a single lint, and the most places that may hold
/// `unsafe` there (`None`: any number).
const OWN_TABLE: &[(&str, Option<usize>)] = &[("pvtcoms-raw", None), ("pvtcoms-store", Some(1))];

/// Lints that an own table may set as it likes: the reason for that table, and one that rustc warns of anyway.
const FREE: &[&str] = &["unsafe_code", "unexpected_cfgs"];

/// Lists what is wrong with the lint tables of the members (name to manifest).
pub(crate) fn check(
    project: &Project,
    manifests: &BTreeMap<String, PathBuf>,
) -> Result<Vec<String>> {
    let root: Table =
        toml::from_str(&project.read("Cargo.toml")?).context("cannot read the root Cargo.toml")?;
    let common = lookup(&root, &["workspace", "lints"]).context("no [workspace.lints]")?;
    let mut wrong = Vec::new();
    for (name, path) in manifests {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Table =
            toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))?;
        wrong.extend(member(name, &manifest, common));
        if let Some((_, Some(most))) = OWN_TABLE.iter().find(|(own, _)| own == name) {
            let places = unsafe_places(path.parent().context("a manifest without a folder")?)?;
            if places > *most {
                wrong.push(format!(
                    "{name} has {places} places with unsafe code, at most {most} may be (MEM-6)"
                ));
            }
        }
    }
    Ok(wrong)
}

fn lookup<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(table, |table, key| table.get(*key)?.as_table())
}

/// A member inherits all lints, or has its own table with every one of them at least as strict, [`FREE`] aside.
fn member(name: &str, manifest: &Table, common: &Table) -> Vec<String> {
    let own = lookup(manifest, &["lints"]);
    let inherits =
        own.and_then(|lints| lints.get("workspace")).and_then(Value::as_bool) == Some(true);
    if inherits {
        return Vec::new();
    }
    let Some(own) = own.filter(|_| OWN_TABLE.iter().any(|(n, _)| *n == name)) else {
        return vec![format!("{name} must inherit the lints: [lints] workspace = true")];
    };
    let mut wrong = Vec::new();
    for (tool, lints) in common {
        let own = own.get(tool).and_then(Value::as_table);
        for (lint, level) in lints.as_table().into_iter().flatten() {
            let has = own.and_then(|own| own.get(lint));
            let loose = has.is_none_or(|has| strictness(has) < strictness(level));
            if !FREE.contains(&lint.as_str()) && loose {
                wrong.push(format!("{name} must not loosen {tool}::{lint}"));
            }
        }
    }
    wrong
}

fn strictness(level: &Value) -> u8 {
    let name = level.as_str().or_else(|| level.get("level").and_then(Value::as_str));
    match name {
        Some("forbid") => 3,
        Some("deny") => 2,
        Some("warn") => 1,
        _ => 0,
    }
}

/// Counts the exceptions from the lint `unsafe_code` in a crate: each marks one function or block.
fn unsafe_places(folder: &Path) -> Result<usize> {
    let texts = rust_texts(folder, "src")?;
    Ok(texts.iter().fold(0, |places: usize, (_, text)| places.saturating_add(count(text))))
}

fn count(text: &str) -> usize {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//") && line.contains("unsafe_code"))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn members_inherit_and_only_two_may_have_their_own_table() {
        let common = table(
            "rust.unsafe_code = 'forbid'\nclippy.panic = 'deny'\nclippy.todo = { level = 'deny', priority = 1 }",
        );
        let same =
            "[lints]\nrust.unsafe_code = 'deny'\nclippy.panic = 'deny'\nclippy.todo = 'forbid'";

        assert!(member("pvtcoms-wire", &table("[lints]\nworkspace = true"), &common).is_empty());
        assert!(member("pvtcoms-store", &table(same), &common).is_empty());

        assert_eq!(
            member("pvtcoms-wire", &table(same), &common).len(),
            1,
            "an own table without leave"
        );
        assert_eq!(member("pvtcoms-wire", &table(""), &common).len(), 1, "no lints at all");
        let loosened = same.replace("panic = 'deny'", "panic = 'warn'");
        assert_eq!(
            member("pvtcoms-store", &table(&loosened), &common),
            ["pvtcoms-store must not loosen clippy::panic"]
        );
        let without = same.replace("clippy.todo = 'forbid'", "");
        assert_eq!(
            member("pvtcoms-raw", &table(&without), &common),
            ["pvtcoms-raw must not loosen clippy::todo"]
        );
    }

    #[test]
    fn mem_6_counts_the_exceptions_from_unsafe_code() {
        assert_eq!(
            count("// unsafe_code in words\n#[expect(unsafe_code, reason = \"key\")]\nfn a() {}\n"),
            1
        );
        let multi = "#[expect(\n    unsafe_code,\n    reason = \"x\"\n)]\n#![expect(unsafe_code, reason = \"y\")]\n";
        assert_eq!(count(multi), 2);
    }
}
