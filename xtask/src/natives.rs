//! SUP-5: what is linked from C is followed by hand, so `docs/native-libs.md` must know all of it.
//!
//! Every package in the lock file with a `links` key has a row with its exact version in the table
//! `| package | version | links | what it is | floor | read | reviewed |`; a row without its package is out of date.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use jiff::civil::Date;

use crate::deny::days;
use crate::project::Project;

const PAGE: &str = "docs/native-libs.md";

/// A review older than this is worth a warning.
const OLD_DAYS: i32 = 90;

/// Compares the page with the lock file.
pub(crate) fn check(project: &Project, today: Date) -> Result<()> {
    let packages = project.everything()?.packages.into_iter();
    let linked: BTreeMap<String, String> = packages
        .filter_map(|p| {
            p.links.as_ref().map(|_| (format!("{} {}", p.name, p.version), p.name.to_string()))
        })
        .collect();
    let (wrong, old) = compare(&project.read(PAGE)?, linked.keys().map(String::as_str), today)?;
    for line in old {
        println!("natives: WARNING: {line}");
    }
    for line in &wrong {
        println!("{PAGE}: {line}");
    }
    println!("natives: packages={} wrong={}", linked.len(), wrong.len());
    if !wrong.is_empty() {
        bail!("{PAGE} does not describe what is linked");
    }
    Ok(())
}

/// Returns what is wrong, and which reviews are old.
fn compare<'a>(
    page: &str,
    linked: impl Iterator<Item = &'a str>,
    today: Date,
) -> Result<(Vec<String>, Vec<String>)> {
    let mut rows = BTreeMap::new();
    for line in page.lines().filter_map(|l| l.strip_prefix("| `")) {
        let cells: Vec<&str> = line.trim_end_matches('|').split('|').map(str::trim).collect();
        if let [name, version, .., reviewed] = cells.as_slice() {
            let day: Date =
                reviewed.parse().with_context(|| format!("{PAGE}: `{reviewed}` is no date"))?;
            rows.insert(format!("{} {version}", name.trim_matches('`')), day);
        }
    }
    let mut wrong = Vec::new();
    let mut old = Vec::new();
    for package in linked {
        match rows.remove(package) {
            None => wrong.push(format!("no row for {package}")),
            Some(day) if days(day, today) > OLD_DAYS => {
                old.push(format!("{package} was reviewed on {day}"))
            }
            Some(_) => {}
        }
    }
    wrong.extend(rows.into_keys().map(|package| format!("{package} is not in the lock file")));
    Ok((wrong, old))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE_TEXT: &str = "| package | version | links | what | floor | read | reviewed |\n|---|---|---|---|---|---|---|\n\
                             | `a-sys` | 1.0.0 | a | A | - | x | 2026-11-01 |\n| `b-sys` | 2.0.0 | b | B | - | x | 2026-01-01 |\n";

    #[test]
    fn page_and_lock_must_agree() {
        let today = "2026-11-23".parse().unwrap();
        let (wrong, old) =
            compare(PAGE_TEXT, ["a-sys 1.0.0", "b-sys 2.0.0"].into_iter(), today).unwrap();
        assert_eq!(
            (wrong, old),
            (vec![], vec!["b-sys 2.0.0 was reviewed on 2026-01-01".to_owned()])
        );

        let (wrong, _) =
            compare(PAGE_TEXT, ["a-sys 1.0.1", "b-sys 2.0.0"].into_iter(), today).unwrap();
        assert_eq!(wrong, ["no row for a-sys 1.0.1", "a-sys 1.0.0 is not in the lock file"]);
    }
}
