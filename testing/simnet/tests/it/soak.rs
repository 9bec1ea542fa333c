//! A person sees what was said to them, once and in order, whatever goes wrong: lives drawn from
//! seeds, and stores broken on purpose.

use engine::Mode;
use simnet::{
    Act, Fault, Faults, Finding, HOUR, MINUTE, Plan, Sabotage, SaveFault, Tally, live, plan, soak,
};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

/// An eighth of the 20,000 messages of the short profile: nine lives.
const EIGHTH: u64 = 2500;

fn eighth(seed: u64) {
    let (tally, wrong) = soak(seed, EIGHTH, 1, &AtomicBool::new(false), |_| ());
    assert!(wrong.is_empty(), "cargo xtask soak --sim --seed {seed}: {wrong:?}");
    assert_eq!((tally.messages, tally.lost, tally.duplicated, tally.reordered), (EIGHTH, 0, 0, 0));
    assert!(tally.faults > tally.seeds, "{tally}");
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_1() {
    eighth(1);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_2() {
    eighth(2);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_3() {
    eighth(3);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_4() {
    eighth(4);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_5() {
    eighth(5);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_6() {
    eighth(6);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_7() {
    eighth(7);
}

#[test]
fn in_3_prd_2_soak_loses_doubles_and_reorders_nothing_seed_8() {
    eighth(8);
}

/// Every kind of fault is drawn often enough to say something about it.
#[test]
fn soak_plans_hold_every_fault() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut spans = 0;
    for life in 0..200 {
        for (_, act) in plan(1, life, u64::MAX).acts {
            if let Act::Fault(fault) = act {
                seen.insert(fault.name());
                spans += u64::from(matches!(fault, Fault::Absent(..) | Fault::AllAbsent(_)));
            }
        }
    }
    let expected = [
        "absent",
        "clock",
        "disk full",
        "fsync error",
        "gate killed",
        "killed",
        "mailbox drops",
        "mailbox equivocates",
        "mailbox garbage",
        "mailbox gone",
        "mailbox killed",
        "mailbox rolled back",
        "mailbox unreachable",
        "mailbox withholds",
        "power cut",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
    assert!(spans > 200);
}

#[test]
fn soak_a_life_replays_exactly() {
    let first = live(&Plan::draw(77, 40), None);
    assert!(first == live(&Plan::draw(77, 40), None));
    assert!(first.0 != live(&Plan::draw(78, 40), None).0, "control");
}

/// A life in which programs are killed at bad moments and nothing else goes wrong: after the save of
/// whatever is said, and every five minutes besides.
fn killed_often(seed: u64) -> Plan {
    let mut plan = Plan::draw(seed, 20);
    plan.rates = Faults::default();
    plan.answers = (0, 0);
    plan.modes.fill(Mode::Fast);
    let kill = |client| Act::Fault(Fault::Save(client, SaveFault::KilledAfter { off: MINUTE }));
    let (first, last) = (plan.acts.first().unwrap().0, plan.acts.last().unwrap().0);
    plan.acts.retain(|(_, act)| matches!(act, Act::Say(..) | Act::Read(..)));
    let says: Vec<(u64, usize)> = plan
        .acts
        .iter()
        .filter_map(
            |(at, act)| if let Act::Say(from, ..) = act { Some((*at, *from)) } else { None },
        )
        .collect();
    plan.acts.extend(says.into_iter().map(|(at, from)| (at - 1, kill(from))));
    for at in (first..last).step_by(usize::try_from(5 * MINUTE).unwrap()).take(300) {
        plan.acts.extend((0..plan.modes.len()).map(|client| (at, kill(client))));
    }
    plan.acts.sort_by_key(|(at, _)| *at);
    plan
}

/// A life in which no receipt comes back for six hours, so that what was said is said again, and the
/// other side was started anew in between.
fn said_again(seed: u64) -> Plan {
    Plan {
        seed,
        modes: vec![Mode::Fast; 2],
        homes: vec![vec![0], vec![1]],
        mailboxes: 3,
        interval_s: 10,
        pairs: vec![(0, 1)],
        rates: Faults::default(),
        answers: (0, 0),
        tor: false,
        acts: vec![
            (MINUTE, Act::Fault(Fault::Unreachable(0, 6 * HOUR))),
            (2 * MINUTE, Act::Say(0, 1, 40)),
            (3 * HOUR, Act::Fault(Fault::Absent(1, MINUTE))),
            (8 * HOUR, Act::Read(1, false)),
        ],
    }
}

/// Lives until the broken store is caught at what it is known for: a life may also end by a panic of
/// an engine that finds rows which never were.
fn caught(sabotage: Sabotage, life: fn(u64) -> Plan, wanted: fn(&Tally) -> u64) {
    for seed in 0..10 {
        let plan = life(seed);
        let found = std::panic::catch_unwind(|| live(&plan, Some(sabotage)).1)
            .unwrap_or_else(|_| vec![Finding::Panicked]);
        if wanted(&of(&found)) > 0 {
            let (sound, none) = live(&plan, None);
            assert!(none.is_empty(), "the sound store fails as well: {sound}");
            return;
        }
    }
    panic!("{sabotage:?} was not caught");
}

fn of(findings: &[Finding]) -> Tally {
    let mut tally = Tally::default();
    findings.iter().for_each(|finding| finding.count(&mut tally));
    tally
}

#[test]
fn soak_control_ack_before_save_is_caught() {
    caught(Sabotage::AckBeforeSave, killed_often, |found| found.lost);
}

#[test]
fn soak_control_delete_on_read_is_caught() {
    caught(Sabotage::DeleteOnRead, killed_often, |found| found.lost);
}

#[test]
fn soak_control_forgotten_mids_are_caught() {
    caught(Sabotage::ForgetMids, said_again, |found| found.duplicated);
}

/// The power goes right after a message was queued: its row in the history is there, and what was to
/// be sent is not.
#[test]
fn soak_control_outbox_apart_is_caught() {
    caught(Sabotage::OutboxApart, killed_often, |found| found.lost);
}
