use super::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

const M: OnionKey = [1; 32];
const N: OnionKey = [2; 32];
const DAY_S: u64 = 24 * 3600;

fn at(unix_s: u64) -> Now {
    Now { mono_ms: unix_s.saturating_mul(1000), unix_ms: unix_s.saturating_mul(1000) }
}

fn start(now: u64, run: u8, row: &[u8]) -> Beacons {
    let mut beacons = Beacons::begin(at(now), &[7; 32], [run; 16]);
    beacons.resume(row).unwrap();
    beacons
}

#[test]
fn eng_9_what_this_copy_has_sent_is_its_own_also_after_a_start() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let mut one = Beacons::begin(at(DAY_S), &[7; 32], [1; 16]);
    let later = at(3 * DAY_S);
    let (_, first) = one.next(&mut rng, later, &M).unwrap();
    let (_, second) = one.next(&mut rng, later, &N).unwrap();
    assert_eq!((first.number, second.number), (1, 2));
    assert!(one.next(&mut rng, later, &M).is_none(), "not due");
    let mut again = start(3 * DAY_S, 2, &one.to_row());
    for beacon in [first, second] {
        assert_eq!(one.judge(later, &beacon), Judgement::Own);
        assert_eq!(again.judge(later, &beacon), Judgement::Own);
    }
    assert_eq!(again.elsewhere(later), None);
}

#[test]
fn eng_9_a_copy_that_goes_on_is_noticed_by_the_other_and_told_once_a_day() {
    let mut rng = ChaCha20Rng::seed_from_u64(2);
    let mut one = Beacons::begin(at(DAY_S), &[7; 32], [1; 16]);
    let copied = at(3 * DAY_S);
    one.next(&mut rng, copied, &M).unwrap();
    // The copy is made while the first one runs: it knows that run, and what it had sent.
    let mut two = start(3 * DAY_S, 2, &one.to_row());
    let late = at(4 * DAY_S);
    let (_, of_one) = one.next(&mut rng, late, &M).unwrap();
    let (_, of_two) = two.next(&mut rng, late, &M).unwrap();
    assert_eq!(two.judge(late, &of_one), Judgement::News);
    assert_eq!(two.judge(late, &of_one), Judgement::Known);
    assert_eq!(one.judge(late, &of_two), Judgement::News);
    assert_eq!(one.elsewhere(late), Some(4 * DAY_S));
    assert_eq!(one.elsewhere(at(8 * DAY_S)), None);
    let (_, of_one) = one.next(&mut rng, at(5 * DAY_S), &M).unwrap();
    assert_eq!(two.judge(at(5 * DAY_S), &of_one), Judgement::News);
    assert_eq!(start(5 * DAY_S, 3, &two.to_row()).elsewhere(at(5 * DAY_S)), Some(5 * DAY_S));
}

#[test]
fn eng_9_what_was_sent_before_a_restore_is_no_other_copy() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    let mut lost = Beacons::begin(at(DAY_S), &[7; 32], [1; 16]);
    let (_, before) = lost.next(&mut rng, at(3 * DAY_S), &M).unwrap();
    let backup = carried(&lost.to_row()).unwrap();
    assert_eq!(carried(&backup).unwrap().as_slice(), backup.as_slice());
    let mut restored = start(3 * DAY_S, 2, &backup);
    assert!(!restored.saved);
    assert_eq!(restored.judge(at(3 * DAY_S), &before), Judgement::Own);
    // The old one goes on after all.
    let (_, after) = lost.next(&mut rng, at(4 * DAY_S), &M).unwrap();
    assert_eq!(restored.judge(at(4 * DAY_S), &after), Judgement::News);
}

#[test]
fn eng_9_no_tag_of_a_day_is_used_twice_and_a_day_without_one_has_no_beacon() {
    let mut rng = ChaCha20Rng::seed_from_u64(4);
    let mut row = Beacons::begin(at(DAY_S), &[7; 32], [0; 16]).to_row();
    let mut tags = BTreeSet::new();
    for run in 0..BEACON_TAGS {
        let mut beacons = start(9 * DAY_S, run, &row);
        let (i, _) = beacons.next(&mut rng, at(9 * DAY_S), &M).unwrap();
        assert!(i < BEACON_TAGS && tags.insert(i));
        row = beacons.to_row();
    }
    let mut beacons = start(9 * DAY_S, 200, &row);
    assert!(beacons.next(&mut rng, at(9 * DAY_S), &M).is_none());
    assert!(beacons.next(&mut rng, at(10 * DAY_S), &M).is_some());
}

#[test]
fn eng_9_the_row_is_bounded_and_read_back() {
    let mut rng = ChaCha20Rng::seed_from_u64(5);
    let mut row = Beacons::begin(at(DAY_S), &[7; 32], [0; 16]).to_row();
    for run in 0..400_u64 {
        let now = DAY_S.saturating_add(run.saturating_mul(3600));
        let mut beacons = start(now, 0, &row);
        beacons.run[..8].copy_from_slice(&run.to_be_bytes());
        beacons.next(&mut rng, at(now), &M).unwrap();
        row = beacons.to_row();
    }
    assert_eq!(row.len(), 1 + 32 + 24 + 1 + DAYS * 12 + 2 + RUNS * 20);
    for cut in 0..row.len() {
        assert!(Row::from_bytes(&row[..cut]).is_err(), "{cut}");
    }
    assert_eq!(start(DAY_S, 0, &row).to_row().as_slice(), row.as_slice());
}

#[test]
fn eng_9_a_clock_years_ahead_warns_no_longer_than_another() {
    let mut beacons = Beacons::begin(at(DAY_S), &[7; 32], [1; 16]);
    let ahead = Beacon { run: [9; 16], number: 1, at: u64::MAX };
    assert_eq!(beacons.judge(at(3 * DAY_S), &ahead), Judgement::News);
    assert_eq!(beacons.elsewhere(at(3 * DAY_S)), Some(3 * DAY_S));
    assert_eq!(beacons.elsewhere(at(7 * DAY_S)), None);
}
