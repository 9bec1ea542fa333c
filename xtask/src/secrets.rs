//! Secrets are opaque and compared in constant time (SE-2, CR-3).
//!
//! Two checks on the sources. Every type that holds a secret stands in `opaque!`, where the compiler sees that it has no `Clone`,
//! `Debug`, `Display`, `PartialEq` or `Hash`. And no `==` or `!=` meets a secret, a tag of an AEAD, a synthetic IV or a commitment.
//!
//! They read text and not types. A secret that was copied out under a name that says nothing is not seen, nor is a comparison by
//! `match`, `contains` or a look-up in a map. Secret types themselves have no `==` at all: for them the compiler is the check.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail};

use crate::project::Project;
use crate::sources::rust_texts;

/// Where secrets live, lowest crate first: each may hold those of the ones before it.
const CRATES: &[&str] = &[
    "protocol/crypto",
    "protocol/identity",
    "protocol/handshake",
    "protocol/ratchet",
    "protocol/content",
    "protocol/board",
    "protocol/engine",
    "shell/store",
];

/// Parts of names of what is compared by `subtle` only.
const GUARDED: &[&str] = &["expose_secret", "mac", "siv", "commitment", "com", "psk", "said"];
/// The same for files that handle AEAD tags; elsewhere a tag is a public place in a mailbox.
const TAG_FILES: &[&str] = &["protocol/crypto/src/aead.rs", "protocol/crypto/src/password.rs"];

/// What was looked at, and what is wrong.
#[derive(Default)]
struct Report {
    secrets: usize,
    wrong: Vec<String>,
}

/// Checks the sources; part of `lint`.
pub(crate) fn run(project: &Project) -> Result<()> {
    let mut report = Report::default();
    let mut known = BTreeSet::from(["SecretBox".to_owned()]);
    for folder in CRATES {
        let texts = rust_texts(project.root(), &format!("{folder}/src"))?.into_iter();
        let files: Vec<(String, String)> = texts
            .filter(|(file, _)| !is_test(file))
            .map(|(file, text)| (file.display().to_string(), code(&text)))
            .collect();
        check(&files, &mut known, &mut report);
    }
    for line in &report.wrong {
        println!("{line}");
    }
    println!("secrets: types={} violations={}", report.secrets, report.wrong.len());
    if !report.wrong.is_empty() {
        bail!("secrets must be opaque and compared by ct_eq: see the lines above");
    }
    Ok(())
}

fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs") || file.components().any(|part| part.as_os_str() == "tests")
}

/// Checks the files of one crate and adds its secrets to `known`.
fn check(files: &[(String, String)], known: &mut BTreeSet<String>, report: &mut Report) {
    let mut opaque: BTreeSet<String> = BTreeSet::new();
    for (_, text) in files {
        let named = roles(text).into_iter().chain(asserted(text));
        // `$name` in the macros themselves is no type.
        opaque.extend(named.filter(|name| name.starts_with(char::is_uppercase)));
    }
    report.secrets = report.secrets.saturating_add(opaque.len());
    known.extend(opaque.iter().cloned());
    for (place, text) in files {
        for (name, fields) in types(text) {
            let holds = words(&fields).find(|word| known.contains(*word));
            if let Some(held) = holds.filter(|_| !opaque.contains(&name)) {
                report.wrong.push(format!("{place}: {name} holds a {held} and is not in opaque!"));
            }
        }
        let tags = TAG_FILES.contains(&place.as_str());
        // Closures and the sides of `&&` and `||` are looked at by themselves.
        for statement in text.split([';', '{', '}', ',', '|', '&']) {
            let compares = statement.contains(" == ") || statement.contains(" != ");
            let parts = words(statement).flat_map(|word| word.split('_').chain([word]));
            let mut guarded = parts.filter(|p| GUARDED.contains(p) || (tags && *p == "tag"));
            if let Some(word) = guarded.next().filter(|_| compares) {
                let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
                report.wrong.push(format!("{place}: `{word}` meets == or != in `{statement}`"));
            }
        }
    }
}

/// The source without comments and without its tests, which stand last.
fn code(text: &str) -> String {
    let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty())
}

/// Role types: the structs within `secret! { .. }`.
fn roles(text: &str) -> Vec<String> {
    let bodies = text.split("\nsecret! {").skip(1).filter_map(|rest| rest.split("\n}").next());
    let structs = bodies.flat_map(|body| body.split("struct ").skip(1));
    structs.filter_map(|rest| words(rest).next()).map(str::to_owned).collect()
}

/// The types in `opaque!(..)`.
fn asserted(text: &str) -> Vec<String> {
    let lists = text.split("opaque!(").skip(1).filter_map(|rest| rest.split(");").next());
    lists
        .flat_map(|list| list.split(',').filter_map(|t| words(t).next()))
        .map(str::to_owned)
        .collect()
}

/// Structs and enums with their fields; what is only borrowed does not count.
fn types(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let bare = line.trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        let bare = bare.trim_start_matches("pub ");
        let Some(rest) = bare.strip_prefix("struct ").or_else(|| bare.strip_prefix("enum ")) else {
            continue;
        };
        let Some(name) = words(rest).next() else { continue };
        let mut fields = rest.get(name.len()..).unwrap_or_default().to_owned();
        if !line.ends_with(';') && !line.ends_with('}') {
            for line in lines.by_ref().take_while(|line| !line.starts_with('}')) {
                fields.push('\n');
                fields.push_str(line);
            }
        }
        // The name of a field or variant comes first in its line, and is no type.
        let owned = fields.lines().filter(|field| !field.contains('&'));
        let types = owned.map(|field| match words(field).next() {
            Some(first) if field.trim_start().starts_with(first) => {
                field.trim_start().get(first.len()..).unwrap_or_default()
            }
            _ => field,
        });
        found.push((name.to_owned(), types.collect::<Vec<_>>().join("\n")));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(place: &str, text: &str) -> Vec<String> {
        let mut report = Report::default();
        let mut known = BTreeSet::from(["SecretBox".to_owned()]);
        check(&[(place.to_owned(), code(text))], &mut known, &mut report);
        report.wrong
    }

    const ROLES: &str = "\nsecret! {\n    /// Doc.\n    pub struct RootKey([u8; 32]);\n    struct Own([u8; 32]);\n}\n";

    #[test]
    fn se_2_a_type_that_holds_a_secret_and_is_not_asserted_is_reported() {
        let planted =
            format!("{ROLES}pub struct State {{\n    n: u32,\n    root: Option<RootKey>,\n}}\n");
        assert_eq!(wrong("a.rs", &planted), ["a.rs: State holds a RootKey and is not in opaque!"]);
        assert!(wrong("a.rs", &format!("{planted}crypto::opaque!(State);\n")).is_empty());

        let planted = format!("{ROLES}enum Turn {{\n    Wait,\n    Send(Own),\n}}\n");
        assert_eq!(wrong("a.rs", &planted).len(), 1);
        let planted = format!("{ROLES}pub(crate) struct Wrapped(RootKey);\n");
        assert_eq!(wrong("a.rs", &planted).len(), 1);
        // One that holds the state is as secret as the state.
        let planted =
            "struct Outer {\n    inner: State,\n}\nstruct State(SecretBox<32>);\nopaque!(State);\n";
        assert_eq!(wrong("a.rs", planted), ["a.rs: Outer holds a State and is not in opaque!"]);
    }

    #[test]
    fn borrowed_secrets_and_tests_are_left_alone() {
        let fine = format!("{ROLES}struct View<'a> {{\n    root: &'a RootKey,\n}}\n");
        assert!(wrong("a.rs", &fine).is_empty());
        let fine = format!("{ROLES}enum Kind {{\n    RootKey,\n    Own {{ n: u32 }},\n}}\n");
        assert!(wrong("a.rs", &fine).is_empty(), "a variant of the same name is no secret");
        let fine = format!("{ROLES}#[cfg(test)]\nmod tests {{\n    struct Holder(RootKey);\n}}\n");
        assert!(wrong("a.rs", &fine).is_empty());
    }

    #[test]
    fn cr_3_comparisons_of_secrets_with_operators_are_reported() {
        for planted in [
            "fn f() { if a.expose_secret() == b.expose_secret() { } }",
            "fn f() { if siv != again { } }",
            "fn f() -> bool { commitment(&r, &c) != self.com_a }",
            "fn f() -> bool {\n    self.known_mac\n        == *other\n}",
        ] {
            assert_eq!(wrong("protocol/ratchet/src/a.rs", planted).len(), 1, "{planted}");
        }
        let tag = "fn f() { if tag == found { } }";
        assert_eq!(wrong("protocol/crypto/src/aead.rs", tag).len(), 1);
        assert!(wrong("protocol/board/src/tag.rs", tag).is_empty(), "a public place in a mailbox");
        for fine in [
            "fn f() { if ct_eq(siv, &again) { } }",
            "fn f() { let x = siv; if n == 1 { } }",
            "fn f() { kept.find(|k| k.slot == slot).map(|k| copy_of(k.expose_secret())) }",
            "// a == siv\nfn f() { }",
        ] {
            assert!(wrong("a.rs", fine).is_empty(), "{fine}");
        }
    }
}
