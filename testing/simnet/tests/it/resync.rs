//! Sessions that were lost are renewed between the identities that are known (REK-1 to REK-7).

use crate::blocking::greeted;
use engine::changes::{EventKind, MessageState, Table};
use engine::{Command, Mode};
use simnet::{Crash, DAY, Disk, HOUR, MINUTE, World};

/// The session with the only contact is lost, as after a fault of the disk.
fn lose(world: &mut World, client: usize) {
    world.switch_off(client);
    world.clients[client].disk.forget(Table::Ratchet);
    world.switch_on(client);
}

fn renewed(world: &World) -> Vec<usize> {
    world.clients.iter().map(|c| c.disk.count(EventKind::SessionRenewed)).collect()
}

/// Both have got everything that was sent since [`greeted`], once and in order.
fn assert_heard(world: &World, to_alice: &[&str], to_bob: &[&str]) {
    assert_eq!(world.clients[0].disk.received()[1..], *to_alice);
    assert_eq!(world.clients[1].disk.received()[1..], *to_bob);
}

/// Runs until everything is delivered, and a while longer; then both ways work at once.
fn heals(world: &mut World, span: u64) {
    assert!(world.run_until(span, World::all_delivered), "{:?}", renewed(world));
    world.run(HOUR);
    let before = [0, 1].map(|c| world.clients[c].disk.received().len());
    world.send(0, 1, "and then");
    world.send(1, 0, "and then");
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    for (client, before) in before.into_iter().enumerate() {
        assert_eq!(world.clients[client].disk.received()[before..], ["and then"]);
    }
}

#[test]
fn rek_1_a_contact_without_a_session_can_be_written_to_and_what_is_written_waits() {
    let mut world = World::verified_pair(70, Mode::Fast);
    world.run(HOUR);
    lose(&mut world, 0);
    world.mailboxes[1].faults.dead = true;
    world.send(0, 1, "one");
    world.send(0, 1, "two");
    world.switch_on(0);
    world.run(HOUR);
    assert_eq!(world.clients[0].disk.values(Table::Recovery).len(), 1);
    assert_eq!(world.clients[0].disk.sent_states(), [MessageState::Queued; 2]);
    world.mailboxes[1].faults.dead = false;
    heals(&mut world, 6 * HOUR);
    assert_eq!(world.clients[1].disk.received(), ["one", "two", "and then"]);
}

#[test]
fn rek_3_rek_7_a_session_lost_on_either_side_or_both_is_renewed_and_nothing_is_lost_or_doubled() {
    let sides: [&[usize]; 3] = [&[0], &[1], &[0, 1]];
    for (seed, mode) in [(300, Mode::Fast), (310, Mode::Steady)] {
        for (k, lost) in (0..).zip(sides) {
            let mut world = greeted(seed + k, mode);
            // Some have reached a mailbox and will never be read there.
            world.send(0, 1, "1");
            world.send(1, 0, "1");
            world.run(3 * MINUTE);
            for side in lost {
                lose(&mut world, *side);
            }
            for text in ["2", "3"] {
                world.send(0, 1, text);
                world.send(1, 0, text);
            }
            heals(&mut world, 24 * HOUR);
            assert_heard(&world, &["1", "2", "3", "and then"], &["1", "2", "3", "and then"]);
            assert_eq!(renewed(&world), [1, 1], "{mode:?} {lost:?}");
        }
    }
}

#[test]
fn eng_2_a_text_of_which_parts_have_come_is_whole_after_a_renewal_whoever_lost_the_session() {
    for lost in [0, 1] {
        let mut world = greeted(320 + u64::try_from(lost).unwrap(), Mode::Fast);
        let long = "long ".repeat(8000);
        world.send(0, 1, &long);
        world.send(0, 1, "short");
        let some = |w: &World| !w.clients[1].disk.values(Table::Partial).is_empty();
        assert!(world.run_until(HOUR, some));
        lose(&mut world, lost);
        world.send(0, 1, "afterwards");
        heals(&mut world, 24 * HOUR);
        assert_heard(&world, &["and then"], &[&long, "short", "afterwards", "and then"]);
        assert!(world.clients[1].disk.values(Table::Partial).is_empty(), "nothing is left over");
    }
}

#[test]
fn eng_2_what_the_peer_has_already_does_not_keep_back_what_follows() {
    let mut world = greeted(330, Mode::Fast);
    // Bob has all of it, and Alice never hears of that.
    world.mailboxes[0].faults.dead = true;
    for text in ["1", "2", "3"] {
        world.send(0, 1, text);
    }
    let has = |w: &World| w.clients[1].disk.received().len() == 4;
    assert!(world.run_until(HOUR, has));
    lose(&mut world, 0);
    world.mailboxes[0].faults.dead = false;
    world.send(0, 1, "4");
    heals(&mut world, 24 * HOUR);
    assert_heard(&world, &["and then"], &["1", "2", "3", "4", "and then"]);
    assert!(world.clients[1].disk.values(Table::Partial).is_empty(), "nothing is left over");
}

/// Everything that is put into one of the mailboxes in the first hours vanishes after STORED.
fn vanishes(mailbox: usize) {
    let mut world = greeted(340 + u64::try_from(mailbox).unwrap(), Mode::Fast);
    lose(&mut world, 0);
    world.mailboxes[mailbox].faults.drop_put = 1000;
    world.send(0, 1, "1");
    world.run(2 * HOUR);
    assert_eq!(world.clients[1].disk.received().len(), 1, "control");
    world.mailboxes[mailbox].faults.drop_put = 0;
    heals(&mut world, 3 * DAY);
    assert_heard(&world, &["and then"], &["1", "and then"]);
}

#[test]
fn rek_5_an_r1_that_is_lost_delays_a_renewal_by_a_day() {
    vanishes(1);
}

#[test]
fn rek_5_an_r2_that_is_lost_delays_a_renewal_by_a_day() {
    vanishes(0);
}

/// Alice's mailbox is gone when Bob answers her R1, which names it. Bob knows of no other: his answer
/// to that R1 would lie there for two weeks.
#[test]
fn rek_5_an_attempt_is_begun_anew_when_its_answer_could_not_be_read() {
    for (seed, mode) in [(344, Mode::Fast), (345, Mode::Steady)] {
        let mut world = greeted(seed, mode);
        let other = world.add_mailbox();
        world.mailboxes[0].faults.dead = true;
        lose(&mut world, 0);
        world.send(0, 1, "1");
        world.send(1, 0, "2");
        world.run(6 * HOUR);
        assert_eq!(renewed(&world), [0, 0], "control: the answer does not arrive");
        world.use_mailbox(0, other);
        let gone = world.mailboxes[0].key;
        world.insist(0, || Command::RemoveMailbox(gone));
        heals(&mut world, DAY);
        assert_heard(&world, &["2", "and then"], &["1", "and then"]);
    }
}

#[test]
fn rek_5_doubled_and_late_messages_renew_a_session_once() {
    let mut world = greeted(342, Mode::Fast);
    for mailbox in &mut world.mailboxes {
        mailbox.faults.duplicate = 1000;
    }
    lose(&mut world, 1);
    world.send(0, 1, "doubled");
    heals(&mut world, 2 * DAY);
    assert_eq!(renewed(&world), [1, 1]);
    assert_heard(&world, &["and then"], &["doubled", "and then"]);
}

#[test]
fn brd_46_rek_2_an_r1_is_found_days_later() {
    let mut world = greeted(343, Mode::Steady);
    lose(&mut world, 0);
    world.send(0, 1, "1");
    world.switch_off(1);
    world.run(HOUR);
    // Bob has R1 of the first day only: Alice is away when he comes back.
    world.switch_off(0);
    world.run(9 * DAY);
    world.switch_on(1);
    world.run(3 * HOUR);
    world.switch_on(0);
    heals(&mut world, DAY);
    assert_heard(&world, &["and then"], &["1", "and then"]);
    assert_eq!(renewed(&world), [1, 1]);
}

fn state(world: &World) -> Vec<Vec<u8>> {
    let tables = [Table::Profile, Table::Contact, Table::Ratchet, Table::Seen, Table::Recovery];
    let rows = world.clients.iter().flat_map(|c| tables.map(|t| c.disk.values(t)));
    // The clock for ages (ENG-8) and the beacons (ENG-9) go on by themselves.
    let rows = rows.flatten().filter(|(key, _)| key[..] != *b"clock" && key[..] != *b"beacon");
    rows.map(|(_, value)| value.to_vec()).collect()
}

#[test]
fn rek_1_rek_5_replayed_r1_and_r2_renew_nothing() {
    let mut world = greeted(350, Mode::Fast);
    lose(&mut world, 0);
    heals(&mut world, DAY);
    world.run(2 * HOUR);
    let before = state(&world);
    for mailbox in &mut world.mailboxes {
        let old: Vec<_> = mailbox.stored.iter().map(|s| s.envelope.clone()).collect();
        old.into_iter().for_each(|envelope| mailbox.inject(envelope));
    }
    world.run(4 * HOUR);
    assert!(state(&world) == before);
    assert_eq!(renewed(&world), [1, 1]);
    // Bob forgets that he has answered, and answers anew: what comes of it is never confirmed.
    let row = |w: &World| w.clients[1].disk.values(Table::Ratchet).len();
    assert_eq!(row(&world), 2, "control");
    let disk = &mut world.clients[1].disk;
    let session = disk.values(Table::Ratchet)[0].1.to_vec();
    let key = disk.values(Table::Ratchet)[0].0.to_vec();
    world.switch_off(1);
    world.clients[1].disk.forget(Table::Ratchet);
    world.clients[1].disk.put(Table::Ratchet, &key, &session);
    world.switch_on(1);
    for mailbox in &mut world.mailboxes {
        let old: Vec<_> = mailbox.stored.iter().map(|s| s.envelope.clone()).collect();
        old.into_iter().for_each(|envelope| mailbox.inject(envelope));
    }
    world.run(4 * HOUR);
    assert_eq!(row(&world), 2, "the replay was answered");
    heals(&mut world, 6 * HOUR);
    assert_eq!(renewed(&world), [1, 1]);
}

#[test]
fn rek_3_when_all_of_both_windows_was_lost_the_session_is_renewed_after_a_day() {
    let mut world = greeted(360, Mode::Fast);
    for mailbox in &mut world.mailboxes {
        mailbox.faults.drop_put = 1000;
    }
    let texts: Vec<String> = (0..80).map(|k| k.to_string()).collect();
    for text in &texts {
        world.send(0, 1, text);
        world.send(1, 0, text);
    }
    world.run(30 * HOUR);
    assert_eq!(renewed(&world), [0, 0], "control: nothing arrives");
    for mailbox in &mut world.mailboxes {
        mailbox.faults.drop_put = 0;
    }
    heals(&mut world, 3 * DAY);
    let mut all: Vec<&str> = texts.iter().map(String::as_str).collect();
    all.push("and then");
    assert_heard(&world, &all, &all);
    assert_eq!(renewed(&world), [1, 1]);
}

#[test]
fn brd_47_an_older_copy_of_the_session_is_noticed_and_writes_nothing_more() {
    let mut world = greeted(370, Mode::Fast);
    let copy = world.clients[0].disk.clone();
    for text in ["1", "2", "3"] {
        world.send(0, 1, text);
        world.send(1, 0, text);
    }
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    world.run(HOUR);
    world.switch_off(0);
    world.clients[0].disk = copy;
    world.switch_on(0);
    world.send(1, 0, "4");
    world.send(0, 1, "4");
    heals(&mut world, 3 * DAY);
    assert!(renewed(&world).iter().all(|n| *n >= 1), "{:?}", renewed(&world));
    assert_heard(&world, &["1", "2", "3", "4", "and then"], &["1", "2", "3", "4", "and then"]);
}

#[test]
fn rek_6_a_contact_who_begins_again_and_again_is_answered_four_times_a_day() {
    let mut world = greeted(380, Mode::Fast);
    for _ in 0..10 {
        lose(&mut world, 1);
        world.run(HOUR);
    }
    let answered = world.clients[0].disk.count(EventKind::SessionRenewed);
    assert_eq!(answered, 4);
    world.send(0, 1, "still there");
    heals(&mut world, 3 * DAY);
    assert_heard(&world, &["and then"], &["still there", "and then"]);
}

#[test]
fn rek_2_a_blocked_contact_is_answered_when_it_is_blocked_no_more() {
    let mut world = greeted(390, Mode::Fast);
    let contact = world.peer(0, 1);
    world.command(0, Command::Block { contact, blocked: true }).unwrap();
    lose(&mut world, 1);
    world.send(1, 0, "1");
    world.run(3 * HOUR);
    assert_eq!(renewed(&world), [0, 0]);
    assert_eq!(world.clients[0].disk.values(Table::Ratchet).len(), 1, "nothing was answered");
    world.command(0, Command::Block { contact, blocked: false }).unwrap();
    heals(&mut world, DAY);
    assert_heard(&world, &["1", "and then"], &["and then"]);
}

#[test]
fn rek_2_who_is_not_verified_is_not_answered_and_begins_nothing() {
    let mut world = World::two(395, Mode::Fast);
    world.pair(0, 1);
    world.run(HOUR);
    lose(&mut world, 1);
    world.run(3 * HOUR);
    assert!(world.clients.iter().all(|c| c.disk.values(Table::Outbox).is_empty()));
    world.verify(0, 1);
    heals(&mut world, DAY);
    assert_eq!(renewed(&world), [1, 1]);
}

#[test]
fn id_cert_5_a_session_is_renewed_with_the_keys_that_the_contact_knows_after_many_rotations() {
    let mut world = greeted(400, Mode::Fast);
    for _ in 0..4 {
        [0, 1].into_iter().for_each(|client| world.switch_off(client));
        world.run(31 * DAY);
        [0, 1].into_iter().for_each(|client| world.switch_on(client));
        world.run(HOUR);
    }
    lose(&mut world, 0);
    world.send(0, 1, "1");
    heals(&mut world, DAY);
    assert_eq!(renewed(&world), [1, 1]);
}

/// A pair at rest, as it was saved, and when.
fn at_rest() -> ([Disk; 2], u64) {
    let world = greeted(410, Mode::Fast);
    let disks = [0, 1].map(|client| {
        let mut disk = world.clients[client].disk.clone();
        disk.forget(Table::Cursor); // the mailboxes of the runs have other pages
        disk
    });
    (disks, world.now)
}

/// Alice's session is lost, and renewed; the crash falls where it is told to.
fn scenario((disks, now): &([Disk; 2], u64), crash: Option<(usize, Crash)>) -> World {
    let mut world = World::new(411);
    for disk in disks {
        world.add_mailbox();
        world.add_saved(disk.clone());
    }
    world.run_to(*now);
    world.clients[0].disk.forget(Table::Ratchet);
    for (client, seed) in [(0, 1), (1, 2)] {
        world.switch_on_seeded(client, seed);
    }
    if let Some((client, crash)) = crash {
        world.clients[client].crash = Some(crash);
    }
    world.send(0, 1, "1");
    world.send(1, 0, "1");
    assert!(world.run_until(DAY, World::all_delivered), "{crash:?}");
    world.run(10 * MINUTE);
    assert_heard(&world, &["1"], &["1"]);
    assert_eq!(renewed(&world), [1, 1], "{crash:?}");
    world
}

/// Runs the scenario once for each step that `client` saves, with a crash there.
fn everywhere(client: usize, crash: impl Fn(u64) -> Crash) {
    let saved = at_rest();
    let last = scenario(&saved, None).clients[client].steps;
    assert!(last > 10, "the scenario saves {last} steps");
    for step in 1..=last {
        let world = scenario(&saved, Some((client, crash(step))));
        assert_eq!(world.clients[client].loads, 2, "step {step}");
    }
}

#[test]
fn sto_24_rek_7_who_begins_a_renewal_can_be_killed_after_any_step_of_it() {
    everywhere(0, Crash::AfterSave);
}

#[test]
fn sto_24_rek_7_who_answers_a_renewal_can_be_killed_after_any_step_of_it() {
    everywhere(1, Crash::AfterSave);
}

#[test]
fn sto_24_rek_7_a_renewal_goes_on_after_a_step_that_was_not_saved() {
    everywhere(0, Crash::NotSaved);
    everywhere(1, Crash::NotSaved);
}

#[test]
fn rek_4_attempts_that_cross_end_in_one_session() {
    for seed in 420..423 {
        let mut world = greeted(seed, Mode::Steady);
        world.tor = true;
        lose(&mut world, 0);
        world.run((seed - 420) * 6 * MINUTE);
        lose(&mut world, 1);
        world.send(0, 1, "1");
        world.send(1, 0, "1");
        heals(&mut world, 2 * DAY);
        assert_heard(&world, &["1", "and then"], &["1", "and then"]);
        world.run(2 * HOUR);
        let rows = |c: usize| world.clients[c].disk.values(Table::Outbox).len();
        assert_eq!((rows(0), rows(1)), (0, 0), "seed {seed}: something goes on");
    }
}
