use crate::knowledge::send_chain;
use engine::Mode;
use engine::changes::{EventKind, MessageState};
use simnet::{Faults, HOUR, MINUTE, World};

#[test]
fn cnt_3_a_hundred_kilobytes_arrive_byte_for_byte() {
    let mut world = World::verified_pair(10, Mode::Fast);
    let text: String = (0..25_000_u32).map(|k| char::from_u32(0x00e0 + k % 700).unwrap()).collect();
    let text = text.repeat(2);
    assert!(text.len() >= 100_000);
    world.send(0, 1, &text);
    world.send(0, 1, "after it");
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    assert!(world.clients[1].disk.received() == [text.as_str(), "after it"]);
}

#[test]
fn in_3_eng_2_order_holds_and_each_comes_once_when_answers_are_late_lost_and_doubled() {
    for (seed, mode) in [(11, Mode::Fast), (12, Mode::Steady)] {
        let mut world = World::verified_pair(seed, mode);
        world.tor = true;
        for mailbox in &mut world.mailboxes {
            mailbox.faults = Faults {
                retry: 150,
                lose_answer: 150,
                duplicate: 300,
                lose_request: 150,
                garbage_fetch: 150,
                delay_ms: 40_000,
                ..Faults::default()
            };
        }
        let texts: Vec<String> = (0..20).map(|k| format!("{k}: {}", "x".repeat(k * 300))).collect();
        for text in &texts {
            world.send(0, 1, text);
            world.send(1, 0, text);
        }
        assert!(world.run_until(48 * HOUR, World::all_delivered));
        world.run(HOUR);
        for client in &world.clients {
            assert!(client.disk.received() == texts, "{:?}", client.disk.received().len());
            assert_eq!(client.disk.count(EventKind::MailboxAlarm), 0);
        }
    }
}

#[test]
fn brd_40_delivery_goes_on_with_one_of_two_mailboxes_dead() {
    let mut world = World::two(13, Mode::Fast);
    for client in [0, 1] {
        let mailbox = world.add_mailbox();
        world.use_mailbox(client, mailbox);
    }
    world.pair(0, 1);
    world.verify(0, 1);
    for dead in [0, 1] {
        world.mailboxes[dead].faults.dead = true;
    }
    for k in 0..15 {
        world.send(0, 1, &k.to_string());
        world.run(5 * MINUTE);
    }
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received().len(), 15);
    // Both directions of receipts and messages, and an invite, go by the living ones.
    world.send(1, 0, "back");
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    world.invite(0, "another");
    // The dead come back: nothing comes twice.
    for dead in [0, 1] {
        world.mailboxes[dead].faults.dead = false;
    }
    world.run(3 * HOUR);
    assert_eq!(world.clients[1].disk.received().len(), 15);
    assert_eq!(world.clients[0].disk.received(), ["back"]);
}

#[test]
fn brd_41_brd_43_eng_3_no_more_than_64_indices_are_unacknowledged() {
    let mut world = World::verified_pair(14, Mode::Fast);
    world.send(0, 1, "first");
    assert!(world.run_until(HOUR, World::all_delivered));
    let start = send_chain(&world, 0).next_index();
    world.switch_off(1);
    for k in 0..150 {
        world.send(0, 1, &k.to_string());
    }
    world.run(10 * HOUR);
    let used = send_chain(&world, 0).next_index() - start;
    assert!((56..=64).contains(&used), "{used}");
    world.switch_on(1);
    assert!(world.run_until(24 * HOUR, World::all_delivered));
    let expected: Vec<String> = (0..150).map(|k| k.to_string()).collect();
    assert_eq!(world.clients[1].disk.received()[1..], expected);
}

#[test]
fn brd_9_generations_change_by_number_and_by_age() {
    let mut world = World::verified_pair(15, Mode::Fast);
    for k in 0..300 {
        world.send(0, 1, &k.to_string());
    }
    assert!(world.run_until(24 * HOUR, World::all_delivered));
    world.run(HOUR);
    assert!(send_chain(&world, 0).g() >= 1, "after 256 indices");
    let expected: Vec<String> = (0..300).map(|k| k.to_string()).collect();
    assert_eq!(world.clients[1].disk.received(), expected);

    let before = [0, 1].map(|client| send_chain(&world, client).g());
    world.run(26 * HOUR);
    world.send(1, 0, "answer");
    world.send(0, 1, "more");
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    for client in [0, 1] {
        assert!(send_chain(&world, client).g() > before[client], "after 24 h");
    }
    assert_eq!(world.clients[0].disk.received(), ["answer"]);
}

#[test]
fn brd_48_a_contact_that_moves_is_found_and_what_waits_goes_there() {
    let mut world = World::verified_pair(16, Mode::Fast);
    let new = world.add_mailbox();
    world.use_mailbox(1, new);
    world.run(HOUR);
    let old = world.mailboxes[1].key;
    world.insist(1, || engine::Command::RemoveMailbox(old));
    world.run(HOUR);
    world.mailboxes[1].faults.dead = true;
    world.send(0, 1, "to the new place");
    assert!(world.run_until(2 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["to the new place"]);
    assert_eq!(world.clients[0].disk.sent_states(), [MessageState::Delivered]);
}
