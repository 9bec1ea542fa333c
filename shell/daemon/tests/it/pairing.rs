//! Two cores and one mailbox: invite, words, messages, and what survives what.

use super::face::Face;
use super::lock::WriteLock;
use super::world::{Core, PASSPHRASE, World};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Makes an invite at `a`, takes it at `b`, and waits for both contacts.
fn pair(a: &mut Face, b: &mut Face) {
    let invite = a.ok("invite.new", json!({ "name": "", "hours": 48 }));
    assert_eq!((&invite["state"], &invite["uri"]), (&json!("depositing"), &Value::Null));
    let id = json!({ "id": invite["id"] });
    let ready = a.until("invite.show", &id, |invites| invites[0]["state"] == "ready");
    let uri = ready[0]["uri"].as_str().unwrap();
    let mistyped = format!("{}a", uri.get(..uri.len() - 1).unwrap());
    if mistyped != uri {
        assert_eq!(b.err("accept", json!({ "uri": mistyped, "name": "" })).1, "bad_invite");
    }
    b.ok("accept", json!({ "uri": uri, "name": "" }));
    // RPC-14: an invite that was taken is not shown again.
    assert_eq!(b.ok("invite.show", json!({ "id": "" }))[0]["uri"], Value::Null);
    for face in [a, b] {
        face.until("contacts", &json!({}), |contacts| contacts[0]["state"] == "unverified");
    }
}

/// Each side types what the other reads aloud; one wrong try first.
fn verify(a: &mut Face, b: &mut Face) {
    let to_b = json!({ "contact": "Bob" });
    let to_a = json!({ "contact": "Alice" });
    let (read_by_a, read_by_b) = (a.ok("verify.begin", to_b), b.ok("verify.begin", to_a));
    let words = |comparison: &Value| -> Vec<Value> {
        comparison["read_aloud"].as_array().unwrap().iter().map(|at| at[1].clone()).collect()
    };
    let positions = |comparison: &Value| -> Vec<Value> {
        comparison["read_aloud"].as_array().unwrap().iter().map(|at| at[0].clone()).collect()
    };
    assert_eq!(read_by_a["listen_for"], Value::from(positions(&read_by_b)));
    // RPC-14: what must be heard from the other is nowhere in the answer.
    for word in words(&read_by_b) {
        let known = words(&read_by_a).contains(&word);
        assert!(known || !read_by_a.to_string().contains(word.as_str().unwrap()));
    }
    let wrong = json!({ "contact": "Bob", "words": ["no", "such", "words"] });
    assert_eq!(a.err("verify.words", wrong), (-32004, "wrong_words".to_owned()));
    a.ok("verify.words", json!({ "contact": "Bob", "words": words(&read_by_b) }));
    b.ok("verify.words", json!({ "contact": "alice", "words": words(&read_by_a) }));
    let contact = &a.ok("contacts", json!({}))[0];
    assert_eq!((&contact["state"], &contact["name"]), (&json!("verified"), &json!("Bob")));
    let check = contact["long_check"].clone();
    assert_eq!(check.as_array().unwrap().len(), 12);
    assert_eq!(b.ok("contacts", json!({}))[0]["long_check"], check);
}

fn message_of(event: &Value, text: &str) -> bool {
    event["type"] == "message" && event["message"]["text"] == text
}

fn delivered(event: &Value, message: &Value) -> bool {
    event["message"]["id"] == *message && event["message"]["state"] == "delivered"
}

/// Restarts a core and opens its profile.
pub(crate) fn restart(core: &mut Core, world: &World) -> Face {
    core.orphan();
    core.start(world);
    let mut face = core.face();
    face.ok("unlock", json!({ "passphrase": PASSPHRASE }));
    face
}

/// Two people who compared words, both in `fast` mode.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) alice: Core,
    pub(crate) bob: Core,
    pub(crate) a: Face,
    pub(crate) b: Face,
}

impl Pair {
    pub(crate) fn verified() -> Self {
        let world = World::new();
        let (alice, bob) = (world.core("alice"), world.core("bob"));
        let mut a = alice.create("Alice", "fast");
        let mut b = bob.create("Bob", "fast");
        for face in [&mut a, &mut b] {
            face.ok("mailbox.add", json!({ "address": world.address() }));
        }
        pair(&mut a, &mut b);
        // SAS-4: nothing but the handshake before words were compared.
        let early = json!({ "contact": "Bob", "text": "too early" });
        assert_eq!(a.err("send", early), (-32004, "unverified".to_owned()));
        verify(&mut a, &mut b);
        Self { world, alice, bob, a, b }
    }

    /// Bob first: whoever made the invite cannot send before (RAT-4).
    pub(crate) fn greeted() -> Self {
        let mut pair = Self::verified();
        let hi = pair.b.ok("send", json!({ "contact": "Alice", "text": "hi Alice" }));
        let id = json!({ "message": hi["message"] });
        pair.b.until("message", &id, |message| message["state"] == "delivered");
        pair
    }
}

#[test]
fn rpc_14_no_answer_holds_what_the_other_must_say() {
    // The looks are in `pair` and `verify`, at the moments when there is something to hold back.
    let mut pair = Pair::verified();
    let a = &mut pair.a;
    // Control: while it lies at the mailbox, the own invite's URI is shown.
    let invite = a.ok("invite.new", json!({ "name": "", "hours": 48 }));
    let id = json!({ "id": invite["id"] });
    let ready = a.until("invite.show", &id, |invites| invites[0]["state"] == "ready");
    assert!(ready[0]["uri"].as_str().unwrap().starts_with("pvtcoms:"));
}

#[test]
fn rpc_9_rpc_12_rpc_13_a_message_is_sent_once_and_followed() {
    let mut pair = Pair::verified();
    let (alice, bob, a, b) = (&pair.alice, &pair.bob, &mut pair.a, &mut pair.b);
    let mut bot = bob.face();
    bot.ok("subscribe", json!({ "name": "bot" }));
    let mut follow = alice.face();
    follow.ok("subscribe", json!({}));
    let hi = b.ok("send", json!({ "contact": "Alice", "text": "hi Alice\u{202e}" }));
    assert_eq!(hi["state"], "queued");
    let event = follow.event_with(|event| event["type"] == "message");
    assert_eq!(event["message"]["text"], "hi Alice\u{fffd}"); // HOS-10
    let (contact, state) = (&event["contact"], &event["message"]["state"]);
    assert_eq!((contact, state), (&json!("Bob"), &json!("received")));
    bot.event_with(|event| delivered(event, &hi["message"]));

    let job = json!({ "contact": "Bob", "text": "hello Bob", "key": "job-17" });
    let first = a.ok("send", job.clone());
    let second = a.ok("send", job.clone());
    assert_eq!(first["message"], second["message"]);
    bot.event_with(|event| message_of(event, "hello Bob"));
    follow.event_with(|event| delivered(event, &first["message"]));
    // Much later the same key still gives the same message, with the state it has by then.
    let third = a.ok("send", job);
    assert_eq!((&third["message"], &third["state"]), (&first["message"], &json!("delivered")));
    let history = a.ok("history", json!({ "contact": "Bob", "limit": 10 }));
    let texts: Vec<_> = history.as_array().unwrap().iter().map(|m| m["text"].clone()).collect();
    assert_eq!(texts, ["hi Alice\u{fffd}", "hello Bob"]);

    // A late reader of the log sees the newest state already with the first event of a message.
    let mut late = alice.face();
    late.ok("subscribe", json!({ "name": "late" }));
    let event = late.event_with(|event| event["message"]["id"] == first["message"]);
    assert_eq!(event["message"]["state"], "delivered");
}

#[test]
fn rpc_10_rpc_11_rpc_15_nothing_is_lost_to_a_reader_before_it_acknowledges() {
    let mut pair = Pair::greeted();
    let (world, bob, a) = (&pair.world, &mut pair.bob, &mut pair.a);
    let mut bot = bob.face();
    bot.ok("subscribe", json!({ "name": "bot" }));
    assert_eq!(bot.event()["type"], "contact.added");
    a.ok("send", json!({ "contact": "Bob", "text": "hello Bob" }));
    let last = bot.event_with(|event| message_of(event, "hello Bob"));

    // The bot dies without an ack, and its core with it: everything comes again, in order.
    drop(bot);
    let mut b = restart(bob, world);
    let mut bot = bob.face();
    bot.ok("subscribe", json!({ "name": "bot" }));
    assert_eq!(bot.event()["type"], "contact.added");
    let again = bot.event_with(|event| message_of(event, "hello Bob"));
    assert_eq!(again["id"], last["id"]);
    bot.ok("ack", json!({ "name": "bot", "through": again["id"] }));
    // An acknowledgement of less moves nothing back.
    bot.ok("ack", json!({ "name": "bot", "through": "e_1" }));
    drop(bot);

    // PRD-2: reading loses nothing.
    assert_eq!(b.ok("inbox", json!({}))[0]["text"], "hello Bob");
    assert_eq!(b.ok("inbox", json!({ "ack": true }))[0]["text"], "hello Bob");
    assert_eq!(b.ok("inbox", json!({})), json!([]));
    assert_eq!(b.ok("status", json!({}))["unread"], 0);
    let whole = json!({ "contact": "Alice", "limit": 200 });
    assert_eq!(b.ok("history", whole).as_array().unwrap().len(), 2);
    for limit in [0, 201] {
        assert_eq!(b.err("history", json!({ "contact": "Alice", "limit": limit })).0, -32001);
    }

    // After the ack only what is new comes.
    a.ok("send", json!({ "contact": "Bob", "text": "new" }));
    let mut bot = bob.face();
    bot.ok("subscribe", json!({ "name": "bot" }));
    let next = bot.event_with(|event| event["type"] == "message");
    assert_eq!(next["message"]["text"], "new");
}

/// STO-24: a message is sealed at its slot. While that cannot be saved, nothing leaves; sealed
/// again later it takes the same place in the chain, so that bytes which had left the first time
/// would lie at the mailbox under the same tag.
#[test]
fn rpc_8_sto_24_what_is_sealed_and_cannot_be_saved_does_not_leave() {
    let mut pair = Pair::greeted();
    let (world, alice, a, b) = (&pair.world, &pair.alice, &mut pair.a, &mut pair.b);
    a.ok("inbox", json!({ "ack": true }));
    let mut failed_while_sealing = false;
    let mut sent = Vec::new();
    for round in 0..5 {
        let text = format!("under pressure {round}");
        sent.push(a.ok("send", json!({ "contact": "Bob", "text": text })));
        let lock = WriteLock::take(alice.path());
        let start = Instant::now();
        while !failed_while_sealing && start.elapsed() < Duration::from_secs(20) {
            let status = a.ok("status", json!({}));
            failed_while_sealing = status["warnings"][0].to_string().contains("Nothing was saved");
        }
        drop(lock);
        if failed_while_sealing {
            break;
        }
    }
    assert!(failed_while_sealing, "every slot fired before the lock was taken");
    for message in &sent {
        let id = json!({ "message": message["message"] });
        a.until("message", &id, |message| message["state"] == "delivered");
    }
    b.until("inbox", &json!({}), |inbox| inbox.as_array().map(Vec::len) == Some(sent.len()));
    assert_eq!(world.mailbox.tags_used_twice(), 0);
}
