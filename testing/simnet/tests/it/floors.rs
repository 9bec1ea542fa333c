//! ENG-10: what will never come is not waited for, whatever was sealed while it might have come.

use crate::blocking::greeted;
use engine::changes::{EventKind, MessageState, Table};
use engine::{Command, CommandError, MessageId, Mode, Reply};
use simnet::{DAY, HOUR, MINUTE, World};

fn state_of(world: &World, id: MessageId) -> MessageState {
    world.clients[0].disk.messages.iter().find(|m| m.id == id).unwrap().state
}

fn recall(world: &mut World, message: MessageId) -> Result<Reply, CommandError> {
    let contact = world.peer(0, 1);
    world.command(0, Command::Recall { contact, message })
}

fn stored(world: &World, id: MessageId) -> bool {
    state_of(world, id) == MessageState::Stored
}

/// Bob is away; Alice's first message is at his mailbox, the second was taken back before it left,
/// and the third was sealed while the first was waited for.
fn with_a_hole(world: &mut World) -> MessageId {
    world.switch_off(1);
    let first = world.send(0, 1, "one");
    assert!(world.run_until(6 * HOUR, |w| stored(w, first)));
    let second = world.send(0, 1, "two");
    assert_eq!(recall(world, second), Ok(Reply::Done));
    let third = world.send(0, 1, "three");
    assert!(world.run_until(6 * HOUR, |w| stored(w, third)));
    third
}

#[test]
fn eng_10_what_is_behind_a_message_that_was_taken_back_is_shown() {
    for (seed, mode, restart) in
        [(400, Mode::Fast, false), (401, Mode::Steady, false), (402, Mode::Fast, true)]
    {
        let mut world = greeted(seed, mode);
        with_a_hole(&mut world);
        if restart {
            world.switch_on(0);
        }
        world.switch_on(1);
        let all = |w: &World| w.clients[1].disk.received()[1..] == ["one", "three"];
        assert!(world.run_until(24 * HOUR, all), "{:?}", world.clients[1].disk.received());
    }
}

/// Bob's mailbox says that it has Alice's first message and has not; the second has come, and waits
/// for it. Gives the first.
fn with_a_loss(world: &mut World) -> MessageId {
    world.mailboxes[1].faults.drop_put = 1000;
    let lost = world.send(0, 1, "lost");
    assert!(world.run_until(HOUR, |w| stored(w, lost)));
    world.mailboxes[1].faults.drop_put = 0;
    let kept = world.send(0, 1, "kept");
    let told = |w: &World| state_of(w, kept) == MessageState::Delivered;
    assert!(world.run_until(HOUR, told));
    lost
}

/// The second is behind the hole; the third, taken back as well, has nothing after it.
#[test]
fn eng_10_the_last_of_two_that_were_taken_back_does_not_hide_the_first() {
    let mut world = greeted(405, Mode::Fast);
    with_a_hole(&mut world);
    let last = world.send(0, 1, "four");
    assert_eq!(recall(&mut world, last), Ok(Reply::Done));
    world.switch_on(1);
    let all = |w: &World| w.clients[1].disk.received()[1..] == ["one", "three"];
    assert!(world.run_until(24 * HOUR, all), "{:?}", world.clients[1].disk.received());
}

#[test]
fn eng_10_what_is_behind_a_message_that_was_given_up_is_shown() {
    let mut world = greeted(403, Mode::Fast);
    let lost = with_a_loss(&mut world);
    assert_eq!(world.clients[1].disk.received(), ["hi Bob"], "it waits for its turn");
    world.switch_off(0);
    world.switch_off(1);
    world.run(14 * DAY);
    world.switch_on(0);
    world.switch_on(1);
    assert!(world.run_until(HOUR, |w| state_of(w, lost) == MessageState::Failed));
    let shown = |w: &World| w.clients[1].disk.received() == ["hi Bob", "kept"];
    assert!(world.run_until(6 * HOUR, shown), "{:?}", world.clients[1].disk.received());
}

/// Alice has lost her session, and with it what she knew of the hole; nothing of hers waits.
#[test]
fn eng_10_rek_7_what_a_lost_session_knew_of_is_told_in_the_new_one() {
    let mut world = greeted(404, Mode::Fast);
    let lost = with_a_loss(&mut world);
    world.switch_off(0);
    world.switch_off(1);
    world.clients[0].disk.forget(Table::Ratchet);
    world.run(14 * DAY);
    world.switch_on(0);
    world.switch_on(1);
    let shown = |w: &World| w.clients[1].disk.received() == ["hi Bob", "kept"];
    assert!(world.run_until(12 * HOUR, shown), "{:?}", world.clients[1].disk.received());
    assert_eq!(state_of(&world, lost), MessageState::Failed);
    assert_eq!(world.clients[0].disk.count(EventKind::SessionRenewed), 1);
}

/// A floor that is lost is told again; one that is told twice changes nothing.
#[test]
fn eng_10_a_floor_is_told_until_it_is_acknowledged() {
    let mut world = greeted(405, Mode::Fast);
    with_a_hole(&mut world);
    world.switch_on(1);
    let first = |w: &World| w.clients[1].disk.received().len() == 2;
    assert!(world.run_until(HOUR, first));
    world.mailboxes[1].faults.drop_put = 1000;
    world.run(HOUR);
    assert_eq!(world.clients[1].disk.received().len(), 2, "control: the floor was lost");
    world.mailboxes[1].faults.drop_put = 0;
    world.mailboxes[1].faults.duplicate = 1000;
    let all = |w: &World| w.clients[1].disk.received()[1..] == ["one", "three"];
    assert!(world.run_until(12 * HOUR, all));
    world.run(HOUR);
    assert!(world.clients[0].disk.values(Table::Outbox).is_empty(), "nothing waits any more");
    world.send(0, 1, "four");
    assert!(world.run_until(HOUR, |w| w.clients[1].disk.received().last() == Some(&"four")));
    assert_eq!(world.clients[1].disk.received().len(), 4);
}

/// What was sealed once may lie at a mailbox, whatever became of the answer.
#[test]
fn prd_10_what_may_have_left_cannot_be_taken_back() {
    let mut world = greeted(406, Mode::Fast);
    world.mailboxes[1].faults.lose_answer = 1000;
    let sent = world.send(0, 1, "it lies there");
    let there = |w: &World| w.clients[1].disk.received().last() == Some(&"it lies there");
    world.mailboxes[0].faults.dead = true;
    world.run(2 * MINUTE);
    assert_eq!(state_of(&world, sent), MessageState::Queued);
    // Encrypted anew after the start (ENG-1), and not sealed again yet.
    world.mailboxes[1].faults.dead = true;
    world.switch_on(0);
    assert_eq!(recall(&mut world, sent), Err(CommandError::TooLate));
    world.mailboxes[1].faults = simnet::Faults::default();
    assert!(world.run_until(HOUR, there));
}

/// A message is lost again and again. Its reader keeps fewer than 128 whole messages waiting for it,
/// and its writer says no more until it has arrived.
#[test]
fn eng_2_a_message_that_is_lost_is_not_overtaken_however_many_follow() {
    let mut world = greeted(406, Mode::Fast);
    let mut sealed = world.now;
    let lost = with_a_loss(&mut world);
    let mut texts = vec!["lost".to_owned(), "kept".to_owned()];
    let mut say = |world: &mut World| {
        for k in texts.len()..texts.len() + 50 {
            world.send(0, 1, &k.to_string());
            texts.push(k.to_string());
        }
        world.run(2 * HOUR);
    };
    for wait in [4 * HOUR, 8 * HOUR] {
        say(&mut world);
        world.run_to(sealed + wait - 5 * MINUTE);
        world.mailboxes[1].faults.drop_put = 1000;
        world.run(15 * MINUTE);
        world.mailboxes[1].faults.drop_put = 0;
        sealed += wait;
    }
    say(&mut world);
    assert_eq!(world.clients[1].disk.received(), ["hi Bob"], "all of them wait for their turn");
    let states = world.clients[0].disk.sent_states();
    let count = |wanted| states.iter().filter(|state| **state == wanted).count();
    // The greeting, and what may follow the lost one.
    assert_eq!(count(MessageState::Delivered), 1 + 127);
    assert_eq!(count(MessageState::Queued), texts.len() - 1 - 127);
    assert!(world.run_until(24 * HOUR, World::all_delivered));
    world.run(HOUR);
    assert_eq!(state_of(&world, lost), MessageState::Delivered);
    assert_eq!(world.clients[1].disk.received()[1..], texts);
}
