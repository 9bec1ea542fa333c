use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use vectors::mistakes::check;
use vectors::{STATES, folder, load, mistakes_in};

const PAGES: [&str; 8] =
    ["wire", "crypto", "identity", "handshake", "ratchet", "content", "board", "sas"];

fn all() -> (Value, BTreeMap<String, Value>) {
    let folder = folder();
    let names = mistakes_in(&folder).unwrap();
    let files = names.into_iter().map(|name| (name.clone(), load(&folder, &name).unwrap()));
    (load(&folder, STATES).unwrap(), files.collect())
}

/// Each gives its error and no other, and the good input beside it is taken.
#[test]
fn every_mistake_gives_its_error_and_its_good_twin_none() {
    let (states, files) = all();
    assert!(files.len() >= 140, "{} mistakes", files.len());
    for (name, file) in &files {
        check(file, &states).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

/// A vector that does not hold what it says is found, whichever half is wrong.
#[test]
fn control_a_false_mistake_is_found() {
    let (states, files) = all();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut file = files["mistakes/wire-short.json"].clone();
        change(&mut file);
        check(&file, &states).unwrap_err()
    };
    let accepted = with(&|file| file["bad"] = file["good"].clone());
    assert_eq!(accepted, "the mistake is accepted");
    let refused = with(&|file| file["good"] = file["bad"].clone());
    assert_eq!(refused, "the good input is refused: Short");
    let other = with(&|file| file["expect"] = "Long".into());
    assert_eq!(other, "refused with Short and not with \"Long\"");
}

/// The rules that the pages define: `[BRD-7]`.
fn rules() -> BTreeSet<String> {
    let spec = folder().join("../docs/spec");
    let mut rules = BTreeSet::new();
    for page in PAGES {
        let text = fs::read_to_string(spec.join(format!("{page}.md"))).unwrap();
        for inside in text.split('[').skip(1).filter_map(|rest| Some(rest.split_once(']')?.0)) {
            let Some((family, number)) = inside.rsplit_once('-') else { continue };
            let upper = family.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
            if upper && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
                rules.insert(inside.to_owned());
            }
        }
    }
    rules
}

/// Every rule of the eight pages stands in `rules.json` once: those that refuse something have a
/// mistake, the others say why they have none.
#[test]
fn every_rule_that_refuses_has_its_mistake() {
    let (_, files) = all();
    let list = load(&folder(), "rules.json").unwrap();
    let refuses: BTreeSet<String> = serde_json::from_value(list["refuse"].clone()).unwrap();
    let silent: BTreeMap<String, String> =
        serde_json::from_value(list["refuse nothing"].clone()).unwrap();
    let listed: BTreeSet<String> = refuses.iter().chain(silent.keys()).cloned().collect();
    assert_eq!(listed.len(), refuses.len() + silent.len(), "a rule is listed twice");
    let differ: Vec<String> = listed.symmetric_difference(&rules()).cloned().collect();
    assert!(differ.is_empty(), "vectors/rules.json and docs/spec differ in {differ:?}");
    assert!(silent.values().all(|reason| reason.len() > 10), "a reason is missing");

    let named: BTreeSet<String> =
        files.values().map(|file| file["rule"].as_str().unwrap().to_owned()).collect();
    let differ: Vec<&String> = named.symmetric_difference(&refuses).collect();
    assert!(differ.is_empty(), "vectors/rules.json and vectors/mistakes differ in {differ:?}");
}
