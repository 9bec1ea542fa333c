//! A profile that is at work twice (ENG-9).

use engine::Mode;
use engine::backup::carried;
use engine::changes::{Change, Changes, EventKind};
use simnet::{DAY, Disk, HOUR, World};

fn told(world: &World, client: usize) -> usize {
    world.clients[client].disk.count(EventKind::ProfileElsewhere)
}

fn warned(world: &World, client: usize) -> bool {
    world.clients[client].engine().elsewhere(world.clock()).is_some()
}

#[test]
fn eng_9_a_copied_profile_at_work_twice_is_noticed_by_both_within_hours() {
    for mode in [Mode::Steady, Mode::Fast] {
        let mut world = World::verified_pair(61, mode);
        world.run(HOUR);
        let twin = world.add_saved(world.clients[0].disk.clone());
        world.switch_on(twin);
        let both = |w: &World| told(w, 0) == 1 && told(w, twin) == 1;
        assert!(world.run_until(8 * HOUR, both), "{mode:?}");
        assert!(warned(&world, 0) && warned(&world, twin));
        // Control: who has no copy is told nothing.
        assert_eq!(told(&world, 1), 0);
    }
}

#[test]
fn eng_9_a_profile_that_is_locked_killed_and_carried_elsewhere_is_no_other_copy() {
    let mut world = World::verified_pair(62, Mode::Steady);
    for _ in 0..10 {
        world.run(3 * HOUR);
        world.switch_on(0);
    }
    // Carried to another machine whose clock is eight minutes behind.
    world.clients[0].skew_ms = -480_000;
    world.switch_on(0);
    world.run(DAY);
    assert_eq!(told(&world, 0), 0);
    assert!(!warned(&world, 0));
}

#[test]
fn eng_9_an_older_copy_that_is_put_back_is_noticed() {
    let mut world = World::verified_pair(63, Mode::Steady);
    let old = world.clients[0].disk.clone();
    world.run(DAY);
    world.switch_off(0);
    world.clients[0].disk = old;
    world.switch_on(0);
    assert!(world.run_until(8 * HOUR, |w| told(w, 0) == 1));
}

#[test]
fn eng_9_bak_5_a_restored_profile_is_told_only_if_the_old_one_goes_on() {
    for goes_on in [false, true] {
        let mut world = World::verified_pair(64, Mode::Steady);
        world.run(DAY);
        let rows = world.clients[0].disk.snapshot().0;
        let carried = rows.into_iter().filter_map(|(table, key, value)| {
            Some(Change::Put { table, value: carried(table, &key, value).unwrap()?, key })
        });
        let mut disk = Disk::default();
        disk.apply(&Changes(carried.collect()));
        if !goes_on {
            world.switch_off(0);
        }
        let restored = world.add_saved(disk);
        world.switch_on(restored);
        world.run(DAY);
        assert_eq!(told(&world, restored) > 0, goes_on);
        if goes_on {
            assert!(told(&world, 0) > 0);
        }
    }
}
