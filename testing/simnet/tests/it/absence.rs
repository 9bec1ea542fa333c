use board::frame::Window;
use engine::Mode;
use simnet::{DAY, HOUR, Kind, MINUTE, World};

fn windows(world: &World, client: usize, from: u64) -> Vec<Window> {
    let of = |r: &simnet::Record| match r.kind {
        Kind::Digest(w) if r.client == client && r.at >= from && w != Window::Stream => Some(w),
        _ => None,
    };
    world.transcript.iter().filter_map(of).filter(|w| *w != Window::LastTenMinutes).collect()
}

fn absent(span: u64) -> Vec<Window> {
    let mut world = World::verified_pair(span, Mode::Fast);
    world.send(0, 1, "seen");
    assert!(world.run_until(HOUR, World::all_delivered));
    world.run(10 * MINUTE);
    world.switch_off(1);
    let texts: Vec<String> = (0..10).map(|k| format!("while away {k}")).collect();
    for text in &texts {
        world.send(0, 1, text);
    }
    world.run(15 * MINUTE);
    world.switch_off(0);
    world.run(span - 15 * MINUTE);
    world.switch_on(0);
    world.switch_on(1);
    let back = world.now;
    assert!(world.run_until(4 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received()[1..], texts);
    windows(&world, 1, back)
}

#[test]
fn brd_35_half_an_hour_is_made_up_for_by_the_hour_window() {
    assert_eq!(absent(30 * MINUTE), [Window::LastHour]);
}

#[test]
fn brd_35_longer_absences_are_made_up_for_by_each_day_touched() {
    let mut days = absent(20 * HOUR);
    days.sort_by_key(|window| format!("{window:?}"));
    assert_eq!(days, [Window::Day { back: 0 }, Window::Day { back: 1 }]);
    assert_eq!(absent(3 * DAY).len(), 4);
}

#[test]
fn brd_35_the_windows_do_not_depend_on_what_waits() {
    let mut world = World::verified_pair(31, Mode::Steady);
    world.run(HOUR);
    world.switch_off(1);
    world.run(20 * HOUR);
    world.switch_on(1);
    let back = world.now;
    world.run(HOUR);
    assert_eq!(windows(&world, 1, back).len(), 2);
}

#[test]
fn brd_35_a_window_planned_before_midnight_reads_the_same_day_after_it() {
    // Noon and a bit less than 12 h: back a second before midnight, windows read after it.
    let mut world = World::verified_pair(32, Mode::Steady);
    world.send(1, 0, "hello");
    assert!(world.run_until(4 * HOUR, World::all_delivered));
    world.switch_off(1);
    let midnight = 12 * HOUR;
    world.send(0, 1, "of yesterday");
    let stored =
        |w: &World| w.clients[0].disk.sent_states() == [engine::changes::MessageState::Stored];
    assert!(world.run_until(4 * HOUR, stored));
    world.switch_off(0);
    world.run_to(midnight - 1000);
    world.switch_on(1);
    world.run(2 * HOUR);
    assert_eq!(world.clients[1].disk.received(), ["of yesterday"]);
}

/// Streams of a mailbox that is gone break at once, some of them when their successor is open.
#[test]
fn brd_35_brd_36_a_mailbox_that_is_gone_is_asked_again_by_one_stream_and_not_by_more_and_more() {
    let mut world = World::verified_pair(33, Mode::Fast);
    world.mailboxes[0].faults.dead = true;
    world.run(DAY);
    let from = world.now;
    world.run(2 * HOUR);
    let stream = |r: &&simnet::Record| {
        (r.client, r.mailbox) == (0, 0) && matches!(r.kind, Kind::Digest(Window::Stream))
    };
    let asked = world.transcript.iter().filter(|r| r.at >= from).filter(stream).count();
    // After Exp(2 s) times 32 each.
    assert!((40..250).contains(&asked), "{asked} streams in two hours");
}
