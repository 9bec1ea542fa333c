//! Contacts' life, as faces see it.

use super::pairing::Pair;
use serde_json::json;

#[test]
fn rpc_17_eng_4_a_blocked_contact_is_named_and_nothing_is_sent_to_it() {
    let mut pair = Pair::greeted();
    let (alice, a, b) = (&pair.alice, &mut pair.a, &mut pair.b);
    let mut follow = alice.face();
    follow.ok("subscribe", json!({}));
    a.ok("inbox", json!({ "ack": true }));
    for _ in 0..2 {
        a.ok("contacts.block", json!({ "contact": "Bob" }));
    }
    assert_eq!(follow.event()["type"], "contact.blocked");
    assert_eq!(a.ok("contacts", json!({}))[0]["blocked"], true);
    assert_eq!(a.ok("status", json!({}))["silenced"], json!(["Bob"]));
    let refused = a.call("send", json!({ "contact": "Bob", "text": "hi" })).unwrap_err();
    assert_eq!((&refused["code"], &refused["data"]["kind"]), (&json!(-32004), &json!("blocked")));
    assert_eq!(refused["data"]["hint"], "End the blocking first.");
    let sent = b.ok("send", json!({ "contact": "Alice", "text": "while blocked" }));
    let id = json!({ "message": sent["message"] });
    b.until("message", &id, |message| message["state"] == "stored");

    a.ok("contacts.block", json!({ "contact": "Bob", "undo": true }));
    // Nothing came in between.
    assert_eq!(follow.event()["type"], "contact.unblocked");
    assert_eq!(follow.event()["message"]["text"], "while blocked");
    b.until("message", &id, |message| message["state"] == "delivered");
    assert_eq!(a.ok("status", json!({}))["silenced"], json!([]));
    assert_eq!(a.err("contacts.block", json!({ "contact": "Eve" })).1, "wrong_use");
}
