//! A backup and what is made of it, through the RPC with the real store.

use super::pairing::Pair;
use super::world::{PASSPHRASE, World};
use daemon::Exit;
use serde_json::{Value, json};

const OWN: &str = "the backup has other words than the profile";

fn finished(face: &mut super::face::Face) -> Value {
    face.until("transfer", &json!({}), |transfer| transfer["finished"] != json!(false))
}

#[test]
fn rpc_18_rek_3_a_backup_is_restored_elsewhere_and_the_session_renews_itself() {
    let mut pair = Pair::greeted();
    let (world, a, b) = (&pair.world, &mut pair.a, &mut pair.b);
    let file = world.home.path().join("alice.backup");
    let path = file.to_str().unwrap();
    assert_eq!(a.err("transfer", json!({})).1, "wrong_use");
    assert_eq!(a.err("backup", json!({ "file": "relative", "passphrase": OWN })).1, "wrong_use");
    a.ok("backup", json!({ "file": path, "passphrase": OWN }));
    let second = json!({ "file": format!("{path}.2"), "passphrase": OWN });
    assert_eq!(a.err("backup", second).1, "wrong_use", "one at a time");
    let done = finished(a);
    assert_eq!((&done["finished"], &done["messages"]), (&json!(true), &json!(1)), "{done}");
    assert_eq!(done["bytes"], std::fs::metadata(&file).unwrap().len());
    // It is not overwritten.
    let before = std::fs::read(&file).unwrap();
    a.ok("backup", json!({ "file": path, "passphrase": OWN }));
    assert_eq!(finished(a)["data"]["kind"], "wrong_use");
    assert!(std::fs::read(&file).unwrap() == before);
    let restore = |of_file: &str| json!({ "file": path, "file_passphrase": of_file, "passphrase": PASSPHRASE });
    assert_eq!(a.err("restore", restore(OWN)).1, "profile", "over a profile");

    // The first device is gone for good.
    let lost = b.ok("send", json!({ "contact": "Alice", "text": "to whoever is Alice" }));
    pair.alice.orphan();
    let core = world.core("restored");
    let mut again = core.face();
    again.ok("restore", restore(PASSPHRASE));
    assert_eq!(finished(&mut again)["data"]["kind"], "wrong_passphrase");
    again.ok("restore", restore(OWN));
    assert_eq!(
        again
            .err(
                "create",
                json!({
                    "passphrase": PASSPHRASE, "name": "", "mode": "fast",
                })
            )
            .1,
        "wrong_use",
        "while it is under way"
    );
    let done = finished(&mut again);
    assert_eq!((&done["finished"], &done["messages"]), (&json!(true), &json!(1)), "{done}");
    let contact = &again.ok("contacts", json!({}))[0];
    assert_eq!((&contact["state"], &contact["name"]), (&json!("verified"), &json!("Bob")));
    assert_eq!(
        again.ok("history", json!({ "contact": "Bob", "limit": 10 }))[0]["text"],
        "hi Alice"
    );
    let sent = again.ok("send", json!({ "contact": "Bob", "text": "from the backup" }));
    let delivered = |message: &Value| message["state"] == "delivered";
    again.until("message", &json!({ "message": sent["message"] }), delivered);
    let answer = b.ok("send", json!({ "contact": "Alice", "text": "there you are" }));
    for message in [&lost["message"], &answer["message"]] {
        b.until("message", &json!({ "message": message }), delivered);
    }
}

#[test]
fn rpc_18_a_lock_cancels_a_backup_and_leaves_no_file() {
    let world = World::new();
    let mut core = world.core("alice");
    let mut face = core.create("Alice", "fast");
    let folder = world.home.path().join("backups");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("alice.backup");
    face.ok("backup", json!({ "file": file.to_str().unwrap(), "passphrase": OWN }));
    face.ok("lock", json!({}));
    assert_eq!(core.ended().unwrap(), Exit::Locked);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}
