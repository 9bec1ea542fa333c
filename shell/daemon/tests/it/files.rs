//! Files through real stores, from a path to a folder.

use super::pairing::{Pair, restart};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt;

fn state_of(files: &Value, id: &Value) -> Value {
    let files = files.as_array().unwrap();
    files
        .iter()
        .find(|file| file["id"] == *id)
        .map(|file| file["state"].clone())
        .unwrap_or_default()
}

#[test]
fn rpc_20_fil_5_fil_12_a_file_goes_from_a_path_to_the_chosen_folder() {
    let mut pair = Pair::greeted();
    let home = pair.alice.path().parent().unwrap().to_owned();
    let (alice, bob) = (&mut pair.alice, &pair.bob);
    let mut follow = bob.face();
    follow.ok("subscribe", json!({}));
    let bytes: Vec<u8> = (0..90_001_u32).map(|k| k.to_le_bytes()[0] ^ k.to_le_bytes()[1]).collect();
    let source = home.join("..a photo\u{202e}.jpg");
    std::fs::write(&source, &bytes).unwrap();

    let folder = home.join("chosen");
    let refused = pair.b.err("files.folder", json!({ "path": folder.to_str().unwrap() }));
    assert_eq!(refused.1, "wrong_use");
    let own = pair.b.ok("files.folder", json!({}));
    assert!(own["path"].as_str().unwrap().ends_with("bob/received"), "{own}");
    std::fs::create_dir(&folder).unwrap();
    pair.b.ok("files.folder", json!({ "path": folder.to_str().unwrap() }));
    // Gone by the time that the file is there: it waits.
    std::fs::remove_dir(&folder).unwrap();

    let wish = json!({ "contact": "Bob", "path": source.to_str().unwrap() });
    let file = pair.a.ok("files.send", wish.clone());
    assert_eq!((&file["size"], &file["ours"]), (&json!(90_001), &json!(true)));
    std::fs::remove_file(&source).unwrap();
    assert_eq!(pair.a.err("files.send", wish).1, "wrong_use");
    let mut a = restart(alice, &pair.world);
    let offered = follow.event_with(|event| event["type"] == "file.offered");
    assert_eq!(offered["file"]["name"], "..a photo\u{fffd}.jpg");
    let id = offered["file"]["id"].clone();
    assert_eq!(id, file["id"]);
    pair.b.until("files", &json!({}), |files| state_of(files, &id) == "whole");
    let waits = |status: &Value| status["warnings"].to_string().contains("its folder is not there");
    pair.b.until("status", &json!({}), waits);
    std::fs::create_dir(&folder).unwrap();
    pair.b.ok("files.folder", json!({ "path": folder.to_str().unwrap() }));

    let received = follow.event_with(|event| event["type"] == "file.received");
    assert_eq!(received["file"]["saved"], "a photo_.jpg");
    let saved = folder.join("a photo_.jpg");
    assert!(std::fs::read(&saved).unwrap() == bytes);
    assert_eq!(saved.metadata().unwrap().mode() & 0o7777, 0o600);
    a.until("files", &json!({ "contact": "Bob" }), |files| state_of(files, &id) == "done");
    let cancelled = a.err("files.cancel", json!({ "file": id }));
    assert_eq!(cancelled.1, "wrong_use");
    assert_eq!(pair.b.ok("status", json!({}))["warnings"].to_string().find("folder"), None);
}

#[test]
fn rpc_20_fil_3_what_is_no_file_or_too_long_is_refused() {
    let mut pair = Pair::greeted();
    let home = pair.alice.path().parent().unwrap().to_owned();
    let a = &mut pair.a;
    let long = home.join("long");
    std::fs::File::create(&long).unwrap().set_len(8 * 1024 * 1024 + 1).unwrap();
    let mut refused = |path: &str| a.err("files.send", json!({ "contact": "Bob", "path": path })).1;
    assert_eq!(refused(long.to_str().unwrap()), "too_long");
    assert_eq!(refused(home.to_str().unwrap()), "wrong_use");
    assert_eq!(refused("long"), "wrong_use");
    let empty = home.join("empty");
    std::fs::write(&empty, b"").unwrap();
    assert_eq!(refused(empty.to_str().unwrap()), "wrong_use");
    assert_eq!(a.ok("files", json!({})), json!([]));
}
