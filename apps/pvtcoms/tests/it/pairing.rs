//! Invites and the comparison of words (ID-2).

use crate::desk::Desk;
use crate::fake::{Fake, Say, contact, invite, status};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};

/// An invite that is at `first`, and from the third look on at `then`.
fn goes_on(desk: &Desk, first: &'static str, then: &'static str) -> Fake {
    let looks = AtomicUsize::new(0);
    Fake::new(desk, "unlocked", move |method, _| {
        Say::Result(match method {
            "status" => status(),
            "invite.show" => {
                let late = looks.fetch_add(1, Ordering::SeqCst) >= 2;
                json!([invite(if late { then } else { first })])
            }
            _ => invite(first),
        })
    })
}

#[test]
fn prd_7_an_invite_is_shown_only_once_a_mailbox_holds_it() {
    let desk = Desk::new();
    let fake = goes_on(&desk, "depositing", "ready");
    let ran = desk.run(&["invite", "new", "--name", "bob", "--for", "2d"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fake.calls()[0].1, json!({ "name": "bob", "hours": 48 }));
    assert_eq!(ran.out, "pvtcoms:i1/abcdefgh234567\n", "no QR code where no terminal is");
    assert!(ran.err.contains("works once, until 14 Nov 22:13"), "{}", ran.err);
    assert!(fake.methods().iter().filter(|m| *m == "invite.show").count() >= 3);
}

#[test]
fn prd_7_qr_code_comes_with_the_uri_and_not_in_json() {
    let desk = Desk::new();
    let _fake = goes_on(&desk, "ready", "ready");
    let ran = desk.run(&["invite", "show", "i_0", "--qr"]);
    assert!(ran.out.contains('█') && ran.out.starts_with("pvtcoms:i1/"), "{}", ran.out);
    let ran = desk.run(&["--json", "invite", "show", "i_0"]);
    let object: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(object["uri"], "pvtcoms:i1/abcdefgh234567");
}

#[test]
fn an_invite_that_is_not_stored_in_time_is_exit_3_and_goes_on() {
    let desk = Desk::new();
    let _fake = goes_on(&desk, "depositing", "depositing");
    let ran = desk.run(&["invite", "new", "--timeout", "0"]);
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out, "", "nothing to hand out");
    assert!(ran.err.contains("goes on in the background"), "{}", ran.err);
}

#[test]
fn ctrl_c_leaves_the_invite_to_the_core() {
    let desk = Desk::new();
    let fake = goes_on(&desk, "depositing", "depositing");
    let child = desk.start(&["invite", "new"]);
    crate::desk::until("a look", || {
        fake.methods().contains(&"invite.show".to_owned()).then_some(())
    });
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("pvtcoms invite show i_01"), "{err}");
    assert!(!fake.methods().contains(&"invite.revoke".to_owned()));
}

#[test]
fn prd_8_an_invite_is_read_from_standard_input_also_when_it_was_wrapped() {
    let desk = Desk::new();
    let fake = Fake::always(&desk, invite("accepting"));
    let ran = desk.run_with(&["accept", "-", "--name", "al"], " pvtcoms:i1/abc\n  def \n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let params = json!({ "uri": "pvtcoms:i1/abcdef", "name": "al" });
    assert_eq!(fake.calls(), [("accept".to_owned(), params)]);
    assert!(!ran.out.contains("abcdef"), "the URI is not repeated");
    assert_eq!(desk.run_with(&["accept", "-"], " \n").code, 1);
}

#[test]
fn id_2_a_second_use_is_told_in_the_words_of_prd_8() {
    let desk = Desk::new();
    let _fake = goes_on(&desk, "accepting", "refused");
    let ran = desk.run(&["accept", "pvtcoms:i1/abc", "--wait"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains(
            "This invite was already used. If that was not you or your contact, treat it as \
             intercepted."
        ),
        "{}",
        ran.err
    );
}

#[test]
fn waiting_ends_when_a_contact_has_come_of_the_invite() {
    let desk = Desk::new();
    let _fake = goes_on(&desk, "accepting", "used");
    assert_eq!(desk.run(&["accept", "pvtcoms:i1/abc", "--wait"]).code, 0);
    let desk = Desk::new();
    let _fake = goes_on(&desk, "ready", "used");
    assert_eq!(desk.run(&["invite", "show", "i_0", "--wait"]).code, 0);
}

fn compares(desk: &Desk) -> Fake {
    Fake::new(desk, "unlocked", |method, params| match method {
        "verify.begin" => Say::Result(json!({
            "contact": "bob",
            "read_aloud": [[1, "aardvark"], [3, "baboon"], [6, "crane"]],
            "listen_for": [2, 4, 5],
            "tries_left": 3,
        })),
        "verify.words" if params["words"] == json!(["absurd", "Dakota", "eclipse"]) => {
            Say::Result(contact("bob"))
        }
        _ => Say::Fails("wrong_words", 4),
    })
}

#[test]
fn id_2_words_are_typed_and_come_from_standard_input() {
    for typed in ["absurd\nDakota\neclipse\n", "absurd Dakota eclipse\n"] {
        let desk = Desk::new();
        let fake = compares(&desk);
        let ran = desk.run_with(&["verify", "bob"], typed);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("1: aardvark   3: baboon   6: crane"), "{}", ran.out);
        assert!(ran.out.contains("[verified "), "{}", ran.out);
        assert_eq!(fake.methods(), ["verify.begin", "verify.words"]);
    }
}

#[test]
fn prd_9_wrong_or_missing_words_verify_nobody() {
    let desk = Desk::new();
    let fake = compares(&desk);
    assert_eq!(desk.run_with(&["verify", "bob"], "absurd\nDakota\nwrong\n").code, 4);
    assert_eq!(fake.methods(), ["verify.begin", "verify.words"], "one try for what was piped");
    assert_eq!(desk.run_with(&["verify", "bob"], "absurd\nDakota\n").code, 1);
    assert_eq!(desk.run_with(&["verify", "bob"], "a b c d\n").code, 1);
    assert_eq!(desk.run(&["verify", "bob", "--force"]).code, 1);
    assert_eq!(desk.run(&["verify", "bob", "--words", "a b c"]).code, 1);
    assert_eq!(fake.methods().iter().filter(|m| *m == "verify.words").count(), 1);
}
