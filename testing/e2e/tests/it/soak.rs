//! Programs are killed at random while two people talk.

use e2e::soak::{CONTROLS, Options, run};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// `cargo xtask soak --real`, in short.
#[test]
fn in_3_prd_2_real_soak_loses_doubles_and_reorders_nothing() {
    let folder = tempfile::Builder::new().prefix("pvt").tempdir().unwrap();
    let options = Options {
        messages: 500,
        pairs: 1,
        seed: 1,
        kill_every: 30,
        limit: None,
        folder: folder.path().to_owned(),
        cancel: Arc::new(AtomicBool::new(false)),
    };
    let outcome = run(&options, |_| ()).unwrap();
    assert!(outcome.findings.is_empty(), "{}: {:#?}", outcome.tally, outcome.findings);
    let tally = &outcome.tally;
    assert_eq!((tally.messages, tally.lost, tally.duplicated, tally.reordered), (500, 0, 0, 0));
    assert!(tally.faults >= 5, "{tally}: {}", tally.happened());
    assert_eq!(outcome.caught, CONTROLS);
    // SE-2, PERF-3: whatever waits.
    assert!(outcome.core_memory < 100_000_000, "{} bytes", outcome.core_memory);
}
