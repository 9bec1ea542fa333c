use crate::knowledge::{handshake_puts, puts_at, send_chain, slots};
use crypto::Zeroizing;
use engine::changes::{EventKind, MessageState};
use engine::{Command, CommandError, InviteState, Mode, Reply, Trust};
use simnet::{HOUR, MINUTE, World};

fn text_both_ways(mode: Mode) {
    let mut world = World::verified_pair(1, mode);
    world.send(0, 1, "from the inviter");
    world.send(1, 0, "from the invited");
    assert!(world.run_until(4 * HOUR, World::all_delivered));
    assert_eq!(world.clients[1].disk.received(), ["from the inviter"]);
    assert_eq!(world.clients[0].disk.received(), ["from the invited"]);
    assert_eq!(world.clients[0].disk.count(EventKind::MailboxAlarm), 0);
}

#[test]
fn brd_38_text_goes_both_ways_in_fast() {
    text_both_ways(Mode::Fast);
}

#[test]
fn brd_38_text_goes_both_ways_in_steady() {
    text_both_ways(Mode::Steady);
}

#[test]
fn brd_45_two_clients_of_one_mailbox_pair_also_by_an_old_invite() {
    let mut world = World::new(2);
    let (alice, mailbox) = (world.add_client("Alice", Mode::Fast), world.add_mailbox());
    world.use_mailbox(alice, mailbox);
    let (_, uri) = world.invite(alice, "1");
    world.run(20 * HOUR);
    let bob = world.add_client("Bob", Mode::Fast);
    world.use_mailbox(bob, mailbox);
    world.accept(bob, &uri, "0");
    let paired = |w: &World| w.contact(0, "1").is_some() && w.contact(1, "0").is_some();
    assert!(world.run_until(HOUR, paired));
}

#[test]
fn id_2_nothing_but_the_handshake_leaves_before_words_were_compared() {
    let mut world = World::two(3, Mode::Fast);
    let (_, uri) = world.invite(0, "1");
    world.accept(1, &uri, "0");
    let both = |w: &World| w.contact(0, "1").is_some() && w.contact(1, "0").is_some();
    assert!(world.run_until(HOUR, both));
    let known = [slots(&world, 0, 64), slots(&world, 1, 64)];
    let text = || Zeroizing::new("too early".to_owned());
    for (client, peer) in [(0, 1), (1, 0)] {
        let contact = world.peer(client, peer);
        assert_eq!(world.contact(client, &peer.to_string()).unwrap().1, Trust::Unverified);
        let refused = world.command(client, Command::Send { contact, text: text() });
        assert_eq!(refused, Err(CommandError::Unverified));
    }
    world.run(6 * HOUR);
    // M1 and two of M3 from the inviter; two of M2 and M4 from the invited.
    assert_eq!(handshake_puts(&world, &uri), [3, 3]);
    for (client, known) in known.iter().enumerate() {
        assert_eq!(send_chain(&world, client).next_index(), 0);
        assert!(puts_at(&world, client, known).is_empty());
    }
    // Control: after the comparison the same look finds what leaves.
    world.verify(0, 1);
    world.run(HOUR);
    assert!(!puts_at(&world, 1, &known[1]).is_empty());
}

#[test]
fn id_2_a_second_use_of_an_invite_is_refused_and_reported_to_both() {
    for late in [false, true] {
        let mut world = World::two(4, Mode::Fast);
        let (carol, mailbox) = (world.add_client("Carol", Mode::Fast), world.add_mailbox());
        world.use_mailbox(carol, mailbox);
        let (invite, uri) = world.invite(0, "1");
        world.accept(1, &uri, "0");
        if late {
            assert!(world.run_until(HOUR, |w| w.contact(0, "1").is_some()));
            world.run(HOUR);
        }
        let taken = world.accept(carol, &uri, "0");
        world.run(2 * HOUR);
        assert_eq!(world.clients[0].engine().contacts().count(), 1, "late: {late}");
        assert_eq!(world.clients[0].disk.count(EventKind::InviteReused), 1);
        assert_eq!(world.invite_state(0, invite), InviteState::Reused);
        let refused: usize =
            (1..3).map(|c| world.clients[c].disk.count(EventKind::InviteRefused)).sum();
        assert!(refused >= 1, "the second one was told");
        if late {
            assert_eq!(world.invite_state(carol, taken), InviteState::Refused);
            assert!(world.contact(carol, "0").is_none());
            assert!(world.contact(1, "0").is_some(), "the first one stays");
        }
    }
}

#[test]
fn id_3_a_key_change_blocks_sending_until_words_are_compared_again() {
    let mut world = World::verified_pair(5, Mode::Fast);
    world.send(0, 1, "before");
    assert!(world.run_until(HOUR, World::all_delivered));
    world.switch_off(1);
    world.send(0, 1, "waits: one");
    world.run(HOUR);
    let (device, mailbox) = (world.add_client("Bob anew", Mode::Fast), world.add_mailbox());
    world.use_mailbox(device, mailbox);
    // The invite is assigned to the contact that is known.
    let (_, uri) = world.invite(0, "1");
    world.accept(device, &uri, "0");
    let changed = |w: &World| w.contact(0, "1").unwrap().1 == Trust::Changed;
    assert!(world.run_until(HOUR, changed));
    let paired = |w: &World| w.contact(2, "0").is_some();
    assert!(world.run_until(HOUR, paired));
    assert_eq!(world.clients[0].disk.count(EventKind::ContactChanged), 1);
    let contact = world.peer(0, 1);
    let text = Zeroizing::new("blocked".to_owned());
    let refused = world.command(0, Command::Send { contact, text });
    assert_eq!(refused, Err(CommandError::KeyChanged));
    world.run(6 * HOUR);
    assert_eq!(send_chain(&world, 0).next_index(), 0, "nothing under the new session");
    assert!(world.clients[device].disk.received().is_empty());

    let other = world.peer(device, 0);
    let (from_alice, from_bob) = (world.words(0, contact), world.words(device, other));
    for (client, contact, words) in [(0, contact, from_bob), (device, other, from_alice)] {
        let done = world.command(client, Command::Verify { contact, words }).unwrap();
        assert_eq!(done, Reply::Verified);
    }
    world.send(0, 1, "waits: two");
    assert!(world.run_until(6 * HOUR, World::all_delivered));
    assert_eq!(world.clients[device].disk.received(), ["waits: one", "waits: two"]);
}

fn three_wrong_words(world: &mut World, client: usize, name: &str, heard: [String; 3]) {
    let contact = world.contact(client, name).unwrap().0;
    for tries_left in [2, 1, 0] {
        let wish = Command::Verify { contact, words: heard.clone() };
        assert_eq!(world.command(client, wish), Ok(Reply::WrongWords { tries_left }));
    }
    assert_eq!(world.contact(client, name).unwrap().1, Trust::Locked);
    assert_eq!(world.clients[client].disk.count(EventKind::VerificationFailed), 1);
    let again = world.command(client, Command::Verify { contact, words: heard });
    assert_eq!(again, Err(CommandError::Locked));
    let text = Zeroizing::new("locked".to_owned());
    let refused = world.command(client, Command::Send { contact, text });
    assert_eq!(refused, Err(CommandError::Locked));
}

#[test]
fn id_2_three_wrong_tries_lock_a_contact_and_nothing_is_sent() {
    let mut world = World::two(6, Mode::Fast);
    world.pair(0, 1);
    three_wrong_words(&mut world, 0, "1", ["aardvark", "aardvark", "aardvark"].map(str::to_owned));
    world.switch_off(0);
    world.switch_on(0);
    assert_eq!(world.contact(0, "1").unwrap().1, Trust::Locked);
    world.run(6 * HOUR);
    assert_eq!(send_chain(&world, 0).next_index(), 0);
}

#[test]
fn th_3_a_man_in_the_middle_who_owns_the_invite_and_the_mailbox_is_caught_by_the_words() {
    let mut world = World::two(7, Mode::Fast);
    let mallory = world.add_client("Mallory", Mode::Fast);
    world.use_mailbox(mallory, 0);
    // Mallory takes the invite on its way and hands on one of his own.
    let (_, uri) = world.invite(0, "bob");
    world.accept(mallory, &uri, "alice");
    let (_, own) = world.invite(mallory, "bob");
    world.accept(1, &own, "alice");
    let paired = |w: &World| {
        w.contact(0, "bob").is_some()
            && w.contact(1, "alice").is_some()
            && w.clients[mallory].engine().contacts().count() == 2
    };
    assert!(world.run_until(HOUR, paired));
    world.run(10 * MINUTE);
    let at_alice = world.contact(0, "bob").unwrap().0;
    let at_bob = world.contact(1, "alice").unwrap().0;
    let (from_alice, from_bob) = (world.words(0, at_alice), world.words(1, at_bob));
    three_wrong_words(&mut world, 0, "bob", from_bob);
    three_wrong_words(&mut world, 1, "alice", from_alice);
    world.run(6 * HOUR);
    for client in [0, 1] {
        assert_eq!(send_chain(&world, client).next_index(), 0);
        assert!(world.clients[client].disk.sent_states().is_empty());
    }
}

#[test]
fn prd_10_states_go_from_queued_to_stored_to_delivered() {
    let mut world = World::verified_pair(8, Mode::Steady);
    world.send(0, 1, "text");
    let reached = |state| move |w: &World| w.clients[0].disk.sent_states() == [state];
    assert!(reached(MessageState::Queued)(&world));
    assert!(world.run_until(2 * HOUR, reached(MessageState::Stored)));
    assert!(world.clients[1].disk.received().is_empty());
    assert!(world.run_until(2 * HOUR, reached(MessageState::Delivered)));
    assert_eq!(world.clients[1].disk.received(), ["text"]);
}
