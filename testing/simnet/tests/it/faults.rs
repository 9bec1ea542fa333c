//! One fault at a time, where a seed would only hit it by chance.

use engine::Mode;
use engine::changes::{EventKind, MessageState};
use simnet::{DAY, HOUR, MINUTE, MailboxCrash, SECOND, SaveFault, World};

/// Three messages both ways after a pairing; the mailbox dies where it is told to.
fn scenario(crash: Option<(usize, MailboxCrash)>) -> World {
    let mut world = World::two(41, Mode::Fast);
    if let Some((mailbox, crash)) = crash {
        world.mailboxes[mailbox].crash = Some(crash);
    }
    world.pair(0, 1);
    world.verify(0, 1);
    for k in 0..3 {
        world.send(0, 1, &k.to_string());
        world.send(1, 0, &k.to_string());
    }
    let done = world.run_until(12 * HOUR, |w| {
        w.all_delivered() && w.clients.iter().all(|c| c.disk.received().len() >= 3)
    });
    assert!(done, "{crash:?}: something was lost");
    world.run(5 * MINUTE);
    for client in &world.clients {
        assert_eq!(client.disk.received(), ["0", "1", "2"], "{crash:?}");
        assert_eq!(client.disk.count(EventKind::MailboxAlarm), 0, "{crash:?}");
    }
    world
}

fn everywhere(mailbox: usize, crash: impl Fn(u64) -> MailboxCrash) {
    let last = scenario(None).mailboxes[mailbox].writes;
    assert!(last > 10, "the scenario writes {last} times");
    for write in 2..=last {
        let world = scenario(Some((mailbox, crash(write))));
        assert_eq!(world.mailboxes[mailbox].deaths, 1, "write {write}");
    }
}

#[test]
fn brd_18_brd_44_a_mailbox_killed_after_any_write_loses_and_doubles_nothing() {
    everywhere(0, MailboxCrash::After);
}

#[test]
fn brd_18_brd_44_a_mailbox_whose_power_goes_before_any_write_loses_and_doubles_nothing() {
    everywhere(1, MailboxCrash::Before);
}

/// A verified pair that has spoken both ways.
fn greeted(seed: u64) -> World {
    let mut world = World::verified_pair(seed, Mode::Fast);
    world.send(0, 1, "hi");
    world.send(1, 0, "hi");
    assert!(world.run_until(4 * HOUR, World::all_delivered));
    world
}

fn everything_comes(world: &mut World, span: u64) {
    assert!(world.run_until(span, World::all_delivered), "something was lost");
    world.run(HOUR);
    assert_eq!(world.clients[1].disk.received(), ["hi", "one", "two", "three"]);
}

/// Says three things, each while the next save of both goes wrong in this way.
fn each_save_fails(seed: u64, fault: SaveFault) {
    let mut world = greeted(seed);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
        for client in &mut world.clients {
            client.faults.push_back(fault);
        }
        world.run(10 * MINUTE);
    }
    assert!(world.clients.iter().all(|client| client.unsaved == 3), "control");
    everything_comes(&mut world, DAY);
}

#[test]
fn sto_24_a_full_disk_loses_and_doubles_nothing() {
    each_save_fails(110, SaveFault::DiskFull { off: SECOND });
}

#[test]
fn sto_24_an_fsync_error_loses_and_doubles_nothing_whether_the_step_is_there_or_not() {
    each_save_fails(111, SaveFault::FsyncError { reached: true, off: MINUTE });
    each_save_fails(112, SaveFault::FsyncError { reached: false, off: MINUTE });
}

#[test]
fn sto_24_a_power_cut_that_takes_unsynced_writes_loses_and_doubles_nothing() {
    each_save_fails(113, SaveFault::PowerCut { off: 5 * MINUTE });
}

#[test]
fn in_3_answers_that_come_twice_or_days_later_change_nothing() {
    let mut world = greeted(114);
    (world.gate.late, world.gate.doubled) = (300, 300);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
    }
    assert!(world.run_until(2 * DAY, World::all_delivered));
    world.run(6 * DAY);
    assert!(world.gate.strayed > 100, "control");
    assert_eq!(world.clients[1].disk.received(), ["hi", "one", "two", "three"]);
}

#[test]
fn in_3_envelopes_that_a_mailbox_keeps_back_for_days_come_once_and_in_order() {
    let mut world = greeted(115);
    world.mailboxes[1].faults.hold = 600;
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
    }
    world.run(3 * DAY);
    world.mailboxes[1].faults.hold = 0;
    everything_comes(&mut world, 4 * DAY);
}

#[test]
fn in_3_brd_37_a_mailbox_put_back_to_an_old_disk_raises_the_alarm_and_loses_nothing() {
    let mut world = greeted(116);
    world.run(HOUR);
    world.switch_off(1);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
    }
    let stored = |w: &World| w.clients[0].disk.sent_states()[1..] == [MessageState::Stored; 3];
    assert!(world.run_until(HOUR, stored));
    world.roll_back(1, HOUR);
    world.switch_on(1);
    everything_comes(&mut world, DAY);
    assert_eq!(world.clients[1].disk.count(EventKind::MailboxAlarm), 1);
}

#[test]
fn in_3_brd_37_a_mailbox_that_shows_each_another_history_is_noticed_and_loses_nothing() {
    let mut world = greeted(117);
    world.run(HOUR);
    world.mailboxes[1].lies_to.extend([0, 1]);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
    }
    everything_comes(&mut world, DAY);
    assert_eq!(world.clients[1].disk.count(EventKind::MailboxAlarm), 1);
}

#[test]
fn prd_5_brd_48_a_mailbox_that_is_gone_for_ever_loses_nothing_once_its_owner_has_moved() {
    let mut world = greeted(118);
    world.switch_off(1);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
    }
    world.run(HOUR);
    world.mailboxes[1].faults.dead = true;
    world.switch_on(1);
    let (new, old) = (world.add_mailbox(), world.mailboxes[1].key);
    world.use_mailbox(1, new);
    world.insist(1, || engine::Command::RemoveMailbox(old));
    everything_comes(&mut world, 2 * DAY);
}

#[test]
fn in_3_brd_35_thirteen_days_of_absence_lose_nothing_though_the_sender_is_there() {
    let mut world = greeted(119);
    world.record = false;
    world.switch_off(1);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
    }
    world.run(13 * DAY);
    world.switch_on(1);
    everything_comes(&mut world, 4 * HOUR);
}

#[test]
fn tr_1_a_gate_that_dies_under_every_operation_loses_nothing() {
    let mut world = greeted(120);
    for text in ["one", "two", "three"] {
        world.send(0, 1, text);
        for _ in 0..20 {
            world.run(3 * SECOND);
            world.kill_gate(0, SECOND);
            world.kill_gate(1, SECOND);
        }
    }
    everything_comes(&mut world, DAY);
}

#[test]
fn tor_6_a_second_stream_with_the_same_token_is_refused() {
    let mut world = greeted(121);
    assert_eq!(world.gate.reused, 0);
    world.put_at_once(0, 1);
    assert_eq!(world.gate.reused, 0);
    world.put_at_once(0, 1);
    assert_eq!(world.gate.reused, 1, "control");
}

/// The sender has gone for ever after STORED: what the mailbox keeps is all there is.
fn read_once_more(deletes_on_read: bool) -> Vec<String> {
    let mut world = greeted(122);
    world.mailboxes[1].deletes_on_read = deletes_on_read;
    world.switch_off(1);
    world.send(0, 1, "one");
    let stored = |w: &World| w.clients[0].disk.sent_states()[1..] == [MessageState::Stored];
    assert!(world.run_until(HOUR, stored));
    world.switch_off(0);
    world.switch_on(1);
    // The answer is lost on its way: the same chunk is asked for again.
    world.mailboxes[1].faults.lose_answer = 1000;
    world.run(10 * MINUTE);
    world.mailboxes[1].faults.lose_answer = 0;
    world.run(DAY);
    world.clients[1].disk.received().into_iter().map(str::to_owned).collect()
}

#[test]
fn prd_2_brd_22_reading_deletes_nothing_at_the_mailbox() {
    assert_eq!(read_once_more(false), ["hi", "one"]);
    assert_eq!(read_once_more(true), ["hi"], "control: a mailbox that deletes on read is caught");
}
