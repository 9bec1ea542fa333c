//! Each rule is broken once on purpose: the sound workspace passes, the doctored one is reported, and nothing else is.

use std::path::Path;

use cargo_metadata::MetadataCommand;
use serde_json::{Value, json};

use super::*;

/// A member or library that a doctored manifest names.
struct Plant {
    from: &'static str,
    to: &'static str,
    kind: Option<&'static str>,
    default_features: bool,
    features: &'static [&'static str],
}

const fn plant(from: &'static str, to: &'static str) -> Plant {
    Plant { from, to, kind: None, default_features: false, features: &[] }
}

/// Metadata of a workspace in which every member imports all it may, and each library sits with its owner.
fn sound() -> Value {
    let packages = CRATES.iter().map(|c| {
        let short = c.name.strip_prefix("pvtcoms-").unwrap_or(c.name);
        let id = format!("path+file:///w/{}/{short}#{}@0.1.0", c.folder, c.name);
        let mut dependencies: Vec<Value> = c.may.iter().map(|to| dependency(&plant(c.name, to))).collect();
        dependencies.extend(OWNERS.iter().filter(|o| o.by == c.name).map(|o| {
            let name = o.libraries.first().unwrap().replace('*', "x");
            dependency(&Plant { from: c.name, to: Box::leak(name.into_boxed_str()), ..plant("", "") })
        }));
        if c.name == "pvtcoms-daemon" {
            for d in &mut dependencies {
                d["optional"] = json!(true);
            }
        }
        let features = if c.name == "pvtcoms-daemon" {
            let all: Vec<String> = c.may.iter().map(|m| format!("dep:{m}")).collect();
            json!({ "default": ["core"], "core": all, "types": [] })
        } else {
            json!({})
        };
        json!({
            "name": c.name, "version": "0.1.0", "id": id, "manifest_path": format!("/w/{}/{short}/Cargo.toml", c.folder),
            "dependencies": dependencies, "features": features, "targets": [], "edition": "2024", "source": null,
        })
    });
    let packages: Vec<Value> = packages.collect();
    let members: Vec<Value> = packages.iter().map(|p| p["id"].clone()).collect();
    json!({
        "packages": packages, "workspace_members": members, "resolve": null, "workspace_root": "/w",
        "target_directory": "/w/target", "version": 1,
    })
}

fn dependency(p: &Plant) -> Value {
    json!({
        "name": p.to, "req": "*", "kind": p.kind, "optional": false, "uses_default_features": p.default_features,
        "features": p.features, "target": null, "rename": null, "registry": null, "source": null,
    })
}

fn doctor(mut metadata: Value, plant: &Plant) -> Value {
    let package = metadata["packages"]
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|p| p["name"] == plant.from)
        .unwrap();
    package["dependencies"].as_array_mut().unwrap().push(dependency(plant));
    metadata
}

fn rules(metadata: &Value) -> Vec<(&'static str, String)> {
    let metadata = MetadataCommand::parse(metadata.to_string()).unwrap();
    check(&Graph::new(&metadata, Path::new("/w"))).into_iter().map(|v| (v.rule, v.what)).collect()
}

#[test]
fn sound_workspace_passes() {
    assert_eq!(rules(&sound()), []);
}

#[test]
fn each_planted_import_is_reported() {
    let plants = [
        (plant("pvtcoms-wire", "pvtcoms-crypto"), "arrow"),
        (plant("pvtcoms-ratchet", "pvtcoms-board"), "arrow"),
        (plant("pvtcoms-engine", "pvtcoms-store"), "arrow"),
        (plant("pvtcoms-store", "pvtcoms-gate"), "arrow"),
        (Plant { kind: Some("dev"), ..plant("pvtcoms-ratchet", "pvtcoms-engine") }, "arrow"),
        (Plant { kind: Some("build"), ..plant("pvtcoms-board", "pvtcoms-raw") }, "arrow"),
        (plant("pvtcoms-identity", "sha2"), "owner"),
        (plant("pvtcoms-ratchet", "libcrux-ml-kem"), "owner"),
        (plant("pvtcoms-store", "x25519-dalek"), "owner"),
        (plant("pvtcoms-tor", "sha2"), "owner"),
        (plant("pvtcoms-mailbox", "sha3"), "owner"),
        (plant("pvtcoms-mailbox", "equix"), "owner"),
        (plant("pvtcoms-daemon", "rusqlite"), "owner"),
        (Plant { kind: Some("dev"), ..plant("pvtcoms-e2e", "rusqlite") }, "owner"),
        (plant("pvtcomsd", "arti-client"), "owner"),
        (plant("pvtcoms-gate", "tor-rtcompat"), "owner"),
        (Plant { kind: Some("dev"), ..plant("pvtcoms-e2e", "arti-client") }, "owner"),
        (plant("pvtcoms-daemon", "socket2"), "owner"),
        (plant("pvtcoms-store", "fjall"), "owner"),
        (plant("pvtcoms-engine", "getrandom"), "ban"),
        (plant("pvtcoms-board", "tokio"), "ban"),
        (plant("pvtcoms-handshake", "jiff"), "ban"),
        (plant("pvtcoms-crypto", "ml-dsa"), "ban"),
        (plant("pvtcoms-tor", "reqwest"), "ban"),
        (Plant { kind: Some("dev"), ..plant("pvtcoms", "hickory-resolver") }, "ban"),
    ];
    for (plant, rule) in plants {
        let found = rules(&doctor(sound(), &plant));
        assert!(
            found.iter().any(|(r, what)| *r == rule && what.contains(plant.to)),
            "{} -> {}: {found:?}",
            plant.from,
            plant.to
        );
    }
}

#[test]
fn permitted_imports_are_not_reported() {
    let fine = [
        Plant { kind: Some("dev"), ..plant("pvtcoms-crypto", "ml-kem") },
        Plant { kind: Some("dev"), ..plant("pvtcoms-ratchet", "sha2") },
        Plant { kind: Some("dev"), ..plant("pvtcoms-ratchet", "rand_chacha") },
        Plant { kind: Some("dev"), ..plant("pvtcoms-engine", "pvtcoms-simnet") },
        plant("pvtcoms-simnet", "pvtcoms-engine"),
        plant("pvtcoms-store", "getrandom"),
        plant("pvtcoms-board", "thiserror"),
        plant("pvtcoms-tor", "sha3"),
    ];
    for plant in fine {
        assert_eq!(rules(&doctor(sound(), &plant)), [], "{} -> {}", plant.from, plant.to);
    }
}

#[test]
fn mailbox_never_reaches_what_knows_people_by_a_detour() {
    // board -> identity is a broken arrow, and by it the mailbox would link identity.
    let found = rules(&doctor(sound(), &plant("pvtcoms-board", "pvtcoms-identity")));
    assert!(
        found.contains(&("reach", "pvtcoms-mailbox must never reach pvtcoms-identity".to_owned())),
        "{found:?}"
    );
}

#[test]
fn face_takes_the_types_of_the_daemon_and_nothing_more() {
    let types = Plant { features: &["types"], ..plant("pvtcoms", "pvtcoms-daemon") };
    assert_eq!(rules(&doctor(sound(), &types)), []);

    let full = Plant { default_features: true, ..plant("pvtcoms", "pvtcoms-daemon") };
    let core = Plant { features: &["core"], ..plant("pvtcoms", "pvtcoms-daemon") };
    for bad in [full, core] {
        let found = rules(&doctor(sound(), &bad));
        assert!(found.iter().any(|(rule, _)| *rule == "face"), "{found:?}");
        // The features are followed: the store comes in with them.
        assert!(
            found.contains(&("reach", "pvtcoms must never reach pvtcoms-store".to_owned())),
            "{found:?}"
        );
    }
}

#[test]
fn unknown_and_misplaced_members_are_reported() {
    let text = sound().to_string();
    let misplaced = text.replace("/w/protocol/wire/", "/w/shell/wire/");
    let found = rules(&serde_json::from_str(&misplaced).unwrap());
    assert!(
        found.iter().any(|(rule, what)| *rule == "place" && what.contains("pvtcoms-wire")),
        "{found:?}"
    );

    let unknown = text.replace("\"name\":\"pvtcoms-simnet\"", "\"name\":\"pvtcoms-surprise\"");
    let found = rules(&serde_json::from_str(&unknown).unwrap());
    assert!(
        found.iter().any(|(rule, what)| *rule == "place" && what.contains("pvtcoms-surprise")),
        "{found:?}"
    );
}

/// The same through Cargo itself: this workspace's own metadata, doctored.
#[test]
fn real_metadata_with_a_planted_import_is_reported() {
    let project = Project::find().unwrap();
    let real = crate::project::output(&mut project.cargo(&[
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version=1",
    ]))
    .unwrap();
    let faults = |metadata: &Value| {
        let metadata = MetadataCommand::parse(metadata.to_string()).unwrap();
        check(&Graph::new(&metadata, project.root()))
    };
    let real: Value = serde_json::from_str(&real).unwrap();
    let before = faults(&real);
    let plants = [
        (
            plant("pvtcoms-wire", "pvtcoms-engine"),
            "arrow",
            "pvtcoms-wire must not import pvtcoms-engine",
        ),
        (plant("pvtcomsd", "tor-proto"), "owner", "pvtcomsd must not name tor-proto"),
        (plant("pvtcoms-content", "getrandom"), "ban", "pvtcoms-content must not name getrandom"),
    ];
    for (plant, rule, what) in plants {
        let is_it = |v: &Violation| v.rule == rule && v.what.starts_with(what);
        assert!(!before.iter().any(is_it), "{what}: before it was planted");
        assert!(faults(&doctor(real.clone(), &plant)).iter().any(is_it), "{what}");
    }
}
