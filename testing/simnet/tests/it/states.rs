//! What becomes of a message, and what people may do about it (PRD-10).

use crypto::Zeroizing;
use engine::changes::{EventKind, MessageState};
use engine::{Command, CommandError, MessageId, Mode, Reply};
use simnet::{DAY, HOUR, MINUTE, START_UNIX_S, World};

fn state_of(world: &World, client: usize, id: MessageId) -> MessageState {
    world.clients[client].disk.messages.iter().find(|m| m.id == id).unwrap().state
}

fn retry(world: &mut World, from: usize, to: usize, id: MessageId, text: &str, sent: u64) -> bool {
    let contact = world.peer(from, to);
    let text = Zeroizing::new(text.to_owned());
    let sent = START_UNIX_S + sent / 1000;
    let left = state_of(world, from, id) != MessageState::Recalled;
    let wish = Command::Retry { contact, message: id, text, sent, left, timer: 0 };
    match world.command(from, wish) {
        Ok(reply) => reply == Reply::Message(id),
        Err(error) => {
            assert_eq!(error, CommandError::TooOld);
            false
        }
    }
}

/// Both are away, which costs no time.
fn away(world: &mut World, span: u64) {
    for client in [0, 1] {
        world.switch_off(client);
    }
    world.run(span);
    for client in [0, 1] {
        world.switch_on(client);
    }
}

#[test]
fn prd_10_what_is_queued_can_be_taken_back_and_what_has_left_cannot() {
    let mut world = World::verified_pair(90, Mode::Steady);
    world.run(6 * HOUR);
    let contact = world.peer(0, 1);
    let (gone, kept) = (world.send(0, 1, "taken back"), world.send(0, 1, "kept"));
    let recall = |message| Command::Recall { contact, message };
    assert_eq!(world.command(0, recall(gone)), Ok(Reply::Done));
    assert_eq!(world.command(0, recall(gone)), Err(CommandError::Unknown), "once");
    assert!(state_of(&world, 0, gone).is_failed());
    let done = |w: &World| state_of(w, 0, kept) == MessageState::Delivered;
    assert!(world.run_until(12 * HOUR, done));
    assert_eq!(world.clients[1].disk.received(), ["kept"], "no hole is waited for");
    assert_eq!(state_of(&world, 0, gone), MessageState::Recalled);

    let left = world.send(0, 1, "left");
    let sealed = |w: &World| state_of(w, 0, left) == MessageState::Stored;
    assert!(world.run_until(6 * HOUR, sealed));
    assert_eq!(world.command(0, recall(left)), Err(CommandError::TooLate));
    // What was taken back may be said after all.
    assert!(retry(&mut world, 0, 1, gone, "taken back", 6 * HOUR));
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["kept", "left", "taken back"]);
}

/// Every receipt is lost, so that what arrived is sent again, at last when the peer has forgotten
/// every envelope of it.
#[test]
fn brd_50_prd_10_a_message_that_is_sent_again_is_shown_once() {
    let mut world = World::verified_pair(91, Mode::Fast);
    world.run(2 * HOUR);
    let sent = world.now;
    world.mailboxes[0].faults.drop_put = 1000;
    let id = world.send(0, 1, "once");
    assert!(world.run_until(2 * HOUR, |w| w.clients[1].disk.received() == ["once"]));
    world.run(HOUR);
    assert_eq!(state_of(&world, 0, id), MessageState::Stored, "no receipt");
    away(&mut world, 14 * DAY);
    assert!(world.run_until(HOUR, |w| state_of(w, 0, id) == MessageState::Failed));
    // The peer's memory of envelopes is over: 16 days.
    away(&mut world, 12 * DAY);
    world.run(10 * MINUTE);
    world.mailboxes[0].faults.drop_put = 0;
    assert!(retry(&mut world, 0, 1, id, "once", sent));
    assert!(world.run_until(12 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["once"]);
    assert_eq!(world.clients[1].disk.count(EventKind::Message), 1);
}

#[test]
fn brd_50_after_thirty_days_a_message_is_not_sent_again_as_the_same() {
    let mut world = World::verified_pair(92, Mode::Fast);
    world.run(2 * HOUR);
    let (contact, sent) = (world.peer(0, 1), world.now);
    let message = world.send(0, 1, "old");
    assert_eq!(world.command(0, Command::Recall { contact, message }), Ok(Reply::Done));
    away(&mut world, 30 * DAY - HOUR);
    assert!(retry(&mut world, 0, 1, message, "old", sent), "control");
    assert_eq!(world.command(0, Command::Recall { contact, message }), Ok(Reply::Done));
    away(&mut world, 2 * HOUR);
    assert!(!retry(&mut world, 0, 1, message, "old", sent));
}

#[test]
fn brd_41_prd_10_the_fourteen_days_begin_when_a_mailbox_has_it() {
    let mut world = World::verified_pair(93, Mode::Fast);
    world.run(2 * HOUR);
    world.mailboxes[1].faults.dead = true;
    let never = world.send(0, 1, "no mailbox takes it");
    away(&mut world, 10 * DAY);
    let late = world.send(0, 1, "taken late");
    away(&mut world, 5 * DAY);
    assert!(world.run_until(HOUR, |w| state_of(w, 0, never) == MessageState::NotStored));
    world.switch_off(1);
    world.mailboxes[1].faults.dead = false;
    assert!(world.run_until(6 * HOUR, |w| state_of(w, 0, late) == MessageState::Stored));
    // 18 days after it was written, 13 after a mailbox had it.
    world.switch_off(0);
    world.run(13 * DAY);
    world.switch_on(0);
    world.run(10 * MINUTE);
    assert_eq!(state_of(&world, 0, late), MessageState::Stored);
    world.switch_off(0);
    world.run(2 * DAY);
    world.switch_on(0);
    assert!(world.run_until(HOUR, |w| state_of(w, 0, late) == MessageState::Failed));
}

/// A message of several parts, one of which had left before its contact was blocked for long.
#[test]
fn brd_41_a_message_is_given_up_whole_or_not_at_all() {
    let mut world = World::verified_pair(94, Mode::Steady);
    world.run(6 * HOUR);
    let text = "long ".repeat(1500);
    let id = world.send(0, 1, &text);
    world.switch_off(1);
    let parts = |w: &World| {
        let rows = w.clients[0].disk.values(engine::changes::Table::Outbox);
        rows.iter().filter(|(_, row)| row.len() > 4096).count()
    };
    assert!(world.run_until(6 * HOUR, |w| parts(w) >= 1), "a part is sealed");
    let contact = world.peer(0, 1);
    world.insist(0, || Command::Block { contact, blocked: true });
    world.switch_off(0);
    world.run(15 * DAY);
    world.switch_on(0);
    world.run(10 * MINUTE);
    world.insist(0, || Command::Block { contact, blocked: false });
    world.switch_on(1);
    assert!(world.run_until(3 * DAY, |w| state_of(w, 0, id) == MessageState::Delivered));
    assert!(world.clients[1].disk.received() == [text], "delivered means whole");
}
