use engine::Mode;
use engine::changes::{MessageState, Table};
use simnet::{HOUR, World};

#[test]
fn rek_1_a_contact_without_a_session_can_be_written_to_and_what_is_written_waits() {
    let mut world = World::verified_pair(70, Mode::Fast);
    world.run(HOUR);
    world.switch_off(0);
    world.clients[0].disk.forget(Table::Ratchet);
    world.switch_on(0);
    world.send(0, 1, "one");
    world.send(0, 1, "two");
    world.switch_on(0);
    assert_eq!(world.clients[0].disk.values(Table::Recovery).len(), 1);
    assert_eq!(world.clients[0].disk.sent_states(), [MessageState::Queued; 2]);
}
