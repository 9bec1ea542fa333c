#![expect(clippy::arithmetic_side_effects, reason = "test code")]

use super::*;
use proptest::prelude::*;

const GB: u64 = 1 << 30;
const POLICY: Policy = Policy { base: 1, max: 256, people: 1_000, soft: 4 * GB, reserve: GB };
const FREE: u64 = 100 * GB;

fn policies() -> impl Strategy<Value = Policy> {
    (1u32..=1_000, 1u32..=1_000, 1u32..5_000, 0u64..8, 0u64..8).prop_map(
        |(base, max, people, soft, reserve)| Policy {
            base,
            max,
            people,
            soft: soft * GB,
            reserve: reserve * GB,
        },
    )
}

/// Closes as a server makes them: seconds since the one before, deposits, free bytes.
fn closes() -> impl Strategy<Value = Vec<(Seconds, usize, u64)>> {
    let deposits = prop_oneof![Just(0usize), 1usize..20_000, Just(131_072)];
    prop::collection::vec((0..=LOAD_S, deposits, 0..9 * GB), 1..200)
}

fn run(policy: Policy, closes: &[(Seconds, usize, u64)]) -> Vec<(Seconds, u32)> {
    let (mut effort, mut at, mut shown) = (Effort::resume(policy, None), 0, Vec::new());
    for (pause, deposits, free) in closes {
        at += pause;
        effort = effort.after(Close { at, deposits: *deposits, free: *free });
        shown.push((at, effort.value()));
    }
    shown
}

#[test]
fn brd_23_load_is_more_than_two_deposits_a_minute_for_each_of_the_people() {
    assert_eq!(POLICY.wanted(0, FREE), 1);
    assert_eq!(POLICY.wanted(10_000, FREE), 1);
    assert_eq!(POLICY.wanted(10_001, FREE), 2);
    assert_eq!(POLICY.wanted(1_000_000, FREE), 100);
    assert_eq!(POLICY.wanted(u64::MAX, FREE), 256);
    assert_eq!(Policy { base: 5, ..POLICY }.wanted(20_000, FREE), 10);
    assert_eq!(Policy { base: 500, ..POLICY }.wanted(20_000, FREE), 500, "max is at least base");
}

#[test]
fn brd_23_effort_doubles_with_each_eighth_from_the_soft_limit_to_the_reserve() {
    for eighth in 0..=8 {
        let free = 4 * GB - 3 * GB * eighth / 8;
        assert_eq!(POLICY.wanted(0, free), 1 << eighth, "{eighth}");
    }
    assert_eq!(POLICY.wanted(0, 0), 256);
    let no_way = Policy { soft: 0, ..POLICY };
    assert_eq!((no_way.wanted(0, GB + 1), no_way.wanted(0, GB)), (1, 256));
    assert_eq!(POLICY.wanted(50_000, 4 * GB - 1), 5, "the larger of the two");
}

#[test]
fn brd_23_effort_rises_at_most_to_twice_a_page_and_falls_by_half_after_calm() {
    let flood = [(10, 400_000, FREE); 4];
    let quiet = [(LOAD_S, 0, FREE); 20];
    let shown = run(POLICY, &[flood.as_slice(), &quiet].concat());
    let efforts: Vec<u32> = shown.iter().map(|(_, effort)| *effort).collect();
    assert_eq!(efforts[..4], [2, 4, 8, 16]);
    // Empty pages, one in five minutes: down by half with every third.
    assert_eq!(efforts[4..], [16, 16, 8, 8, 8, 4, 4, 4, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn brd_23_a_start_goes_on_from_the_last_header_within_the_operators_limits() {
    let resumed = |before| Effort::resume(Policy { base: 2, max: 64, ..POLICY }, Some((0, before)));
    assert_eq!([1, 2, 40, 64, 999].map(|before| resumed(before).value()), [2, 2, 40, 64, 64]);
    assert_eq!(resumed(40).after(Close { at: 899, deposits: 0, free: FREE }).value(), 40);
    assert_eq!(resumed(40).after(Close { at: 900, deposits: 0, free: FREE }).value(), 20);
}

/// People and a flood share the price: whoever pays by the processor makes fewer deposits when it
/// rises, and pays the lowest that is taken.
#[test]
fn brd_23_a_flood_is_priced_out_within_the_hour_and_people_pay_little_soon_after_it() {
    const PEOPLE_A_PAGE: u64 = 200; // 1000 people, one a minute or a little more
    const POWER_A_PAGE: u64 = 40_000; // 200 times that at effort 1
    let (mut effort, mut honoured) = (Effort::resume(POLICY, None), Honoured::default());
    let (mut flood_by_hour, mut paid_by_people) = ([0_u64; 8], [0_u32; 8]);
    honoured.push(0, effort.value());
    for page in 0..8 * 360_u64 {
        let (at, hour) = (page * 10, usize::try_from(page / 360).unwrap());
        let price = u64::from(honoured.lowest(at).unwrap());
        let flood = if hour < 4 { POWER_A_PAGE / price } else { 0 };
        flood_by_hour[hour] += flood;
        let deposits = usize::try_from(PEOPLE_A_PAGE + flood).unwrap();
        effort = effort.after(Close { at: at + 10, deposits, free: FREE });
        honoured.push(at + 10, effort.value());
        paid_by_people[hour] = effort.value();
    }
    println!("flood by hour {flood_by_hour:?}, effort at its end {paid_by_people:?}");
    assert_eq!(flood_by_hour[0], 360 * POWER_A_PAGE, "the hour in which old headers are honoured");
    assert!(flood_by_hour[1..4].iter().all(|flood| *flood < flood_by_hour[0] / 8));
    assert_eq!(paid_by_people[7], 1);
    assert!(paid_by_people.iter().all(|effort| *effort <= 128));
}

proptest! {
    #[test]
    fn brd_23_effort_stays_within_limits_and_moves_no_faster_than_it_may(
        policy in policies(), closes in closes(),
    ) {
        let (mut before, mut fell) = (policy.base, None);
        for (at, effort) in run(policy, &closes) {
            prop_assert!((policy.base..=policy.max.max(policy.base)).contains(&effort));
            prop_assert!(effort <= before.saturating_mul(2));
            if effort < before {
                prop_assert!(effort >= before.div_ceil(2));
                prop_assert!(fell.is_none_or(|fell| at - fell >= CALM_S));
                fell = Some(at);
            }
            before = effort;
        }
    }

    #[test]
    fn brd_23_more_deposits_or_less_disk_never_make_it_cheaper(
        policy in policies(), few in 0u64..200_000, more in 0u64..200_000,
        free in 0..9 * GB, less in 0..9 * GB,
    ) {
        let wanted = policy.wanted(few, free);
        prop_assert!(policy.wanted(few.saturating_add(more), free) >= wanted);
        prop_assert!(policy.wanted(few, free.saturating_sub(less)) >= wanted);
    }

    #[test]
    fn brd_23_a_quiet_board_comes_back_to_its_base(policy in policies(), closes in closes()) {
        let policy = Policy { soft: 0, reserve: 0, ..policy };
        let quiet = [(LOAD_S, 0, FREE); 3 * 11];
        let shown = run(policy, &[closes.as_slice(), &quiet].concat());
        prop_assert_eq!(shown.last().unwrap().1, policy.base);
    }

    #[test]
    fn brd_23_the_lowest_effort_that_a_client_may_have_read_in_the_last_hour_pays(
        policy in policies(), closes in closes(), read in any::<prop::sample::Index>(),
        age in 0..=HONOURED_S,
    ) {
        let shown = run(policy, &closes);
        let (read_from, effort) = shown[read.index(shown.len())];
        // Read at the last moment at which that header was the newest.
        let next = shown.iter().map(|(at, _)| *at).find(|at| *at > read_from);
        let now = next.unwrap_or(read_from) + age;
        let mut honoured = Honoured::default();
        for (at, effort) in shown.iter().filter(|(at, _)| *at <= now) {
            honoured.push(*at, *effort);
        }
        let lowest = honoured.lowest(now).unwrap();
        prop_assert!(effort >= lowest, "an honest client is refused");
        // And nothing less: it is the effort of a header that was the newest in that hour.
        let replaced = |i: usize| shown.get(i + 1).map(|(at, _)| *at).filter(|at| *at <= now);
        let fresh = |i: &usize| replaced(*i).is_none_or(|at| at + HONOURED_S >= now);
        let seen = (0..shown.len()).filter(|i| shown[*i].0 <= now).filter(fresh);
        prop_assert_eq!(Some(lowest), seen.map(|i| shown[i].1).min());
    }
}

#[test]
fn brd_23_before_the_first_header_nothing_pays() {
    assert_eq!(Honoured::default().lowest(5), None);
}
