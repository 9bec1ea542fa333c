use engine::Mode;
use engine::changes::MessageState;
use simnet::{HOUR, World};

fn text_both_ways(mode: Mode) {
    let mut world = World::verified_pair(1, mode);
    world.send(0, 1, "from the inviter");
    world.send(1, 0, "from the invited");
    let delivered = |w: &World| {
        (0..2).all(|c| w.clients[c].disk.sent_states() == [MessageState::Delivered])
    };
    assert!(world.run_until(4 * HOUR, delivered));
    assert_eq!(world.clients[1].disk.received(), ["from the inviter"]);
    assert_eq!(world.clients[0].disk.received(), ["from the invited"]);
}

#[test]
fn eng_text_both_ways_in_fast() {
    text_both_ways(Mode::Fast);
}

#[test]
fn eng_text_both_ways_in_steady() {
    text_both_ways(Mode::Steady);
}
