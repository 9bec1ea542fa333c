//! Two mailboxes, one of which fails, lies, or is left (BRD-40, BRD-48).

use engine::changes::MessageState;
use engine::{Command, Mode};
use simnet::{DAY, HOUR, Kind, MINUTE, World};

/// Alice with one mailbox (0), and Bob with two (1 and 2), verified.
fn world(seed: u64, mode: Mode) -> World {
    let mut world = World::two(seed, mode);
    let second = world.add_mailbox();
    world.use_mailbox(1, second);
    world.pair(0, 1);
    world.verify(0, 1);
    world
}

/// Operations of a client at a mailbox since then.
fn visits(world: &World, client: usize, mailbox: usize, since: u64) -> usize {
    let there = |r: &&simnet::Record| (r.client, r.mailbox) == (client, mailbox) && r.at >= since;
    world.transcript.iter().filter(there).count()
}

fn puts(world: &World, mailbox: usize, since: u64) -> usize {
    let put = |r: &&simnet::Record| matches!(r.kind, Kind::Put(_)) && r.mailbox == mailbox;
    world.transcript.iter().filter(put).filter(|r| r.client == 0 && r.at >= since).count()
}

fn leave(world: &mut World, client: usize, mailbox: usize) {
    let key = world.mailboxes[mailbox].key;
    world.insist(client, || Command::RemoveMailbox(key));
}

#[test]
fn brd_40_with_one_of_two_dead_a_message_leaves_at_the_next_slot_of_the_other() {
    let mut world = world(70, Mode::Steady);
    world.send(0, 1, "before");
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    world.run(2 * HOUR);
    world.mailboxes[1].faults.dead = true;
    for k in 0..10 {
        let sent = world.now;
        world.send(0, 1, &k.to_string());
        let stored =
            |w: &World| w.clients[0].disk.sent_states().last() != Some(&MessageState::Queued);
        assert!(world.run_until(6 * HOUR, stored));
        assert!(puts(&world, 2, sent) <= 1, "message {k} let slots of the living one pass");
        assert!(world.run_until(6 * HOUR, |w| w.clients[1].disk.received().len() == k + 2));
        world.run(90 * MINUTE);
    }
    assert!(puts(&world, 1, 0) > 0, "control: the dead one is tried");
}

#[test]
fn brd_48_what_comes_to_a_mailbox_that_was_left_arrives() {
    for forget in [false, true] {
        let mut world = world(71, Mode::Fast);
        world.send(0, 1, "hello");
        assert!(world.run_until(2 * HOUR, World::all_delivered));
        // Alice cannot learn of it: nothing reaches her.
        world.mailboxes[0].faults.dead = true;
        leave(&mut world, 1, 1);
        if forget {
            leave(&mut world, 1, 1);
        }
        world.mailboxes[2].faults.dead = true;
        world.send(0, 1, "to the old place");
        world.run(30 * MINUTE);
        world.switch_on(1);
        let came = |w: &World| w.clients[1].disk.received().len() == 2;
        assert_eq!(world.run_until(3 * HOUR, came), !forget, "control: one that is forgotten");
    }
}

#[test]
fn brd_48_a_mailbox_that_was_left_is_read_for_14_days_and_no_longer() {
    let mut world = world(72, Mode::Steady);
    leave(&mut world, 1, 1);
    let left =
        |w: &World| w.clients[1].engine().mailboxes().filter(|m| m.left_until.is_some()).count();
    assert_eq!(left(&world), 1);
    world.switch_off(0);
    world.switch_off(1);
    world.run(13 * DAY);
    world.switch_on(1);
    assert_eq!(left(&world), 1, "after a restart too");
    let last = world.now;
    world.run(2 * HOUR);
    assert!(visits(&world, 1, 1, last) > 0);
    world.switch_off(1);
    world.run(DAY);
    world.switch_on(1);
    world.run(MINUTE);
    assert_eq!(left(&world), 0);
    let over = world.now;
    world.run(6 * HOUR);
    assert_eq!(visits(&world, 1, 1, over), 0);
    assert!(visits(&world, 1, 2, over) > 0, "control");
}

#[test]
fn brd_37_brd_48_a_mailbox_that_raises_an_alarm_is_left_for_the_other() {
    let mut world = world(73, Mode::Fast);
    world.send(0, 1, "hello");
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    world.run(HOUR);
    world.mailboxes[1].fork();
    world.run(6 * HOUR);
    let views: Vec<_> = world.clients[1].engine().mailboxes().collect();
    let bad = views.iter().find(|m| m.key == world.mailboxes[1].key).unwrap();
    assert!(bad.alarm && bad.left_until.is_some());
    let moved = world.now;
    for k in 0..5 {
        world.send(0, 1, &k.to_string());
    }
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    assert_eq!(puts(&world, 1, moved), 0, "Alice was told");
    assert_eq!(world.clients[1].disk.received().len(), 6);
}

/// Contacts would be told to write to the one that is gone, and to no other.
#[test]
fn brd_48_a_mailbox_that_raises_an_alarm_is_not_left_for_one_that_does_not_answer() {
    let mut world = world(75, Mode::Fast);
    world.send(0, 1, "hello");
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    world.mailboxes[2].faults.dead = true;
    world.run(HOUR);
    world.mailboxes[1].fork();
    world.run(6 * HOUR);
    let bad = |w: &World| {
        let mut views = w.clients[1].engine().mailboxes();
        let view = views.find(|m| m.key == w.mailboxes[1].key).unwrap();
        (view.alarm, view.left_until.is_some())
    };
    assert_eq!(bad(&world), (true, false));
    world.send(0, 1, "still there");
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    world.mailboxes[2].faults.dead = false;
    world.run(2 * HOUR);
    assert_eq!(bad(&world), (true, true), "control");
}
