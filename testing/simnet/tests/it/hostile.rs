use engine::Mode;
use engine::changes::{EventKind, Table};
use simnet::{HOUR, Kind, MINUTE, World};
use std::collections::BTreeSet;

/// All but the clock for ages, which goes on by itself.
fn state(world: &World, client: usize) -> Vec<Vec<u8>> {
    let tables = [Table::Profile, Table::Contact, Table::Invite, Table::Ratchet, Table::Seen];
    let disk = &world.clients[client].disk;
    let rows = tables.iter().flat_map(|t| disk.values(*t));
    rows.filter(|(key, _)| *key != b"clock").map(|(_, value)| value.to_vec()).collect()
}

#[test]
fn brd_8_answers_with_turned_bits_change_nothing_and_delay_only() {
    let mut world = World::verified_pair(50, Mode::Fast);
    world.run(2 * HOUR);
    world.mailboxes[1].faults.flip = 1000;
    world.send(0, 1, "through noise");
    let before = state(&world, 1);
    world.run(HOUR);
    assert!(world.clients[1].disk.received().is_empty());
    assert!(state(&world, 1) == before, "garbage moved nothing");
    world.mailboxes[1].faults.flip = 50;
    assert!(world.run_until(24 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["through noise"]);
    assert!(state(&world, 1) != before, "control");
}

#[test]
fn in_3_replayed_envelopes_change_nothing() {
    let mut world = World::verified_pair(51, Mode::Fast);
    for k in 0..10 {
        world.send(0, 1, &k.to_string());
        world.send(1, 0, &k.to_string());
    }
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    world.run(HOUR);
    let before = [state(&world, 0), state(&world, 1)];
    for mailbox in &mut world.mailboxes {
        let old: Vec<_> = mailbox.stored.iter().map(|s| s.envelope.clone()).collect();
        for envelope in old {
            mailbox.inject(envelope);
        }
    }
    world.run(4 * HOUR);
    assert!([state(&world, 0), state(&world, 1)] == before);
    assert_eq!(world.clients[0].disk.received().len(), 10);
    assert_eq!(world.clients[1].disk.received().len(), 10);
}

#[test]
fn brd_36_what_is_withheld_for_a_time_comes_later() {
    let mut world = World::verified_pair(52, Mode::Steady);
    world.mailboxes[1].faults.garbage_fetch = 1000;
    world.send(0, 1, "withheld");
    world.run(6 * HOUR);
    assert!(world.clients[1].disk.received().is_empty());
    world.mailboxes[1].faults.garbage_fetch = 0;
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["withheld"]);
}

#[test]
fn brd_37_two_histories_raise_an_alarm_once() {
    let mut world = World::verified_pair(53, Mode::Steady);
    world.run(HOUR);
    assert_eq!(world.clients[0].disk.count(EventKind::MailboxAlarm), 0);
    world.mailboxes[0].fork();
    world.run(10 * HOUR);
    assert_eq!(world.clients[0].disk.count(EventKind::MailboxAlarm), 1);
    let alarms = world.clients[0].engine().mailboxes().filter(|m| m.alarm).count();
    assert_eq!(alarms, 1);
    // The mailbox still carries what it is given.
    world.send(1, 0, "after the fork");
    assert!(world.run_until(12 * HOUR, World::all_delivered));
}

#[test]
fn brd_36_eng_1_no_bytes_are_put_again_after_a_restart() {
    let mut world = World::verified_pair(54, Mode::Steady);
    world.send(1, 0, "hello");
    assert!(world.run_until(8 * HOUR, World::all_delivered));
    world.mailboxes[1].faults.lose_answer = 1000;
    world.send(0, 1, "stored, but nobody said so");
    world.run(2 * HOUR);
    let put = |record: &simnet::Record| match &record.kind {
        Kind::Put(envelope) if record.client == 0 => Some(envelope.digest()),
        _ => None,
    };
    let before: Vec<[u8; 32]> = world.transcript.iter().filter_map(put).collect();
    let unlike: BTreeSet<&[u8; 32]> = before.iter().collect();
    assert!(unlike.len() < before.len(), "control: without a restart they are");
    let (life, start) = (before.clone(), world.transcript.len());
    world.switch_on(0);
    world.mailboxes[1].faults.lose_answer = 0;
    assert!(world.run_until(8 * HOUR, World::all_delivered));
    let again = world.transcript[start..].iter().filter_map(put).filter(|d| life.contains(d));
    assert_eq!(again.count(), 0);
    assert_eq!(world.clients[1].disk.received(), ["stored, but nobody said so"]);
}

#[test]
fn brd_37_a_clock_a_day_off_is_named_until_it_is_right() {
    for (seed, days) in [(55, 1), (56, -1)] {
        let mut world = World::verified_pair(seed, Mode::Fast);
        world.run(HOUR);
        let skew = |world: &World| world.clients[0].engine().mailboxes().next().unwrap().skew_s;
        assert_eq!(skew(&world), None, "control");
        world.switch_off(0);
        world.clients[0].skew_ms = days * 86_400_000;
        world.switch_on(0);
        world.send(1, 0, "while the clock was wrong");
        world.run(HOUR);
        let seen = skew(&world).expect("the clock is named");
        assert!((seen - days * 86_400).abs() <= 1800, "{seen}");
        world.clients[0].skew_ms = 0;
        assert!(world.run_until(24 * HOUR, |world| skew(world).is_none()));
        assert!(world.run_until(24 * HOUR, World::all_delivered));
        assert_eq!(world.clients[0].disk.received(), ["while the clock was wrong"]);
    }
}

fn alarms(world: &World) -> Vec<usize> {
    world.clients.iter().map(|client| client.disk.count(EventKind::MailboxAlarm)).collect()
}

#[test]
fn eng_11_a_mailbox_that_drops_one_envelope_in_ten_is_named_within_a_day() {
    for seed in 57..63 {
        let mut world = World::verified_pair(seed, Mode::Steady);
        world.mailboxes[1].faults.drop_put = 100;
        assert!(world.run_until(24 * HOUR, |world| alarms(world)[1] > 0), "{seed}");
        world.run(24 * HOUR);
        assert_eq!(alarms(&world), [0, 1], "once, and of the one that drops");
    }
}

#[test]
fn eng_11_control_a_mailbox_by_the_book_is_not_accused_whatever_goes_wrong_on_the_way() {
    for seed in [63, 64] {
        let mut world = World::verified_pair(seed, Mode::Steady);
        for mailbox in &mut world.mailboxes {
            let faults = &mut mailbox.faults;
            (faults.retry, faults.lose_answer, faults.lose_request) = (100, 100, 100);
            (faults.duplicate, faults.delay_ms) = (50, 90_000);
            faults.garbage_fetch = 200;
        }
        world.run(3 * 24 * HOUR);
        // One is off for hours and reads up.
        world.switch_off(0);
        world.run(7 * HOUR);
        world.switch_on(0);
        world.run(24 * HOUR);
        assert_eq!(alarms(&world), [0, 0], "{seed}");
    }
}

#[test]
fn eng_11_a_mailbox_that_keeps_back_what_it_lists_is_named_after_an_hour() {
    let mut world = World::verified_pair(67, Mode::Steady);
    world.run(HOUR);
    world.mailboxes[1].faults.garbage_fetch = 1000;
    world.run(50 * MINUTE);
    assert_eq!(alarms(&world), [0, 0], "a disk may fail for a while");
    world.mailboxes[1].faults.garbage_fetch = 0;
    world.run(6 * HOUR);
    assert_eq!(alarms(&world), [0, 0]);
    world.mailboxes[1].faults.garbage_fetch = 1000;
    world.send(0, 1, "kept back");
    world.run(6 * HOUR);
    assert_eq!(alarms(&world), [0, 1]);
    assert!(world.clients[1].disk.received().is_empty());
}
