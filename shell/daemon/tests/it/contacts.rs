//! Contacts' life and timers, as faces see them.

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

#[test]
fn rpc_19_eng_7_a_timer_is_agreed_shown_and_begins_where_it_should() {
    let mut pair = Pair::greeted();
    let (bob, a, b) = (&pair.bob, &mut pair.a, &mut pair.b);
    let mut follow = bob.face();
    follow.ok("subscribe", json!({}));
    for bad in [1, 299, 2_592_001] {
        let params = json!({ "contact": "Bob", "seconds": bad });
        assert_eq!(a.err("contacts.timer", params).1, "wrong_use");
    }
    a.ok("contacts.timer", json!({ "contact": "Bob", "seconds": 3600 }));
    let event = follow.event();
    assert_eq!((&event["type"], &event["contact"]), (&json!("contact.timer"), &json!("Alice")));
    assert_eq!(a.ok("contacts", json!({}))[0]["timer"], 3600);
    assert_eq!(b.ok("contacts", json!({}))[0]["timer"], 3600);

    b.ok("inbox", json!({ "ack": true }));
    let sent = a.ok("send", json!({ "contact": "Bob", "text": "for an hour" }));
    let id = json!({ "message": sent["message"] });
    let gone_in = a.until("message", &id, |m| m["state"] == "delivered")["gone_in"].as_u64();
    assert!(gone_in.is_some_and(|left| left > 3000 && left <= 3600), "{gone_in:?}");
    // Looking at it begins nothing; reading does, and once.
    let looked = b.ok("inbox", json!({}));
    assert_eq!((&looked[0]["timer"], &looked[0]["gone_in"]), (&json!(3600), &json!(null)));
    for _ in 0..2 {
        b.ok("message.read", id.clone());
    }
    assert!(b.ok("message", id)["gone_in"].as_u64().is_some_and(|left| left <= 3600));
    assert_eq!(b.ok("inbox", json!({})), json!([]));
}

#[test]
fn rpc_21_brd_39_a_pace_is_chosen_once_a_week_and_holds_later() {
    let mut pair = Pair::greeted();
    let a = &mut pair.a;
    let status = a.ok("status", json!({}));
    assert_eq!((&status["pace"], &status["next_pace"]), (&json!("day_hours"), &json!(null)));
    a.ok("pace.set", json!({ "pace": "every_30" }));
    let status = a.ok("status", json!({}));
    assert_eq!(status["pace"], "day_hours", "not at once: that would show when it was chosen");
    assert_eq!(status["next_pace"]["pace"], "every_30");
    assert!((3500..86_400).contains(&status["next_pace"]["in_s"].as_u64().unwrap()), "{status}");
    a.ok("pace.set", json!({ "pace": "day_hours" }));
    assert_eq!(a.ok("status", json!({}))["next_pace"], json!(null), "taken back");
    assert_eq!(a.err("pace.set", json!({ "pace": "every_second" })).0, -32602);
}

#[test]
fn rpc_18_sto_31_the_retention_of_a_device_is_a_setting() {
    let mut pair = Pair::greeted();
    let a = &mut pair.a;
    assert_eq!(a.ok("status", json!({}))["retention"], 30);
    a.ok("retention.set", json!({ "days": 365 }));
    assert_eq!(a.err("retention.set", json!({ "days": 366 })).1, "wrong_use");
    assert_eq!(a.ok("status", json!({}))["retention"], 365);
    a.ok("retention.set", json!({ "days": 0 }));
    assert_eq!(a.ok("status", json!({}))["retention"], 0);
}
