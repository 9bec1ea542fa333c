//! Each verb: what it asks, and what it prints for people and for programs.

use crate::desk::Desk;
use crate::fake::{Fake, Say, contact, mailbox, message, status};
use serde_json::{Value, json};

/// One verb with the one call that it makes, its result, and what a person must see of it.
fn check(arguments: &[&str], method: &str, params: &Value, result: &Value, shown: &str) {
    let desk = Desk::new();
    let fake = Fake::always(&desk, result.clone());
    let ran = desk.run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    assert_eq!(fake.calls(), [(method.to_owned(), params.clone())], "{arguments:?}");
    assert!(ran.out.contains(shown), "{arguments:?}: {:?}", ran.out);

    let ran = desk.run(&[arguments, &["--json", "--quiet"]].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
    for line in ran.out.lines() {
        let object: Value = serde_json::from_str(line).expect("one object a line");
        assert_eq!(object["v"], 1, "{line}");
        assert!(line.starts_with("{\"v\":1"), "{line}");
    }
    assert!(!ran.out.is_empty(), "{arguments:?} says nothing to programs");
}

#[test]
fn prd_15_every_verb_asks_one_thing_and_answers_people_and_programs() {
    let none = json!({});
    check(&["status"], "status", &none, &status(), "mailbox A answered 12 s ago");
    check(&["mode"], "status", &none, &status(), "fast: messages take seconds");
    check(&["mode", "steady"], "mode.set", &json!({ "mode": "steady" }), &none, "take minutes");
    let paced = json!({ "pace": "every_30", "next_pace": { "pace": "every_300", "in_s": 7300 } });
    let mut paced_status = status();
    paced_status.as_object_mut().unwrap().extend(paced.as_object().unwrap().clone());
    check(&["mode"], "status", &none, &paced_status, "visited every 30 seconds, day and night");
    check(&["mode"], "status", &none, &paced_status, "in 2 h they will be visited every five");
    check(
        &["contacts"],
        "contacts",
        &none,
        &json!([contact("bob")]),
        "[verified 14 Nov 22:13] bob",
    );
    check(
        &["contacts", "rename", "bob", "rob"],
        "contacts.rename",
        &json!({ "contact": "bob", "name": "rob" }),
        &none,
        "renamed",
    );
    check(
        &["contacts", "remove", "bob", "--yes"],
        "contacts.remove",
        &json!({ "contact": "bob" }),
        &none,
        "removed",
    );
    let blocked = |undo| json!({ "contact": "bob", "undo": undo });
    check(&["block", "bob"], "contacts.block", &blocked(false), &none, "not told");
    check(&["block", "bob", "--undo"], "contacts.block", &blocked(true), &none, "no more");
    let mut silent = contact("bob");
    silent["blocked"] = json!(true);
    check(&["contacts"], "contacts", &none, &json!([silent]), "BLOCKED] bob");
    let mut silenced = status();
    silenced["silenced"] = json!(["bob", "eve"]);
    check(&["status"], "status", &none, &silenced, "blocked here: bob, eve");
    check(
        &["mailbox", "add", "x.onion"],
        "mailbox.add",
        &json!({ "address": "x.onion" }),
        &mailbox(),
        "answered 12 s ago",
    );
    check(&["mailbox", "list"], "mailbox.list", &none, &json!([mailbox()]), "aaaaonion");
    check(
        &["mailbox", "remove", "x"],
        "mailbox.remove",
        &json!({ "address": "x" }),
        &none,
        "removed",
    );
    check(&["lock"], "lock", &none, &none, "LOCKED");
    check(
        &["invite", "revoke", "i_0"],
        "invite.revoke",
        &json!({ "id": "i_0" }),
        &none,
        "withdrawn",
    );
    check(
        &["history", "bob", "--limit", "2", "--before", "9"],
        "history",
        &json!({ "contact": "bob", "before": 9, "limit": 2 }),
        &json!([message("m_1", "received", "hi"), message("m_2", "delivered", "ho")]),
        "● you: ho",
    );
    check(
        &["inbox", "--ack"],
        "inbox",
        &json!({ "ack": true }),
        &json!([message("m_1", "received", "hi")]),
        "bob: hi",
    );
    let sent = json!({ "message": "m_9", "state": "queued", "usual_delay": "2–5 min" });
    check(
        &["send", "bob", "hello", "--key", "k"],
        "send",
        &json!({ "contact": "bob", "text": "hello", "key": "k" }),
        &sent,
        "m_9 queued",
    );
    let timer = json!({ "contact": "bob", "seconds": 86_400 });
    check(&["timer", "bob", "1d"], "contacts.timer", &timer, &none, "after 24 h");
    let off = json!({ "contact": "bob", "seconds": 0 });
    check(&["timer", "bob", "off"], "contacts.timer", &off, &none, "off");
    let bob = json!([contact("bob")]);
    check(&["timer", "bob"], "contacts", &json!({}), &bob, "timer off");
    check(&["retention", "2w"], "retention.set", &json!({ "days": 14 }), &none, "14 days");
    check(
        &["send", "--recall", "m_9"],
        "send.recall",
        &json!({ "message": "m_9" }),
        &none,
        "taken",
    );
    check(&["send", "--retry", "m_9"], "send.retry", &json!({ "message": "m_9" }), &none, "queued");
}

#[test]
fn prd_2_reading_does_not_acknowledge() {
    let desk = Desk::new();
    let fake = Fake::always(&desk, json!([message("m_1", "received", "hi")]));
    assert_eq!(desk.run(&["inbox"]).code, 0);
    assert_eq!(fake.calls(), [("inbox".to_owned(), json!({ "ack": false }))]);
}

#[test]
fn prd_11_send_tells_the_usual_delay_beside_the_result() {
    let desk = Desk::new();
    let sent =
        json!({ "message": "m_9", "state": "queued", "usual_delay": "usual delay here: 2–5 min" });
    let _fake = Fake::always(&desk, sent);
    let ran = desk.run(&["send", "bob", "hello"]);
    assert_eq!(ran.out, "m_9 queued\n");
    assert!(ran.err.contains("usual delay here: 2–5 min"), "{}", ran.err);
}

#[test]
fn text_of_a_message_comes_from_standard_input() {
    let desk = Desk::new();
    let sent = json!({ "message": "m_9", "state": "queued", "usual_delay": "" });
    let fake = Fake::always(&desk, sent);
    let text = "two\nlines \"quoted\" ä\n";
    assert_eq!(desk.run_with(&["send", "bob", "-"], text).code, 0);
    assert_eq!(fake.calls()[0].1["text"], text);
    let ran = desk.run_with(&["send", "bob", "-"], &"x".repeat(256 * 1024 + 1));
    assert_eq!(ran.code, 1);
    assert_eq!(fake.calls().len(), 1, "what is too long is not sent in part");
}

#[test]
fn tor_31_a_private_network_is_branded() {
    let desk = Desk::new();
    let mut private = status();
    private["tor"]["private_network"] = json!(true);
    let _fake = Fake::always(&desk, private);
    let ran = desk.run(&["status"]);
    assert!(ran.out.contains("PRIVATE TEST NETWORK: not anonymous"), "{}", ran.out);
}

#[test]
fn prd_12_what_the_supervisor_gave_up_is_a_line_of_the_status() {
    let desk = Desk::new();
    let _fake = Fake::always(&desk, status());
    std::fs::write(desk.run_folder().join("fault"), "tor is not restarted: no sandbox").unwrap();
    let ran = desk.run(&["status"]);
    assert!(ran.out.contains("tor is not restarted: no sandbox"), "{}", ran.out);
    assert!(ran.out.contains("process isolation is not active"), "{}", ran.out);
}

#[test]
fn nothing_to_show_is_said_beside_the_results() {
    for verb in [&["contacts"][..], &["inbox"], &["mailbox", "list"], &["history", "bob"]] {
        let desk = Desk::new();
        let _fake = Fake::always(&desk, json!([]));
        let ran = desk.run(verb);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{verb:?}");
        assert!(!ran.err.is_empty(), "{verb:?}");
    }
}

#[test]
fn completions_need_no_profile() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = Desk::new().run(&["completions", shell]);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("invite"), "{shell}");
    }
}

#[test]
fn doctor_grades_each_line_and_its_report_holds_no_name_and_no_onion() {
    let desk = Desk::new();
    let _fake = Fake::new(&desk, "unlocked", |_, _| {
        let mut status = status();
        status["blocked"] = json!(["bob"]);
        Say::Result(status)
    });
    let ran = desk.run(&["doctor"]);
    assert!(ran.out.contains("ok   Tor: ready, vanguards full"), "{}", ran.out);
    assert!(ran.out.contains("ok   mailbox: mailbox 1 answered 12 s ago"), "{}", ran.out);
    assert!(ran.out.contains("warn protection: process isolation"), "{}", ran.out);
    let control = desk.run(&["status"]);
    assert!(control.out.contains(".onion"), "control: the status names it");
    let ran = desk.run(&["doctor", "--report"]);
    for secret in [".onion", "bob", desk.path().to_str().unwrap()] {
        assert!(!ran.out.contains(secret), "{secret}: {}", ran.out);
    }
}

#[test]
fn doctor_fails_with_the_kind_of_what_is_broken() {
    let desk = Desk::new();
    let _fake = Fake::new(&desk, "unlocked", |_, _| {
        let mut status = status();
        status["tor"]["blockage"] = json!("the clock is 3 h off");
        Say::Result(status)
    });
    let folder = desk.data_folder();
    let ran = desk.run(&["doctor"]);
    assert!(ran.out.contains("fail Tor: the clock is 3 h off\n       Next: "), "{}", ran.out);
    // The programs lie beside this one only when they were built.
    assert!([2, 3].contains(&ran.code), "{}", ran.code);
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&folder, open).unwrap();
    assert!(desk.run(&["doctor"]).out.contains("fail data folder"));
}
