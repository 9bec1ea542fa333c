//! SE-2, CRY-1: a process lives through the transcript; this one looks into its memory.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod looks;
mod needles;

use looks::Subject;
use needles::Needles;
use std::collections::BTreeSet;

/// Every secret of a whole life, from identity to re-key, and nothing of any once it has no holder
/// any more: neither on the heap nor on the stack, nor anywhere else that the process can write.
/// What an operation leaves behind the next one may cover, so everything is dropped after the
/// first operation of each kind as well.
#[test]
fn cry_1_no_secret_outlives_its_last_holder() {
    let needles = Needles::of_the_transcript();
    println!("secrets: {}", needles.len());
    assert!(needles.len() > 500);
    let mut kinds = BTreeSet::new();
    let mut lengths: Vec<usize> = Vec::new();
    for (i, step) in needles.steps().iter().enumerate() {
        if kinds.insert(step["does"].as_str().unwrap()) {
            lengths.push(i + 1);
        }
    }
    lengths.push(needles.steps().len());
    let mut left = Vec::new();
    for length in lengths {
        let steps = &needles.steps()[..length];
        let last = steps.last().unwrap()["does"].as_str().unwrap();
        let mut subject = Subject::start();
        assert_eq!(subject.found(&needles), Vec::<String>::new(), "before it was told anything");
        for step in steps {
            subject.tell(&step.to_string());
        }
        // Control: what is held is found.
        let held = subject.found(&needles);
        for secret in ["step 0, identity: dice 0", "step 0, identity: expanded key"] {
            assert!(held.iter().any(|found| found.starts_with(secret)), "{secret}: {held:#?}");
        }
        subject.tell("drop");
        let found = subject.found(&needles);
        left.extend(found.into_iter().map(|found| format!("after {last}: {found}")));
    }
    assert!(left.is_empty(), "{left:#?}");
}

/// Control: a program that frees one copy without wiping it is found out.
#[test]
fn cry_1_a_copy_that_is_freed_and_not_wiped_is_found() {
    let needles = Needles::of_the_transcript();
    let mut subject = Subject::start();
    for step in needles.steps() {
        subject.tell(&step.to_string());
    }
    subject.tell("leak");
    subject.tell("drop");
    let left = subject.found(&needles);
    let [copy] = left.as_slice() else { panic!("one copy was left, found: {left:#?}") };
    assert!(copy.contains("session secret in [heap]"), "{copy}");
}
