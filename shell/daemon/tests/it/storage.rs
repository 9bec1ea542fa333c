//! Saving fails: nothing leaves, faces are told, and it goes on by itself.

use super::lock::WriteLock;
use super::world::World;
use serde_json::json;

#[test]
fn rpc_8_sto_24_what_cannot_be_saved_is_not_done_and_the_loop_recovers() {
    let world = World::new();
    let core = world.core("alice");
    let mut face = core.create("Alice", "fast");
    face.ok("mailbox.add", json!({ "address": world.address() }));
    let lock = WriteLock::take(core.path());
    let refused = face.err("invite.new", json!({ "name": "", "hours": 48 }));
    assert_eq!(refused, (-32007, "storage".to_owned()));
    let warnings = face.ok("status", json!({}))["warnings"][0].to_string();
    assert!(warnings.contains("Nothing was saved"), "{warnings}");
    drop(lock);
    // The engine is loaded again, without what was never saved.
    let invites = face.until("invite.show", &json!({ "id": "" }), |answer| answer.is_array());
    assert_eq!(invites, json!([]));
    let invite = face.ok("invite.new", json!({ "name": "", "hours": 48 }));
    let id = json!({ "id": invite["id"] });
    let ready = face.until("invite.show", &id, |invites| invites[0]["state"] == "ready");
    assert!(ready[0]["uri"].as_str().unwrap().starts_with("pvtcoms:"));
    let status = face.ok("status", json!({}));
    assert!(!status["warnings"][0].to_string().contains("Nothing was saved"), "{status}");
}
