//! Verbs that go on: waiting for a state, printing what comes.

use crate::desk::{Desk, until};
use crate::fake::{Fake, Say, event, message};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

fn sent() -> Value {
    json!({ "message": "m_1", "state": "queued", "usual_delay": "2–5 min" })
}

/// A message that is at the next of `states` each time it is asked for; an event announces each.
fn moves(desk: &Desk, states: &'static [&'static str]) -> Fake {
    let asked = AtomicUsize::new(0);
    Fake::new(desk, "unlocked", move |method, _| match method {
        "send" => Say::Result(sent()),
        "message" => {
            let turn = asked.fetch_add(1, Ordering::SeqCst).min(states.len() - 1);
            let now = message("m_1", states[turn], "hi");
            let other = event(1, "state", message("m_2", "delivered", "other"));
            Say::Then(now.clone(), vec![other, event(2, "state", now)])
        }
        _ => Say::Result(json!({})),
    })
}

#[test]
fn prd_13_waiting_ends_at_the_state_that_was_asked_for() {
    let desk = Desk::new();
    let fake = moves(&desk, &["queued", "stored", "delivered"]);
    let ran = desk.run(&["send", "bob", "hi", "--wait", "delivered"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out, "m_1 queued\nm_1 delivered\n");
    let methods = fake.methods();
    assert_eq!(methods[..2], ["subscribe", "send"], "an event cannot come too early");
    let desk = Desk::new();
    let _fake = moves(&desk, &["queued", "stored", "delivered"]);
    let ran = desk.run(&["send", "bob", "hi", "--wait", "stored", "--json"]);
    let last: Value = serde_json::from_str(ran.out.lines().last().unwrap()).unwrap();
    assert_eq!(last["state"], "stored");
}

#[test]
fn prd_13_a_time_out_is_3_and_the_message_goes_on() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "unlocked", |method, _| {
        Say::Result(match method {
            "send" => sent(),
            "message" => message("m_1", "queued", "hi"),
            _ => json!({}),
        })
    });
    let ran = desk.run(&["send", "bob", "hi", "--wait", "stored", "--timeout", "1"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("saved and goes on by itself"), "{}", ran.err);
    assert!(!fake.methods().contains(&"send.recall".to_owned()));
}

#[test]
fn prd_10_a_failed_message_ends_the_waiting() {
    let desk = Desk::new();
    let _fake = moves(&desk, &["queued", "failed"]);
    let ran = desk.run(&["send", "bob", "hi", "--wait", "delivered"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("--retry m_1"), "{}", ran.err);
}

#[test]
fn waiting_survives_a_restart_of_the_core_and_sends_once() {
    let desk = Desk::new();
    let asked = AtomicUsize::new(0);
    let fake = Fake::new(&desk, "unlocked", move |method, _| match method {
        "send" => Say::Result(sent()),
        "message" => match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Say::HangUp,
            _ => Say::Result(message("m_1", "delivered", "hi")),
        },
        _ => Say::Result(json!({})),
    });
    let ran = desk.run(&["send", "bob", "hi", "--wait", "delivered"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fake.methods().iter().filter(|m| *m == "send").count(), 1);
}

#[test]
fn prd_17_following_prints_each_message_once_across_restarts() {
    let desk = Desk::new();
    let turn = AtomicUsize::new(0);
    let fake = Fake::new(&desk, "unlocked", move |method, params| match method {
        "inbox" => match turn.fetch_add(1, Ordering::SeqCst) {
            // What is unread at the start, one more by an event, then the core dies.
            0 => Say::Then(
                json!([message("m_1", "received", "one")]),
                vec![event(5, "message", message("m_2", "received", "two")), json!("garbage")],
            ),
            _ => Say::Then(
                json!([message("m_1", "received", "one"), message("m_2", "received", "two")]),
                vec![
                    event(6, "message", message("m_3", "received", "three")),
                    event(7, "contact.changed", Value::Null),
                ],
            ),
        },
        "subscribe" if params["after"] == Value::Null || params["after"] == "e_5" => {
            Say::Result(json!({}))
        }
        other => panic!("{other} {params}"),
    });
    let mut child = desk.command(&["inbox", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for text in ["one", "two"] {
        assert!(lines.next().unwrap().unwrap().ends_with(text));
    }
    // Garbage is a fault of the core and ends it: the restart below is a connection that ends.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    drop(fake);
}

#[test]
fn prd_17_following_comes_back_after_the_connection_ended() {
    let desk = Desk::new();
    let turn = AtomicUsize::new(0);
    let fake = Fake::new(&desk, "unlocked", move |method, _| match method {
        "inbox" => match turn.fetch_add(1, Ordering::SeqCst) {
            0 => Say::Then(
                json!([message("m_1", "received", "one")]),
                vec![event(5, "message", message("m_2", "received", "two"))],
            ),
            1 => Say::HangUp,
            _ => Say::Then(
                json!([message("m_1", "received", "one"), message("m_2", "received", "two")]),
                vec![
                    event(6, "message", message("m_3", "received", "three")),
                    event(7, "contact.changed", Value::Null),
                ],
            ),
        },
        _ => Say::Result(json!({})),
    });
    let mut child = desk.command(&["inbox", "--follow", "--ack"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for text in ["one", "two", "three"] {
        assert!(lines.next().unwrap().unwrap().ends_with(text), "{text}");
    }
    let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
    let changed = errors.find(|line| line.as_ref().unwrap().contains("contact.changed happened"));
    assert!(changed.is_some(), "PRD-9: a changed key is told");
    child.kill().unwrap();
    child.wait().unwrap();
    let calls = fake.calls();
    let again = calls.iter().filter(|(method, _)| method == "subscribe").nth(1).unwrap();
    assert_eq!(again.1["after"], Value::Null, "the event was not dealt with when it broke");
}

#[test]
fn chat_sends_what_is_typed_and_prints_what_comes() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "unlocked", |method, params| match method {
        "contacts" => Say::Result(json!([crate::fake::contact("bob")])),
        "history" => Say::Result(json!([message("m_0", "received", "before")])),
        "subscribe" => {
            Say::Then(json!({}), vec![event(1, "message", message("m_1", "received", "from bob"))])
        }
        "send" if params["text"] == "first" => {
            Say::Then(sent(), vec![event(2, "state", message("m_2", "delivered", "first"))])
        }
        _ => Say::Result(sent()),
    });
    let mut child = desk.command(&["chat", "c_01"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().ends_with("bob: before"));
    assert!(lines.next().unwrap().unwrap().ends_with("bob: from bob"));
    input.write_all(b"first\n\n").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "● delivered: first");
    input.write_all(b"last\n").unwrap();
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let texts: Vec<Value> = fake
        .calls()
        .iter()
        .filter(|(method, _)| method == "send")
        .map(|(_, params)| params["text"].clone())
        .collect();
    assert_eq!(texts, ["first", "last"], "an empty line is no message, the last one is sent");
}

#[test]
fn status_is_printed_again_when_it_changes_and_not_when_a_clock_ticks() {
    let desk = Desk::new();
    let turn = AtomicUsize::new(0);
    let fake = Fake::new(&desk, "unlocked", move |_, _| {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        let mut status = crate::fake::status();
        status["line"] = json!(format!("Tor ok · mailbox A answered {turn} s ago"));
        status["mailboxes"][0]["answered_ago"] = json!(turn);
        status["unread"] = json!(if turn < 3 { 0 } else { 1 });
        Say::Result(status)
    });
    let mut child = desk.command(&["--json", "status", "--follow"]).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let unread: Vec<Value> = (0..2)
        .map(|_| serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap())
        .map(|status| status["unread"].clone())
        .collect();
    assert_eq!(unread, [json!(0), json!(1)]);
    until("four looks", || (fake.calls().len() >= 4).then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
}
