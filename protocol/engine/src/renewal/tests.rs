use super::*;
use handshake::{Introduction, RecoveryPsk, rekey};
use identity::Identity;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const HOUR: u64 = 3600;
const NOW: u64 = 500_000 * HOUR;

fn begun(at: u64) -> Begun {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut person = || Identity::generate(&mut rng, 500_000).unwrap();
    let (own, peer) = (person(), person());
    let intro = Introduction { inbox: vec![[1; 32]], version: 1, name: String::new() };
    let psk = RecoveryPsk::copy_of(&[7; 32]);
    let made =
        rekey::initiate(&mut rng, own.statics(), peer.cert(), &psk, &intro, 500_000).unwrap();
    Begun { state: made.1, r1: made.0, at, sent: at }
}

fn answered(id: u8, at: u64) -> Answer {
    Answer { id: [id; 16], at, pending: None }
}

#[test]
fn rek_3_an_attempt_is_begun_for_a_reason_once_a_day_and_given_up_without_one() {
    let fault = |fault| Renewal { fault, ..Renewal::default() };
    let none = Fault::default();
    assert_eq!(fault(none).due(NOW, true), Due::Nothing);
    assert_eq!(fault(none).due(NOW, false), Due::Begin);
    for fault_ in [
        Fault { silent: true, ..none },
        Fault { deaf: true, ..none },
        Fault { older: true, ..none },
    ] {
        assert_eq!(fault(fault_).due(NOW, true), Due::Begin);
    }
    let unheard = |since| Renewal { unheard: Some(since), ..Renewal::default() };
    assert_eq!(unheard(NOW - 23 * HOUR).due(NOW, true), Due::Nothing);
    assert_eq!(unheard(NOW - 24 * HOUR).due(NOW, true), Due::Begin);
    let tried = |last| Renewal { last: Some(last), ..Renewal::default() };
    assert_eq!(tried(NOW - 23 * HOUR).due(NOW, false), Due::Nothing);
    assert_eq!(tried(NOW - 24 * HOUR).due(NOW, false), Due::Begin);
    // A clock that was set back does not keep a session lost.
    assert_eq!(tried(NOW + 24 * HOUR).due(NOW, false), Due::Begin);

    let mut under_way = Renewal { begun: Some(begun(NOW)), ..Renewal::default() };
    assert_eq!(under_way.due(NOW, false), Due::Nothing);
    assert_eq!(under_way.due(NOW + 24 * HOUR, false), Due::Repeat);
    assert_eq!(under_way.due(NOW + 14 * 24 * HOUR, false), Due::Drop);
    assert_eq!(under_way.due(NOW, true), Due::Drop, "the reason is gone");
    assert!(
        under_way.waits_for_ours(NOW + 47 * HOUR) && !under_way.waits_for_ours(NOW + 48 * HOUR)
    );
    under_way.complete(Some(NOW));
    assert_eq!((under_way.due(NOW, true), under_way.unheard), (Due::Nothing, Some(NOW)));
}

#[test]
fn rek_6_the_fifth_answer_waits_for_a_day() {
    let mut renewal = Renewal::default();
    for k in 0..4 {
        assert!(renewal.make_room(NOW));
        renewal.answers.push(answered(k, NOW + u64::from(k)));
    }
    assert!(!renewal.make_room(NOW + 23 * HOUR));
    assert!(renewal.make_room(NOW + 24 * HOUR));
    assert_eq!(renewal.answers.len(), 3);
    assert_eq!(renewal.comes_again(&[0; 16], NOW), None, "forgotten");
    assert_eq!(renewal.comes_again(&[1; 16], NOW), Some(false), "known, and over");
    assert!(!renewal.expire(NOW + 15 * 24 * HOUR));
    assert!(renewal.expire(NOW + 17 * 24 * HOUR) && renewal.is_empty());
}

#[test]
fn rek_5_the_row_comes_back_as_it_was_and_nothing_else_is_one() {
    let fault = Fault { silent: true, deaf: false, older: true };
    let answers = vec![answered(1, NOW), answered(2, NOW + 1)];
    let begun = Some(begun(NOW));
    let renewal = Renewal { fault, unheard: None, last: Some(NOW), begun, answers };
    let row = renewal.to_row();
    let back = Renewal::from_row(&row).ok().unwrap();
    assert_eq!(back.to_row(), row);
    assert!(!back.is_empty());
    for at in [0, 1, 2, 3, 4, 13] {
        let mut bad = row.to_vec();
        bad[at] = 7;
        assert!(Renewal::from_row(&bad).is_err(), "byte {at}");
    }
    assert!(Renewal::from_row(&row[..row.len() - 1]).is_err());
    assert!(Renewal::from_row(&[&row[..], &[0]].concat()).is_err());
}
