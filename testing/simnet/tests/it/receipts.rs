use crate::knowledge::{puts_at, send_chain, slots};
use engine::Mode;
use engine::changes::MessageState;
use simnet::{DAY, HOUR, Kind, World};

#[test]
fn brd_42_a_receipt_goes_alone_after_six_slots_and_asks_for_none() {
    let mut world = World::verified_pair(20, Mode::Steady);
    world.run(6 * HOUR);
    let known = slots(&world, 1, 8);
    world.send(0, 1, "no answer comes");
    assert!(world.run_until(4 * HOUR, |w| !w.clients[1].disk.received().is_empty()));
    let arrived = world.now;
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    let (sent, ..) = puts_at(&world, 1, &known).remove(0);
    let put = |r: &&simnet::Record| r.client == 1 && matches!(r.kind, Kind::Put(_));
    let slots = world.transcript.iter().filter(put).filter(|r| (arrived..=sent).contains(&r.at));
    assert!(slots.count() >= 6);

    let quiet = |w: &World| [0, 1].map(|client| send_chain(w, client).next_index());
    let before = quiet(&world);
    world.run(10 * HOUR);
    assert_eq!(quiet(&world), before, "receipts are not answered");
}

#[test]
fn brd_41_what_is_not_acknowledged_is_encrypted_anew_with_the_same_mid() {
    let mut world = World::verified_pair(21, Mode::Fast);
    world.run(2 * HOUR);
    let known = slots(&world, 0, 8);
    world.mailboxes[1].faults.drop_put = 1000;
    world.send(0, 1, "dropped once");
    let stored = |w: &World| w.clients[0].disk.sent_states() == [MessageState::Stored];
    assert!(world.run_until(HOUR, stored));
    world.mailboxes[1].faults.drop_put = 0;
    world.send(0, 1, "in its shadow");
    world.run(3 * HOUR);
    assert!(world.clients[1].disk.received().is_empty(), "order waits for what is missing");
    assert!(world.run_until(3 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["dropped once", "in its shadow"]);
    let puts = puts_at(&world, 0, &known);
    let lost = puts[0].2.mid;
    let indices: Vec<usize> =
        puts.iter().filter(|(_, _, p)| p.mid == lost).map(|(_, n, _)| *n).collect();
    assert!(indices.first() == Some(&0) && indices.last() > Some(&0), "{indices:?}");
}

#[test]
fn prd_10_a_message_is_given_up_after_14_days_and_blocks_none_after_it() {
    let mut world = World::verified_pair(22, Mode::Fast);
    world.run(2 * HOUR);
    world.mailboxes[1].faults.drop_put = 1000;
    world.send(0, 1, "never arrives");
    world.run(HOUR);
    world.mailboxes[1].faults.drop_put = 0;
    for client in [0, 1] {
        world.switch_off(client);
    }
    world.run(14 * DAY + HOUR);
    for client in [0, 1] {
        world.switch_on(client);
    }
    let failed = |w: &World| w.clients[0].disk.sent_states() == [MessageState::Failed];
    assert!(world.run_until(HOUR, failed));
    world.send(0, 1, "arrives");
    let arrived = |w: &World| w.clients[1].disk.received() == ["arrives"];
    assert!(world.run_until(2 * HOUR, arrived));
}
