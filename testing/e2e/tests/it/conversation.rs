//! Two people talk; a third tries the invite again; one of them comes back with other keys.

use super::stage::{PATIENCE, Stage, arrive, send, wait_state};
use e2e::wait_until;

/// The slice's main job, with the mailbox killed half-way through a long text.
#[test]
fn two_people_talk_and_a_killed_mailbox_loses_nothing() {
    let mut stage = Stage::set();
    let (alice, bob) = (&stage.alice, &stage.bob);
    let uri = alice.must(&["invite", "new", "--uri", "--name", "bob"]).unwrap().out;
    bob.must_with(&["accept", "-", "--name", "alice"], &uri).unwrap();
    alice.wait_contact("bob").unwrap();
    bob.wait_contact("alice").unwrap();

    // SAS-4: nothing but the handshake to an unverified contact.
    for (person, other) in [(alice, "bob"), (bob, "alice")] {
        assert_eq!(person.run(&["send", other, "too early"]).unwrap().code, 4);
    }
    alice.verify(bob).unwrap();
    bob.verify(alice).unwrap();

    // ID-2: the invite does not work a second time.
    let used = alice.json(&["invite", "show"]).unwrap();
    assert_eq!(used[0]["state"], "used");
    assert!(used[0].get("uri").is_none_or(serde_json::Value::is_null));

    let texts = ["one", "two ✓", "three"];
    for text in texts {
        let id = send(alice, "bob", text);
        wait_state(alice, "bob", &id, "delivered");
        send(bob, "alice", &format!("re: {text}"));
    }
    let long: String = "All that is said here is said at length. ".repeat(2500);
    let long = long.get(..100 * 1024).unwrap();
    let id = send(alice, "bob", long);
    wait_until("some parts", PATIENCE, || {
        let seen = std::fs::read_to_string(stage.mailbox.observations())?;
        Ok((seen.matches("\"put\"").count() > 20).then_some(()))
    })
    .unwrap();
    stage.mailbox.kill_9();
    stage.mailbox.restart().unwrap();
    wait_state(&stage.alice, "bob", &id, "delivered");

    let mut wanted: Vec<&str> = texts.to_vec();
    wanted.push(long);
    assert_eq!(stage.bob.received_from("alice").unwrap(), wanted);
    wait_until("the answers", PATIENCE, || {
        Ok((stage.alice.received_from("bob")?.len() == texts.len()).then_some(()))
    })
    .unwrap();
    let answers: Vec<String> = texts.iter().map(|text| format!("re: {text}")).collect();
    assert_eq!(stage.alice.received_from("bob").unwrap(), answers);
}

/// ID-2: a second use is refused and reported to both sides.
#[test]
fn id_2_second_use_of_an_invite_is_refused_and_reported_to_both() {
    let stage = Stage::set();
    let (alice, bob) = (&stage.alice, &stage.bob);
    let carol = arrive(stage.folder.path(), "carol", &stage.mailbox, &stage.net);
    let uri = alice.must(&["invite", "new", "--uri", "--name", "bob"]).unwrap().out;
    bob.must_with(&["accept", "-", "--name", "alice"], &uri).unwrap();
    alice.wait_contact("bob").unwrap();
    carol.must_with(&["accept", "-", "--name", "alice"], &uri).unwrap();
    let state = |person: &e2e::Person, state: &str| {
        wait_until(&format!("{state} at {}", person.name), PATIENCE, || {
            let invites = person.json(&["invite", "show"])?;
            Ok(invites.iter().any(|invite| invite["state"] == state).then_some(()))
        })
        .unwrap();
    };
    state(alice, "reused");
    state(&carol, "refused");
    assert!(carol.json(&["contacts"]).unwrap().is_empty());
}

/// ID-3: other keys under a known name block, what waits is kept, and typed words are the only
/// way on.
#[test]
fn id_3_key_change_blocks_until_words_are_compared() {
    let stage = Stage::paired();
    let (alice, folder) = (&stage.alice, stage.folder.path());
    let id = send(alice, "bob", "before");
    wait_state(alice, "bob", &id, "delivered");
    let again = arrive(&folder.join("second"), "bob", &stage.mailbox, &stage.net);
    let uri = again.must(&["invite", "new", "--uri", "--name", "alice"]).unwrap().out;
    alice.must_with(&["accept", "-", "--name", "bob"], &uri).unwrap();
    wait_until("the changed key", PATIENCE, || {
        let contacts = alice.json(&["contacts"])?;
        Ok(contacts.iter().any(|contact| contact["state"] == "changed").then_some(()))
    })
    .unwrap();
    let refused = alice.run(&["send", "bob", "secret"]).unwrap();
    assert_eq!(refused.code, 4);
    assert!(refused.err.contains("key changed"), "{}", refused.err);
    assert!(again.run(&["--json", "inbox"]).unwrap().out.is_empty());
    again.wait_contact("alice").unwrap();
    alice.verify(&again).unwrap();
    again.verify(alice).unwrap();
    let id = send(alice, "bob", "after");
    wait_state(alice, "bob", &id, "delivered");
    assert_eq!(again.received_from("alice").unwrap(), ["after"]);
}
