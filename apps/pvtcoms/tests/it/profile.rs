//! Making and opening a profile.

use crate::desk::Desk;
use crate::fake::{Fake, Say, mailbox};
use serde_json::{Value, json};

const GOOD: &str = "zebra quilt ponder vocal lumber mirth";

#[test]
fn init_can_be_scripted() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "absent", |method, _| {
        Say::Result(if method == "mailbox.add" { mailbox() } else { json!({}) })
    });
    let arguments =
        ["init", "--passphrase-fd", "0", "--name", "Ann", "--mode", "fast", "--mailbox", "a.onion"];
    let ran = desk.run_with(&[&arguments[..], &["--json"]].concat(), &format!("{GOOD}\n"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    let calls = fake.calls();
    assert_eq!(fake.methods(), ["create", "mailbox.add"]);
    let create = &calls[0].1;
    assert_eq!(create["passphrase"], GOOD);
    assert_eq!((&create["name"], &create["mode"]), (&json!("Ann"), &json!("fast")));
    assert_eq!(create["utc_offset_min"], 0, "TZ is UTC here");
    assert_eq!(calls[1].1, json!({ "address": "a.onion" }));
    let made: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&made["v"], &made["profile"]), (&json!(1), &json!("p")));
    assert!(ran.err.contains("TH-6"), "what this protects is shown: {}", ran.err);
}

#[test]
fn init_defaults_to_the_unlinkable_schedule() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "absent", |_, _| Say::Result(json!({})));
    let ran = desk.run_with(&["init", "--passphrase-fd", "0"], GOOD);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fake.calls()[0].1["mode"], "steady");
    assert!(ran.err.contains("Both sides need a mailbox"), "{}", ran.err);
}

#[test]
fn init_makes_no_second_identity() {
    let desk = Desk::new().with_profile();
    let ran = desk.run_with(&["init", "--passphrase-fd", "0"], GOOD);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("already"), "{}", ran.err);
    let desk = Desk::new();
    let fake = Fake::always(&desk, json!({}));
    assert_eq!(desk.run_with(&["init", "--passphrase-fd", "0"], GOOD).code, 1);
    assert!(fake.calls().is_empty());
}

#[test]
fn tor_31_init_remembers_the_private_network_with_the_profile() {
    let desk = Desk::new();
    let _fake = Fake::new(&desk, "absent", |_, _| Say::Result(json!({})));
    let file = desk.path().join("net.json");
    std::fs::write(&file, r#"{"authorities":[]}"#).unwrap();
    let network = file.to_str().unwrap();
    let ran = desk.run_with(&["init", "--passphrase-fd", "0", "--network", network], GOOD);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("PRIVATE TEST NETWORK: not anonymous"), "{}", ran.err);
    let kept = std::fs::read_to_string(desk.data_folder().join("network.json")).unwrap();
    assert_eq!(kept, r#"{"authorities":[]}"#);
}

#[test]
fn prd_14_a_passphrase_comes_from_a_terminal_or_a_descriptor() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "absent", |_, _| Say::Result(json!({})));
    let ran = desk.run_with(&["init"], GOOD);
    assert_eq!(ran.code, 1, "standard input is not read unasked");
    assert!(ran.err.contains("--passphrase-fd"), "{}", ran.err);
    for (input, word) in [("", "empty"), ("\n", "empty"), (&"x".repeat(1025), "longer")] {
        let ran = desk.run_with(&["init", "--passphrase-fd", "0"], input);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains(word), "{}", ran.err);
    }
    assert_eq!(desk.run(&["init", "--passphrase-fd", "77"]).code, 1, "not open");
    assert!(fake.calls().is_empty());
    let ran = desk.run_with(&["init", "--passphrase-fd", "0"], "Passw0rd!");
    assert!(ran.err.contains("guessed soon"), "{}", ran.err);
}

#[test]
fn a_locked_profile_is_opened_for_a_verb_only_with_its_passphrase() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "locked", |_, _| Say::Result(json!({})));
    let ran = desk.run(&["mode", "fast"]);
    assert_eq!(ran.code, 6);
    assert!(ran.err.contains("locked"), "{}", ran.err);
    assert!(fake.calls().is_empty());
    let input = format!("{GOOD}\r\nnot the passphrase\n");
    let ran = desk.run_with(&["mode", "fast", "--passphrase-fd", "0"], &input);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fake.methods(), ["unlock", "mode.set"]);
    assert_eq!(fake.calls()[0].1, json!({ "passphrase": GOOD }));
}

#[test]
fn a_wrong_passphrase_is_exit_6() {
    let desk = Desk::new();
    let _fake = Fake::new(&desk, "locked", |_, _| Say::Fails("wrong_passphrase", 6));
    assert_eq!(desk.run_with(&["unlock", "--passphrase-fd", "0"], "x\n").code, 6);
}

#[test]
fn the_passphrase_is_one_line_and_the_rest_is_the_verbs() {
    let desk = Desk::new();
    let fake = Fake::new(&desk, "locked", |method, _| {
        Say::Result(match method {
            "send" => json!({ "message": "m_1", "state": "queued", "usual_delay": "" }),
            _ => json!({}),
        })
    });
    // The text is read first: a passphrase that follows it would be part of it.
    let ran = desk.run_with(&["unlock", "--passphrase-fd", "0"], &format!("{GOOD}\nrest\n"));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fake.calls()[0].1["passphrase"], GOOD);
}
