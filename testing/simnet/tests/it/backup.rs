//! What a backup has of a profile's rows, and what a profile made of them does.

use crypto::Zeroizing;
use engine::backup::carried;
use engine::changes::{Change, Changes, EventKind, MessageState, Table};
use engine::{Mode, Trust};
use simnet::{Disk, HOUR, MINUTE, World};

type Rows = Vec<(Table, Vec<u8>, Vec<u8>)>;

/// Two who have talked, with messages under way both ways, an invite, and a text of which some
/// parts have come.
fn in_the_middle() -> World {
    let mut world = World::verified_pair(80, Mode::Fast);
    world.send(0, 1, "arrived");
    world.send(1, 0, "arrived as well");
    assert!(world.run_until(8 * HOUR, World::all_delivered));
    world.invite(0, "Carol");
    world.send(0, 1, "sealed and not confirmed");
    let sealed = |w: &World| w.clients[0].disk.sent_states().last() == Some(&MessageState::Stored);
    assert!(world.run_until(6 * HOUR, sealed));
    world.send(1, 0, &"long ".repeat(5000));
    let some = |w: &World| !w.clients[0].disk.values(Table::Partial).is_empty();
    assert!(world.run_until(6 * HOUR, some), "no part came");
    world.send(0, 1, "sealed and under way");
    let envelope = |w: &World| envelopes(&w.clients[0].disk) > 0;
    assert!(world.run_until(6 * HOUR, envelope), "nothing was sealed");
    world.send(0, 1, "waits");
    world
}

/// Items that lie sealed in the outbox.
fn envelopes(disk: &Disk) -> usize {
    disk.values(Table::Outbox).into_iter().filter(|(_, value)| value.len() > 4096).count()
}

fn rows(disk: &Disk) -> Rows {
    let all = disk.snapshot().0.into_iter();
    all.map(|(table, key, value)| (table, key, value.to_vec())).collect()
}

fn backed_up(disk: &Disk) -> Rows {
    let mut out = Vec::new();
    for (table, key, value) in disk.snapshot().0 {
        if let Some(value) = carried(table, &key, value).unwrap() {
            // What is carried out is carried back as it is.
            let back = carried(table, &key, value.clone()).unwrap().unwrap();
            assert_eq!(*back, *value);
            out.push((table, key, value.to_vec()));
        }
    }
    out
}

fn contains(rows: &Rows, part: &[u8]) -> bool {
    rows.iter().any(|(_, _, value)| value.windows(part.len()).any(|window| window == part))
}

/// Every 16 bytes of ratchet, chains and generation secrets, but for runs of small numbers.
fn secrets(session: &[u8]) -> Vec<&[u8]> {
    let length = |at: usize| {
        usize::try_from(u32::from_be_bytes(session[at..at + 4].try_into().unwrap())).unwrap()
    };
    // version ‖ ratchet ‖ send ‖ recv, each behind its length, then two secrets of 32 bytes.
    let end = (0..3).fold(1, |at, _| at + 4 + length(at)) + 64;
    let random = |window: &&[u8]| window.iter().filter(|byte| **byte < 4).count() < 4;
    session[1..end].windows(16).filter(random).collect()
}

#[test]
fn bak_5_no_byte_of_a_ratchet_or_chain_is_carried_and_a_planted_one_is_found() {
    let world = in_the_middle();
    let disk = &world.clients[0].disk;
    let mut carried = backed_up(disk);
    let sessions = disk.values(Table::Ratchet);
    let secrets = secrets(sessions[0].1);
    assert!(secrets.len() > 500, "{}", secrets.len());
    assert!(secrets.iter().all(|secret| contains(&rows(disk), secret)), "control");
    for secret in &secrets {
        assert!(!contains(&carried, secret));
    }
    assert!(carried.iter().all(|(table, _, value)| *table != Table::Outbox || value.len() < 4096));

    let mut planted = b"a contact that says ".to_vec();
    planted.extend_from_slice(secrets[100]);
    carried.push((Table::Contact, vec![0; 16], planted));
    assert!(secrets.iter().any(|secret| contains(&carried, secret)), "control");
}

#[test]
fn bak_5_what_is_carried_are_people_and_what_was_and_is_to_be_said() {
    let world = in_the_middle();
    let disk = &world.clients[0].disk;
    let carried = backed_up(disk);
    let of = |table: Table| carried.iter().filter(|(t, ..)| *t == table).count();
    // Beside the rows of the profile and its beacons there is its clock, which begins anew elsewhere.
    assert_eq!((of(Table::Profile), disk.values(Table::Profile).len()), (2, 3));
    for table in [Table::Mailbox, Table::Contact, Table::Recovery, Table::Seen] {
        assert!(of(table) > 0, "{table:?}");
        assert_eq!(of(table), disk.values(table).len(), "{table:?}");
    }
    assert_eq!(of(Table::Partial), disk.values(Table::Partial).len());
    for table in [Table::Ratchet, Table::Invite, Table::Cursor] {
        assert!(!disk.values(table).is_empty(), "control: {table:?}");
        assert_eq!(of(table), 0, "{table:?}");
    }
    for text in ["sealed and not confirmed", "waits"] {
        assert!(contains(&carried, text.as_bytes()), "{text}");
    }
}

/// Another device with what a backup of `client` holds; the first one is gone.
fn restored(world: &mut World, client: usize, backup: Rows) -> usize {
    let puts = backup.into_iter().map(|(table, key, value)| Change::Put {
        table,
        key,
        value: Zeroizing::new(value),
    });
    let mut disk = Disk::default();
    disk.apply(&Changes(puts.collect()));
    disk.take_history(&world.clients[client].disk);
    world.switch_off(client);
    let restored = world.add_saved(disk);
    world.switch_on(restored);
    restored
}

/// BRD-47: writing with a restored chain is impossible, because none is restored.
#[test]
fn bak_5_brd_47_a_restored_profile_knows_its_people_and_says_nothing_before_it_is_renewed() {
    let mut world = in_the_middle();
    let backup = backed_up(&world.clients[0].disk);
    world.switch_off(1);
    let restored = restored(&mut world, 0, backup);
    let (id, trust) = world.contact(restored, "1").unwrap();
    assert!(matches!(trust, Trust::Verified { .. }));
    assert_eq!(id, world.peer(restored, 1));
    world.send(restored, 1, "written afterwards");
    world.run(6 * HOUR + MINUTE);
    // What is under way to renew it has a longer key.
    let rows = world.clients[restored].disk.values(Table::Ratchet);
    assert!(rows.iter().all(|(key, _)| key.len() == 17), "a session");
    let states = world.clients[restored].disk.sent_states();
    assert_eq!(states.last(), Some(&MessageState::Queued));
}

#[test]
fn rek_3_bak_5_a_restored_profile_heals_with_every_contact_and_loses_and_doubles_nothing() {
    let mut world = in_the_middle();
    let (carol, mailbox) = (world.add_client("Carol", Mode::Fast), world.add_mailbox());
    world.use_mailbox(carol, mailbox);
    world.pair(0, carol);
    world.verify(0, carol);
    world.send(carol, 0, "from Carol");
    let greeted = |w: &World| w.clients[0].disk.received().contains(&"from Carol");
    assert!(world.run_until(6 * HOUR, greeted));
    world.send(0, carol, "to Carol, waits");
    let backup = backed_up(&world.clients[0].disk);
    let before: Vec<String> =
        world.clients[0].disk.received().iter().map(|text| (*text).to_owned()).collect();
    // What is said after the backup was made, and lost with the disk.
    world.send(0, 1, "after the backup");
    world.run(2 * HOUR);
    world.send(1, 0, "never read");

    let restored = restored(&mut world, 0, backup);
    world.send(restored, 1, "to Bob again");
    world.send(restored, carol, "to Carol again");
    let healed = |w: &World| {
        let delivered = |c: usize| {
            w.clients[c].disk.sent_states().iter().all(|s| *s == MessageState::Delivered)
        };
        [1, carol, restored].into_iter().all(delivered)
    };
    assert!(world.run_until(24 * HOUR, healed), "not all is delivered");
    for client in [1, carol] {
        assert_eq!(world.clients[client].disk.count(EventKind::SessionRenewed), 1);
        world.send(client, 0, "and then");
    }
    assert!(world.run_until(12 * HOUR, healed));
    assert_eq!(world.clients[restored].disk.count(EventKind::SessionRenewed), 2);
    let bob = world.clients[1].disk.received();
    let said = [
        "arrived",
        "sealed and not confirmed",
        "sealed and under way",
        "waits",
        "after the backup",
        "to Bob again",
    ];
    assert_eq!(bob, said);
    assert_eq!(world.clients[carol].disk.received(), ["to Carol, waits", "to Carol again"]);
    let received = world.clients[restored].disk.received();
    assert_eq!(received[..before.len()], before);
    let long = "long ".repeat(5000);
    let mut later = received[before.len()..].to_vec();
    later.retain(|text| *text != long);
    assert_eq!(later, ["never read", "and then", "and then"]);
    assert_eq!(received.iter().filter(|text| **text == long).count(), 1);
}
