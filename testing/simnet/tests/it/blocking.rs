//! ENG-4 and ENG-5: a contact is blocked, is unblocked, is removed.

use crate::knowledge::{puts_at, slots};
use crypto::Zeroizing;
use engine::changes::{EventKind, MessageState, Table};
use engine::{Command, CommandError, Mode, Reply};
use simnet::{DAY, HOUR, MINUTE, World};

fn block(world: &mut World, blocked: bool) {
    let contact = world.peer(0, 1);
    assert_eq!(world.command(0, Command::Block { contact, blocked }), Ok(Reply::Done));
}

/// What receiving would change on Alice's disk.
fn received_rows(world: &World) -> Vec<Vec<u8>> {
    let tables = [Table::Ratchet, Table::Partial, Table::Seen];
    let disk = &world.clients[0].disk;
    tables.iter().flat_map(|t| disk.values(*t)).map(|(_, value)| value.to_vec()).collect()
}

/// A pair that has spoken both ways, so that nothing but what a test says is under way.
pub(crate) fn greeted(seed: u64, mode: Mode) -> World {
    let mut world = World::verified_pair(seed, mode);
    world.send(0, 1, "hi Bob");
    world.send(1, 0, "hi Alice");
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    world.run(HOUR);
    world
}

#[test]
fn eng_4_nothing_of_a_blocked_contact_comes_in_and_afterwards_all_of_it_in_order() {
    for (seed, mode, restarts) in [(70, Mode::Fast, false), (71, Mode::Steady, true)] {
        let mut world = greeted(seed, mode);
        block(&mut world, true);
        let before = received_rows(&world);
        let texts: Vec<String> = (0..5).map(|k| format!("{k}{}", "x".repeat(900 * k))).collect();
        for text in &texts {
            world.send(1, 0, text);
            world.run(20 * MINUTE);
        }
        world.run(4 * HOUR);
        assert!(received_rows(&world) == before, "something was opened");
        assert_eq!(world.clients[0].disk.received(), ["hi Alice"]);
        let states = world.clients[1].disk.sent_states();
        assert!(states[1..].iter().all(|state| *state == MessageState::Stored), "{states:?}");
        // What lies in the mailbox is found also by an engine that no longer holds its pages.
        if restarts {
            world.switch_on(0);
            world.run(HOUR);
            assert!(world.clients[0].engine().contacts().all(|contact| contact.blocked));
        }
        block(&mut world, false);
        assert!(world.run_until(12 * HOUR, World::all_delivered));
        assert_eq!(world.clients[0].disk.received()[1..], texts);
        let kinds = [EventKind::ContactBlocked, EventKind::ContactUnblocked];
        assert_eq!(kinds.map(|kind| world.clients[0].disk.count(kind)), [1, 1]);
    }
}

/// The block falls between the page that shows the message and its fetch.
#[test]
fn eng_4_what_was_found_before_the_block_is_not_opened_and_not_lost() {
    let mut world = greeted(72, Mode::Steady);
    world.mailboxes[0].faults.garbage_fetch = 1000;
    world.send(1, 0, "found, not fetched");
    world.run(3 * HOUR);
    block(&mut world, true);
    world.mailboxes[0].faults.garbage_fetch = 0;
    let before = received_rows(&world);
    world.run(6 * HOUR);
    assert!(received_rows(&world) == before);
    block(&mut world, false);
    assert!(world.run_until(DAY, World::all_delivered));
    assert_eq!(world.clients[0].disk.received(), ["hi Alice", "found, not fetched"]);
}

#[test]
fn eng_4_nothing_goes_out_to_a_blocked_contact_and_what_was_queued_waits() {
    let mut world = greeted(73, Mode::Fast);
    let known = slots(&world, 0, 64);
    world.send(0, 1, "queued before");
    block(&mut world, true);
    let contact = world.peer(0, 1);
    let text = || Zeroizing::new("while blocked".to_owned());
    let refused = world.command(0, Command::Send { contact, text: text() });
    assert_eq!(refused, Err(CommandError::Blocked));
    world.send(1, 0, "unanswered");
    // Longer than a message is pursued: what may not leave is not given up.
    world.run(2 * HOUR);
    for client in [0, 1] {
        world.switch_off(client);
    }
    world.run(15 * DAY);
    for client in [0, 1] {
        world.switch_on(client);
    }
    world.run(HOUR);
    assert!(puts_at(&world, 0, &known).is_empty(), "no message, no receipt");
    assert_eq!(world.clients[0].disk.sent_states()[1..], [MessageState::Queued]);
    block(&mut world, false);
    let arrived = |w: &World| w.clients[1].disk.received() == ["hi Bob", "queued before"];
    assert!(world.run_until(DAY, arrived));
    assert!(!puts_at(&world, 0, &known).is_empty(), "control");
}

#[test]
fn eng_4_blocking_one_contact_leaves_the_others_alone() {
    let mut world = greeted(74, Mode::Fast);
    let (carol, mailbox) = (world.add_client("Carol", Mode::Fast), world.add_mailbox());
    world.use_mailbox(carol, mailbox);
    world.pair(0, carol);
    world.verify(0, carol);
    block(&mut world, true);
    world.send(1, 0, "from Bob");
    world.send(carol, 0, "from Carol");
    world.send(0, carol, "to Carol");
    let both = |w: &World| {
        w.clients[carol].disk.received() == ["to Carol"]
            && w.clients[0].disk.received() == ["hi Alice", "from Carol"]
    };
    assert!(world.run_until(6 * HOUR, both));
    world.run(2 * HOUR);
    assert!(both(&world));
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Tables with a row that names this contact, and how much of its conversation there is.
fn traces(world: &World, contact: &[u8; 16], name: &[u8]) -> (Vec<Table>, usize) {
    let disk = &world.clients[0].disk;
    let named = |table: &Table| {
        let mut rows = disk.values(*table).into_iter();
        rows.any(|(key, value)| holds(key, contact) || holds(value, contact) || holds(value, name))
    };
    let tables = Table::ALL.into_iter().filter(named).collect();
    let messages = disk.messages.iter().filter(|m| m.contact == *contact).count();
    let events = disk.events.iter().filter(|event| event.contact == Some(*contact)).count();
    (tables, messages + events)
}

#[test]
fn eng_5_removing_a_contact_leaves_no_row_and_the_peer_notices_nothing() {
    let mut world = World::two(75, Mode::Fast);
    let (_, uri) = world.invite(0, "Bob the first");
    world.accept(1, &uri, "0");
    let both = |w: &World| w.clients.iter().all(|c| c.engine().contacts().next().is_some());
    assert!(world.run_until(HOUR, both));
    let of_bob = world.contact(0, "Bob the first").unwrap().0;
    let of_alice = world.peer(1, 0);
    let (from_alice, from_bob) = (world.words(0, of_bob), world.words(1, of_alice));
    for (client, contact, words) in [(0, of_bob, from_bob), (1, of_alice, from_alice)] {
        assert_eq!(world.command(client, Command::Verify { contact, words }), Ok(Reply::Verified));
    }
    for k in 0..3 {
        world.send(1, 0, &format!("{k}"));
    }
    assert!(world.run_until(HOUR, World::all_delivered));
    world.mailboxes[1].faults.dead = true;
    let text = Zeroizing::new("waits".to_owned());
    world.command(0, Command::Send { contact: of_bob, text }).unwrap();
    world.send(1, 0, &"half of it ".repeat(5000));
    let partial = |w: &World| !w.clients[0].disk.values(Table::Partial).is_empty();
    assert!(world.run_until(6 * HOUR, partial));
    world.command(0, Command::Block { contact: of_bob, blocked: true }).unwrap();
    world.run(2 * HOUR);
    let (tables, said) = traces(&world, &of_bob, b"Bob the first");
    for table in [Table::Contact, Table::Ratchet, Table::Invite, Table::Partial, Table::Seen] {
        assert!(tables.contains(&table), "control: {tables:?}");
    }
    assert!(tables.contains(&Table::Outbox) && tables.contains(&Table::Cursor), "{tables:?}");
    assert!(said > 3, "control");

    let known = slots(&world, 0, 64);
    let start = world.now;
    let events = world.clients[1].disk.events.len();
    world.command(0, Command::RemoveContact(of_bob)).unwrap();
    assert_eq!(traces(&world, &of_bob, b"Bob the first"), (Vec::new(), 0));
    world.run(3 * HOUR);
    world.switch_on(0);
    world.run(HOUR);
    assert_eq!(traces(&world, &of_bob, b"Bob the first"), (Vec::new(), 0));
    assert!(puts_at(&world, 0, &known).iter().all(|(at, ..)| *at < start), "the peer is told");
    let later = &world.clients[1].disk.events[events..];
    assert!(later.iter().all(|event| event.kind == EventKind::State), "{later:?}");
    assert!(world.clients[1].disk.received().is_empty());
}
