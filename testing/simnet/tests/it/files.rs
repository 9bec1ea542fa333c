//! Files between two clients (`docs/spec/files.md`).

use crypto::Zeroizing;
use engine::changes::{EventKind, MessageState, Table};
use engine::{Command, CommandError, FileId, FileState, Mode, Outcome, Reply};
use simnet::{Crash, DAY, Faults, HOUR, MINUTE, World};

const PART: usize = 4000;
const DONE: FileState = FileState::Ended(Outcome::Done);

/// Bytes that nobody has written by chance.
fn bytes(len: usize) -> Vec<u8> {
    (0_u64..)
        .map(|k| (k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56).to_le_bytes()[0])
        .take(len)
        .collect()
}

/// The file lies in Bob's folder, once and with its hash, and Alice knows it.
fn arrived(world: &World, id: FileId, name: &str, bytes: &[u8]) -> bool {
    let of_alice = world.peer(1, 0);
    let saved = world.clients[1].folder.get(&(of_alice, id));
    let whole = saved.is_some_and(|(called, saved)| {
        called == name && crypto::hash(&[saved]) == crypto::hash(&[bytes])
    });
    whole && world.file_state(0, id) == DONE && world.file_state(1, id) == DONE
}

/// Rows of files, and of their parts.
fn rows(world: &World, client: usize) -> (usize, usize) {
    let disk = &world.clients[client].disk;
    (disk.values(Table::File).len(), disk.values(Table::FilePart).len())
}

#[test]
fn fil_4_fil_11_a_megabyte_arrives_with_its_hash() {
    for (seed, mode, span) in [(80, Mode::Fast, HOUR), (81, Mode::Steady, 3 * DAY)] {
        let mut world = World::verified_pair(seed, mode);
        world.tor = true;
        let bytes = bytes(1_000_000);
        let id = world.send_file(0, 1, "a megabyte.bin", &bytes);
        assert_eq!(rows(&world, 0), (1, 250), "FIL-5: all of it is kept");
        let start = world.now;
        assert!(world.run_until(span, |w| arrived(w, id, "a megabyte.bin", &bytes)));
        println!("{mode:?}: {} min", (world.now - start) / MINUTE);
        world.run(HOUR);
        for client in [0, 1] {
            assert_eq!(rows(&world, client), (1, 0), "what was under way is gone");
        }
        assert_eq!(world.clients[1].disk.count(EventKind::FileOffered), 1);
        assert_eq!(world.clients[1].disk.count(EventKind::FileReceived), 1);
        assert_eq!(world.clients[0].disk.count(EventKind::FileEnded), 1);
    }
}

#[test]
fn fil_6_fil_9_a_file_arrives_once_when_answers_are_late_lost_and_doubled() {
    for (seed, mode) in [(82, Mode::Fast), (83, Mode::Steady)] {
        let mut world = World::verified_pair(seed, mode);
        world.tor = true;
        for mailbox in &mut world.mailboxes {
            mailbox.faults = Faults {
                retry: 150,
                lose_answer: 150,
                duplicate: 300,
                drop_put: 100,
                lose_request: 150,
                garbage_fetch: 150,
                delay_ms: 40_000,
                ..Faults::default()
            };
        }
        let bytes = bytes(PART * 90 + 1);
        let id = world.send_file(0, 1, "f", &bytes);
        assert!(world.run_until(9 * DAY, |w| arrived(w, id, "f", &bytes)), "{mode:?}");
    }
}

#[test]
fn fil_5_what_people_say_does_not_wait_for_a_file() {
    let mut world = World::verified_pair(84, Mode::Steady);
    let bytes = bytes(1_000_000);
    let id = world.send_file(0, 1, "slow", &bytes);
    world.run(4 * HOUR);
    assert!(matches!(world.file_state(0, id), FileState::Moving));
    let alone = {
        let mut alone = World::verified_pair(84, Mode::Steady);
        alone.run(4 * HOUR);
        for k in 0..5 {
            alone.send(0, 1, &format!("{k}"));
        }
        let start = alone.now;
        assert!(alone.run_until(6 * HOUR, |w| w.clients[1].disk.received().len() == 5));
        alone.now - start
    };
    for k in 0..5 {
        world.send(0, 1, &format!("{k}"));
    }
    let start = world.now;
    assert!(world.run_until(6 * HOUR, |w| w.clients[1].disk.received().len() == 5));
    let beside = world.now - start;
    // The chunk of a part may be fetched before that of a message, and then that of the message.
    assert!(beside <= 2 * alone + 10 * MINUTE, "{beside} beside a file, {alone} alone");
    assert!(matches!(world.file_state(0, id), FileState::Moving), "control: it is under way");
}

#[test]
fn fil_3_what_cannot_be_sent_is_refused_before_anything_of_it_is_kept() {
    let mut world = World::verified_pair(85, Mode::Fast);
    let contact = world.peer(0, 1);
    let wish = |name: &str, len: usize| Command::SendFile {
        contact,
        name: name.to_owned(),
        bytes: Zeroizing::new(vec![1; len]),
    };
    let most = 8 * 1024 * 1024;
    for (name, len, error) in [
        ("f", 0, CommandError::FileEmpty),
        ("f", most + 1, CommandError::FileTooLong),
        ("", 1, CommandError::FileName),
        (&"n".repeat(256), 1, CommandError::FileName),
    ] {
        assert_eq!(world.command(0, wish(name, len)), Err(error));
    }
    assert_eq!(rows(&world, 0), (0, 0));
    for _ in 0..4 {
        assert!(matches!(world.command(0, wish("f", most)), Ok(Reply::File(_))));
    }
    assert_eq!(world.command(0, wish("f", 1)), Err(CommandError::FilesUnderWay));
    assert_eq!(rows(&world, 0).0, 4);
}

#[test]
fn fil_8_fil_10_more_than_there_is_room_for_is_refused_and_the_sender_told() {
    let mut world = World::verified_pair(86, Mode::Fast);
    let most = vec![7; 8 * 1024 * 1024];
    let all: Vec<FileId> = (0..3).map(|k| world.send_file(0, 1, &format!("{k}"), &most)).collect();
    let full = FileState::Ended(Outcome::NoRoom);
    // Which of them is the third, is the order of arrival.
    let refused = |w: &World, client: usize| {
        let refused = all.iter().filter(|id| w.file(client, **id).is_some_and(|f| f.state == full));
        refused.count()
    };
    assert!(world.run_until(6 * HOUR, |w| refused(w, 0) == 1 && refused(w, 1) == 1));
    assert_eq!(rows(&world, 1).0, 3);
    world.run(5 * MINUTE);
    let moving = |id: &&FileId| matches!(world.file_state(1, **id), FileState::Moving);
    assert_eq!(all.iter().filter(moving).count(), 2);
}

#[test]
fn fil_11_what_has_another_hash_is_not_saved_and_the_sender_told() {
    let mut world = World::verified_pair(87, Mode::Fast);
    let id = world.send_file(0, 1, "f", &bytes(PART * 3));
    world.clients[0].disk.spoil(Table::FilePart);
    world.switch_on(0);
    let damaged = FileState::Ended(Outcome::Damaged);
    assert!(world.run_until(6 * HOUR, |w| {
        w.file(1, id).is_some_and(|file| file.state == damaged) && w.file_state(0, id) == damaged
    }));
    assert!(world.clients[1].folder.is_empty());
    assert_eq!((rows(&world, 0), rows(&world, 1)), ((1, 0), (1, 0)));
}

#[test]
fn fil_13_either_side_ends_a_file_and_the_other_is_told() {
    for (seed, ending, other) in [(88, 0, 1), (89, 1, 0)] {
        let mut world = World::verified_pair(seed, Mode::Steady);
        let id = world.send_file(0, 1, "f", &bytes(400_000));
        let moving = |w: &World| w.file(1, id).is_some_and(|file| file.done > 20_000);
        assert!(world.run_until(DAY, moving));
        let contact = world.peer(ending, other);
        let cancel = || Command::CancelFile { contact, file: id };
        world.insist(ending, cancel);
        assert_eq!(world.file_state(ending, id), FileState::Ended(Outcome::Cancelled));
        let told = |w: &World| w.file_state(other, id) == FileState::Ended(Outcome::Refused);
        assert!(world.run_until(DAY, told));
        assert_eq!(world.command(ending, cancel()), Err(CommandError::FileOver));
        for client in [0, 1] {
            assert_eq!(rows(&world, client), (1, 0));
        }
        // Nothing of it is left to leave, and the conversation goes on.
        world.send(0, 1, "after it");
        assert!(world.run_until(DAY, World::all_delivered));
        assert!(world.clients[1].folder.is_empty());
    }
}

#[test]
fn fil_13_an_offer_that_never_left_is_withdrawn_without_a_word() {
    let mut world = World::verified_pair(90, Mode::Steady);
    let id = world.send_file(0, 1, "f", &bytes(PART));
    let contact = world.peer(0, 1);
    world.insist(0, || Command::CancelFile { contact, file: id });
    world.run(DAY);
    assert!(world.file(1, id).is_none());
}

#[test]
fn fil_13_eng_4_eng_5_blocking_ends_files_and_removing_leaves_no_row() {
    let mut world = World::verified_pair(91, Mode::Steady);
    let (out, back) = (bytes(300_000), bytes(200_000));
    let ours = world.send_file(0, 1, "out", &out);
    let theirs = world.send_file(1, 0, "back", &back);
    let both = |w: &World| {
        w.file(1, ours).is_some_and(|f| f.done > 20_000)
            && w.file(0, theirs).is_some_and(|f| f.done > 20_000)
    };
    assert!(world.run_until(2 * DAY, both));
    let contact = world.peer(0, 1);
    world.insist(0, || Command::Block { contact, blocked: true });
    assert_eq!(rows(&world, 0), (2, 0));
    world.run(6 * HOUR);
    assert!(matches!(world.file_state(1, ours), FileState::Moving), "no sign of it");
    world.insist(0, || Command::Block { contact, blocked: false });
    let told = FileState::Ended(Outcome::Refused);
    let both = |w: &World| w.file_state(1, ours) == told && w.file_state(1, theirs) == told;
    assert!(world.run_until(DAY, both));
    let third = world.send_file(0, 1, "third", &out);
    assert!(world.run_until(DAY, |w| w.file(1, third).is_some_and(|f| f.done > 20_000)));
    world.insist(0, || Command::RemoveContact(contact));
    assert_eq!(rows(&world, 0), (0, 0));
    assert!(world.clients[0].disk.values(Table::Outbox).is_empty());
    world.run(6 * HOUR);
    assert_eq!(rows(&world, 0), (0, 0));
}

#[test]
fn fil_13_fil_14_what_does_not_move_fails_and_what_has_ended_is_forgotten() {
    let mut world = World::verified_pair(92, Mode::Fast);
    let id = world.send_file(0, 1, "f", &bytes(PART));
    let mut away = |days: u64| {
        world.switch_off(0);
        world.switch_off(1);
        world.run(days * DAY);
        world.switch_on(0);
        world.run(2 * MINUTE);
        world.file(0, id).map(|file| file.state)
    };
    assert_eq!(away(13), Some(FileState::Offered));
    assert_eq!(away(1), Some(FileState::Ended(Outcome::Failed)));
    assert_eq!(away(29), Some(FileState::Ended(Outcome::Failed)));
    assert_eq!(away(1), None);
    assert_eq!(rows(&world, 0), (0, 0));
}

#[test]
fn fil_6_brd_48_a_file_follows_a_contact_who_moves() {
    let mut world = World::verified_pair(93, Mode::Fast);
    let bytes = bytes(PART * 70);
    let id = world.send_file(0, 1, "f", &bytes);
    assert!(world.run_until(HOUR, |w| w.file(1, id).is_some_and(|f| f.done > 0)));
    let new = world.add_mailbox();
    world.use_mailbox(1, new);
    world.run(MINUTE);
    let old = world.mailboxes[1].key;
    world.insist(1, || Command::RemoveMailbox(old));
    world.mailboxes[1].faults.dead = true;
    assert!(world.run_until(2 * DAY, |w| arrived(w, id, "f", &bytes)));
}

/// A file of three reports and texts both ways; the crash falls where it is told to.
fn scenario(crash: Option<(usize, Crash)>) -> World {
    let mut world = World::verified_pair(94, Mode::Fast);
    world.send(0, 1, "first");
    assert!(world.run_until(HOUR, World::all_delivered));
    if let Some((client, crash)) = crash {
        world.clients[client].crash = Some(crash);
    }
    let bytes = bytes(PART * 18 + 5);
    let id = world.send_file(0, 1, "f", &bytes);
    world.send(0, 1, "second");
    let done = world.run_until(24 * HOUR, |w| w.all_delivered() && arrived(w, id, "f", &bytes));
    assert!(done, "{crash:?}: something was lost");
    world.run(10 * MINUTE);
    assert_eq!(world.clients[1].folder.len(), 1, "{crash:?}");
    for client in [0, 1] {
        assert_eq!(rows(&world, client), (1, 0), "{crash:?}");
    }
    assert_eq!(world.clients[1].disk.received(), ["first", "second"], "{crash:?}");
    world
}

/// Runs the scenario once for each step that `client` saves once the file is accepted, with a crash
/// there.
fn everywhere(client: usize, crash: impl Fn(u64) -> Crash) {
    let mut world = World::verified_pair(94, Mode::Fast);
    world.send(0, 1, "first");
    assert!(world.run_until(HOUR, World::all_delivered));
    let first = world.clients[client].steps;
    let last = scenario(None).clients[client].steps;
    assert!(last > first + 20, "the scenario saves {} steps", last - first);
    for step in first + 1..=last {
        let world = scenario(Some((client, crash(step))));
        assert_eq!(world.clients[client].loads, 1, "step {step}");
    }
}

#[test]
fn fil_15_the_sender_killed_after_any_step_loses_and_doubles_nothing() {
    everywhere(0, Crash::AfterSave);
}

#[test]
fn fil_15_the_receiver_killed_after_any_step_loses_and_doubles_nothing() {
    everywhere(1, Crash::AfterSave);
}

#[test]
fn fil_15_the_sender_goes_on_after_a_step_that_was_not_saved() {
    everywhere(0, Crash::NotSaved);
}

#[test]
fn fil_15_the_receiver_goes_on_after_a_step_that_was_not_saved() {
    everywhere(1, Crash::NotSaved);
}

#[test]
fn fil_12_a_file_that_could_not_be_saved_waits_and_messages_do_not() {
    let mut world = World::verified_pair(95, Mode::Fast);
    world.clients[1].folder_full = true;
    let bytes = bytes(PART * 2);
    let id = world.send_file(0, 1, "f", &bytes);
    assert!(world.run_until(HOUR, |w| w.file(1, id).is_some_and(|f| f.state == FileState::Whole)));
    world.send(0, 1, "meanwhile");
    assert!(world.run_until(HOUR, World::all_delivered));
    assert_eq!(world.clients[0].disk.sent_states(), [MessageState::Delivered]);
    assert!(matches!(world.file_state(0, id), FileState::Moving), "not said to be there");
    world.switch_on(1);
    world.clients[1].folder_full = false;
    assert!(world.run_until(HOUR, |w| arrived(w, id, "f", &bytes)));
}
