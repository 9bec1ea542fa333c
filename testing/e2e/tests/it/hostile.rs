//! A mailbox that flips, withholds, replays, doubles and cuts.

use super::stage::{Stage, ground, send, wait_received, wait_state};
use e2e::Mailbox;

/// IN-3, BRD-8, BRD-14: whatever the mailbox does to its answers, everything arrives once, in
/// order and unchanged, because most answers are left alone.
#[test]
fn in_3_hostile_mailbox_changes_duplicates_and_loses_nothing() {
    let (folder, net) = ground();
    let at = folder.path().join("mailbox");
    let (mailbox, harm) = Mailbox::start_hostile(&at, net.net_json(), 1).unwrap();
    let stage = Stage::with(mailbox, folder, net);
    stage.alice.pair(&stage.bob).unwrap();
    let texts: Vec<String> = (0..8).map(|n| format!("message {n}")).collect();
    let mut last = String::new();
    for text in &texts {
        last = send(&stage.alice, "bob", text);
    }
    wait_state(&stage.alice, "bob", &last, "delivered");
    wait_received(&stage.bob, "alice", &texts);
    // The positive control: harm was done, in every way.
    assert!(harm.counts().iter().all(|count| *count > 0), "{:?}", harm.counts());
}
