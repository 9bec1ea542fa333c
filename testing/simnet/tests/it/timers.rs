//! ENG-7 and ENG-8: how long messages stay, whatever is set by whom and whatever the clock says.

use engine::changes::{Change, Changes, EventKind, MessageState, Table};
use engine::{Command, CommandError, Mode, Reply};
use simnet::{Crash, DAY, Disk, HOUR, MINUTE, World};

fn set(world: &mut World, client: usize, seconds: u32) {
    let contact = world.peer(client, 1 - client);
    let done = world.insist(client, || Command::SetTimer { contact, seconds });
    assert_eq!(done, Reply::Done);
}

fn timer_of(world: &World, client: usize) -> u32 {
    world.clients[client].engine().contacts().next().unwrap().timer
}

/// Both have this timer, and nothing that tells of one waits.
fn agreed(world: &World, seconds: u32) -> bool {
    [0, 1].iter().all(|c| {
        timer_of(world, *c) == seconds && world.clients[*c].disk.values(Table::Outbox).is_empty()
    })
}

/// What there is of the conversation, by the alphabet.
fn texts(world: &World, client: usize) -> Vec<&str> {
    let messages = &world.clients[client].disk.messages;
    let mut texts: Vec<&str> = messages.iter().map(|m| m.text.as_str()).collect();
    texts.sort_unstable();
    texts
}

/// A pair that has spoken both ways, as it was saved; nothing is under way.
fn at_rest(mode: Mode) -> World {
    let mut world = World::verified_pair(100, mode);
    world.send(0, 1, "hi Bob");
    world.send(1, 0, "hi Alice");
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    world.run(2 * HOUR);
    world
}

const H: u32 = 3600;

#[test]
fn eng_7_cnt_8_messages_go_on_both_sides_and_stay_gone() {
    let mut world = at_rest(Mode::Fast);
    set(&mut world, 0, H);
    assert!(world.run_until(6 * HOUR, |w| agreed(w, H)));
    for client in [0, 1] {
        assert_eq!(world.clients[client].disk.count(EventKind::ContactTimer), 1);
    }
    world.send(0, 1, "from Alice");
    world.send(1, 0, "from Bob");
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    world.run(2 * HOUR);
    // What was sent has gone here; what was not read is still there, and so is what was said before.
    assert_eq!(texts(&world, 0), ["from Bob", "hi Alice", "hi Bob"]);
    assert_eq!(texts(&world, 1), ["from Alice", "hi Alice", "hi Bob"]);
    for client in [0, 1] {
        world.read(client);
    }
    world.run(50 * MINUTE);
    assert_eq!(texts(&world, 0).len(), 3, "an hour after reading");
    world.switch_on(0);
    world.run(20 * MINUTE);
    for client in [0, 1] {
        assert_eq!(texts(&world, client), ["hi Alice", "hi Bob"]);
        let disk = &world.clients[client].disk;
        assert!(
            disk.events
                .iter()
                .all(|e| e.message.is_none_or(|id| { disk.messages.iter().any(|m| m.id == id) }))
        );
        let rows = disk.snapshot().0;
        let holds = |value: &[u8], text: &[u8]| value.windows(text.len()).any(|w| w == text);
        assert!(!rows.iter().any(|(_, _, v)| holds(v, b"from Alice") || holds(v, b"from Bob")));
    }
    // A mailbox that shows everything again brings nothing back.
    for client in [0, 1] {
        world.switch_on(client);
    }
    world.run(6 * HOUR);
    assert_eq!((texts(&world, 0).len(), texts(&world, 1).len()), (2, 2));
    // Off: what is said from here on stays.
    set(&mut world, 1, 0);
    assert!(world.run_until(6 * HOUR, |w| agreed(w, 0)));
    world.send(0, 1, "stays");
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    world.read(1);
    world.run(4 * HOUR);
    assert_eq!(texts(&world, 0).last(), Some(&"stays"));
    assert_eq!(texts(&world, 1).last(), Some(&"stays"));
}

#[test]
fn eng_7_a_message_that_has_not_left_is_not_taken_away() {
    let mut world = at_rest(Mode::Fast);
    set(&mut world, 0, H);
    assert!(world.run_until(6 * HOUR, |w| agreed(w, H)));
    world.mailboxes[1].faults.dead = true;
    world.send(0, 1, "waits for a mailbox");
    world.run(5 * HOUR);
    assert_eq!(texts(&world, 0).last(), Some(&"waits for a mailbox"));
    assert_eq!(world.clients[0].disk.sent_states().last(), Some(&MessageState::Queued));
    // At the mailbox, and the peer is away: it goes here, and arrives there all the same.
    world.switch_off(1);
    world.mailboxes[1].faults.dead = false;
    let stored = |w: &World| w.clients[0].disk.sent_states().last() == Some(&MessageState::Stored);
    assert!(world.run_until(6 * HOUR, stored));
    world.run(2 * HOUR);
    assert!(!texts(&world, 0).contains(&"waits for a mailbox"));
    world.switch_on(1);
    let came = |w: &World| w.clients[1].disk.received().last() == Some(&"waits for a mailbox");
    assert!(world.run_until(6 * HOUR, came));
    assert!(world.run_until(6 * HOUR, |w| w.clients[0].disk.values(Table::Outbox).is_empty()));
}

#[test]
fn cnt_9_eng_7_contradictory_settings_converge_on_both_sides() {
    for (mode, alice, bob, both) in
        [(Mode::Fast, 24 * H, H, H), (Mode::Fast, H, 0, H), (Mode::Steady, 300, 24 * H, 300)]
    {
        let mut world = at_rest(mode);
        for mailbox in &mut world.mailboxes {
            mailbox.faults = simnet::Faults {
                retry: 100,
                lose_answer: 100,
                drop_put: 100,
                duplicate: 300,
                lose_request: 100,
                garbage_fetch: 100,
                delay_ms: 40_000,
                ..simnet::Faults::default()
            };
        }
        // At the same time, so that each hears of the other's after its own.
        if bob == 0 {
            set(&mut world, 1, 7 * 24 * H);
            assert!(world.run_until(2 * DAY, |w| agreed(w, 7 * 24 * H)));
        }
        set(&mut world, 0, alice);
        set(&mut world, 1, bob);
        assert!(world.run_until(4 * DAY, |w| agreed(w, both)), "{alice} {bob}");
        // Whoever is heard last is not whoever wins: the next one does.
        set(&mut world, 0, 48 * H);
        assert!(world.run_until(4 * DAY, |w| agreed(w, 48 * H)));
    }
}

#[test]
fn eng_7_a_flood_of_timers_is_no_flood_of_events_or_rows() {
    let mut world = at_rest(Mode::Fast);
    let events = world.clients[0].disk.count(EventKind::ContactTimer);
    let mut heard = 0;
    for k in 0..240 {
        set(&mut world, 1, if k % 2 == 0 { H } else { 24 * H });
        let before = timer_of(&world, 0);
        world.run(MINUTE);
        heard += usize::from(timer_of(&world, 0) != before);
        for client in [0, 1] {
            assert!(world.clients[client].disk.values(Table::Outbox).len() <= 66);
        }
    }
    assert!(heard > 20, "control: Alice heard {heard} of them");
    let told = world.clients[0].disk.count(EventKind::ContactTimer) - events;
    assert!((1..=5).contains(&told), "told {told} times in four hours");
    assert!(world.run_until(DAY, |w| agreed(w, 24 * H)));
    // What is said last is what is in force.
    set(&mut world, 1, 2 * H);
    assert!(world.run_until(6 * HOUR, |w| agreed(w, 2 * H)));
    world.run(2 * HOUR);
    let told_all = world.clients[0].disk.count(EventKind::ContactTimer) - events;
    assert!(told_all > told && told_all <= told + 4);
}

/// A peer that would take the last counter, so that nobody could set another timer.
#[test]
fn eng_7_a_counter_that_nobody_counted_to_is_not_taken() {
    let mut world = at_rest(Mode::Fast);
    let counted = |world: &mut World, counter: u32| {
        let (key, mut value) = {
            let rows = world.clients[1].disk.values(Table::Contact);
            (rows[0].0.to_vec(), rows[0].1.to_vec())
        };
        // counter ‖ seconds ‖ told ‖ told at ‖ no item, at the end of the row.
        let at = value.len() - 21;
        value[at..at + 4].copy_from_slice(&counter.to_be_bytes());
        let value = crypto::Zeroizing::new(value);
        let put = Change::Put { table: Table::Contact, key, value };
        world.clients[1].disk.apply(&Changes(vec![put]));
        world.switch_on(1);
    };
    counted(&mut world, 5000);
    set(&mut world, 1, H);
    world.run(6 * HOUR);
    assert_eq!((timer_of(&world, 1), timer_of(&world, 0)), (H, 0));
    let mut world = at_rest(Mode::Fast);
    counted(&mut world, 1000);
    set(&mut world, 1, H);
    assert!(world.run_until(6 * HOUR, |w| agreed(w, H)), "control");
}

#[test]
fn eng_7_timers_are_refused_that_do_not_exist_or_may_not_be_said() {
    let mut world = World::two(104, Mode::Fast);
    world.pair(0, 1);
    let contact = world.peer(0, 1);
    let set = |seconds| Command::SetTimer { contact, seconds };
    assert_eq!(world.command(0, set(H)), Err(CommandError::Unverified));
    world.verify(0, 1);
    for bad in [1, 299, 31 * 24 * H] {
        assert_eq!(world.command(0, set(bad)), Err(CommandError::BadTimer));
    }
    world.command(0, Command::Block { contact, blocked: true }).unwrap();
    assert_eq!(world.command(0, set(H)), Err(CommandError::Blocked));
}

/// From both devices at rest: a timer is set, a message goes both ways, is read, and goes.
fn scenario(disks: &[Disk; 2], crash: Option<(usize, Crash)>) -> World {
    let mut world = World::new(105);
    for disk in disks {
        world.add_mailbox();
        world.add_saved(disk.clone());
    }
    for client in [0, 1] {
        world.switch_on_seeded(client, 7);
        if let Some((_, crash)) = crash.filter(|(who, _)| *who == client) {
            world.clients[client].crash = Some(crash);
        }
    }
    set(&mut world, 0, H);
    world.send(0, 1, "from Alice");
    assert!(world.run_until(DAY, |w| agreed(w, H)), "{crash:?}");
    world.send(1, 0, "from Bob");
    assert!(world.run_until(DAY, World::all_delivered), "{crash:?}");
    assert!(world.run_until(DAY, |w| agreed(w, H)), "{crash:?}");
    for client in [0, 1] {
        assert_eq!(world.clients[client].disk.received().len(), 2, "{crash:?}");
        world.read(client);
    }
    world.run(70 * MINUTE);
    for client in [0, 1] {
        assert_eq!(texts(&world, client), ["hi Alice", "hi Bob"], "{crash:?}");
    }
    world
}

/// Runs the scenario with a crash at every fifth step that `client` saves.
fn crash_in(client: usize, crash: impl Fn(u64) -> Crash) {
    let world = at_rest(Mode::Fast);
    let disks = [0, 1].map(|client: usize| {
        let mut disk = world.clients[client].disk.clone();
        disk.forget(Table::Cursor); // other mailboxes
        disk
    });
    let last = scenario(&disks, None).clients[client].steps;
    assert!(last > 10, "the scenario saves {last} steps");
    for step in (1..=last).step_by(5) {
        scenario(&disks, Some((client, crash(step))));
    }
}

#[test]
fn eng_7_sto_24_who_sets_a_timer_may_be_killed_at_any_time() {
    crash_in(0, Crash::AfterSave);
}

#[test]
fn eng_7_sto_24_who_is_told_of_a_timer_may_be_killed_at_any_time() {
    crash_in(1, Crash::AfterSave);
}

#[test]
fn eng_7_sto_24_a_timer_outlives_a_step_that_was_not_saved() {
    crash_in(0, Crash::NotSaved);
}

#[test]
fn eng_8_a_clock_that_is_set_forwards_and_backwards_changes_no_timer() {
    let mut world = at_rest(Mode::Fast);
    set(&mut world, 0, 24 * H);
    assert!(world.run_until(6 * HOUR, |w| agreed(w, 24 * H)));
    world.send(1, 0, "for a day");
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    world.read(0);
    let days = |n: i64| n * i64::try_from(DAY).unwrap();
    // Alice's clock is set while her profile is open: two months ahead, and as far back.
    for skew in [days(60), days(-60), 0] {
        world.clients[0].skew_ms = skew;
        world.run(HOUR);
        assert!(texts(&world, 0).contains(&"for a day"), "{skew}");
    }
    // Set back while it is closed: no time passes by it, and none is given back.
    world.switch_off(0);
    world.clients[0].skew_ms = days(-100);
    world.run(HOUR);
    world.switch_on(0);
    world.run(HOUR);
    assert!(texts(&world, 0).contains(&"for a day"));
    world.clients[0].skew_ms = 0;
    world.run(23 * HOUR);
    assert!(!texts(&world, 0).contains(&"for a day"), "24 hours with the profile open are over");
    // While it is closed, the clock is all there is.
    world.send(1, 0, "for a day");
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    world.read(0);
    world.switch_off(0);
    world.run(25 * HOUR);
    world.switch_on(0);
    world.run(MINUTE);
    assert!(!texts(&world, 0).contains(&"for a day"));
}
