//! What is said when something goes wrong, and the exit codes (PRD-13, PRD-14).

use crate::desk::Desk;
use crate::fake::{Fake, Say, status};
use serde_json::{Value, json};

#[test]
fn prd_13_exit_codes_follow_the_kind_of_the_error() {
    let kinds = [
        ("wrong_use", 1),
        ("internal", 2),
        ("unreachable", 3),
        ("unverified", 4),
        ("key_changed", 4),
        ("blocked", 4),
        ("rate", 5),
        ("locked", 6),
        ("storage", 7),
        ("sandbox", 8),
    ];
    for (kind, code) in kinds {
        let desk = Desk::new();
        let _fake = Fake::new(&desk, "unlocked", move |_, _| Say::Fails(kind, code));
        let ran = desk.run(&["send", "bob", "hi"]);
        assert_eq!(i64::from(ran.code), code, "{kind}");
        assert_eq!(ran.out, "");
        assert_eq!(ran.err, "pvtcoms: It failed. Nothing was sent.\nNext: Do this.\n");
        let ran = desk.run(&["send", "bob", "hi", "--json"]);
        let error: Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!((&error["v"], &error["exit"]), (&json!(1), &json!(code)));
        assert_eq!(error["error"]["kind"], kind);
    }
}

#[test]
fn prd_13_wrong_arguments_are_1_and_help_is_0() {
    let desk = Desk::new();
    assert_eq!(desk.run(&["nonsense"]).code, 1);
    assert_eq!(desk.run(&["send"]).code, 1);
    assert_eq!(desk.run(&["--profile", "../x", "status"]).code, 1);
    let help = desk.run(&["--help"]);
    assert_eq!(help.code, 0);
    assert!(help.out.contains("invite"));
}

#[test]
fn without_a_profile_nothing_is_started() {
    let desk = Desk::new();
    for verb in [&["status"][..], &["inbox"], &["send", "bob", "hi"], &["unlock"]] {
        let ran = desk.run(verb);
        assert_eq!(ran.code, 1, "{verb:?}: {}", ran.err);
        assert!(ran.err.contains("There is no profile \"p\"."), "{}", ran.err);
        assert!(ran.err.contains("pvtcoms init"), "{}", ran.err);
    }
    assert!(!desk.run_folder().join("pid").exists());
    for verb in ["lock", "stop"] {
        assert_eq!(desk.run(&[verb]).code, 0, "{verb}: what is wanted is so already");
    }
}

#[test]
fn no_start_starts_nothing() {
    let desk = Desk::new().with_profile();
    let ran = desk.run(&["inbox", "--no-start"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("does not run"), "{}", ran.err);
    assert!(!desk.run_folder().join("pid").exists());
}

#[test]
fn prd_14_a_lost_answer_is_not_called_a_failure() {
    let desk = Desk::new();
    let _fake = Fake::new(&desk, "unlocked", |_, _| Say::HangUp);
    let ran = desk.run(&["send", "bob", "hi"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("not known"), "{}", ran.err);
}

#[test]
fn an_answer_without_sense_or_end_is_refused() {
    let endless = vec![b'x'; 1024 * 1024 + 2];
    for bytes in [b"nonsense\n".to_vec(), b"[1]\n".to_vec(), b"\xff\n".to_vec(), endless] {
        let desk = Desk::new();
        let _fake = Fake::new(&desk, "unlocked", move |_, _| Say::Raw(bytes.clone()));
        let ran = desk.run(&["contacts"]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("does not understand"), "{}", ran.err);
    }
}

#[test]
fn what_the_core_says_cannot_steer_the_terminal() {
    let desk = Desk::new();
    let _fake = Fake::new(&desk, "unlocked", |_, _| {
        let mut status = status();
        status["line"] = json!("a\u{1b}]0;title\u{7}b");
        Say::Result(status)
    });
    let ran = desk.run(&["status"]);
    assert!(ran.out.starts_with("a\u{fffd}]0;title\u{fffd}b\n"), "{:?}", ran.out);
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let desk = Desk::new();
    let all: Vec<Value> = (0..2000).map(|n| crate::fake::contact(&format!("c{n}"))).collect();
    let _fake = Fake::always(&desk, json!(all));
    let mut child = desk.start(&["contacts"]);
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn removing_a_contact_needs_an_answer() {
    let desk = Desk::new();
    let fake = Fake::always(&desk, json!({}));
    let ran = desk.run(&["contacts", "remove", "bob"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("--yes"), "{}", ran.err);
    assert!(fake.calls().is_empty());
}
