use crate::common::{ALICE, BOB, Home, event, id, message, put, rows, save};
use engine::changes::{Change, Changes, EventKind, Message, MessageState, Table};
use store::StoreError;

#[test]
fn sto_24_rows_come_back_after_the_next_unlock() {
    let (home, mut store) = Home::with_profile();
    let all = Table::ALL.into_iter().map(|table| put(table, b"key", table.name().as_bytes()));
    save(&mut store, all.collect());
    save(
        &mut store,
        vec![
            put(Table::Ratchet, b"key", b"second value"),
            put(Table::Ratchet, b"another", b"x"),
            Change::Delete { table: Table::Contact, key: b"key".to_vec() },
            Change::Delete { table: Table::Contact, key: b"never there".to_vec() },
        ],
    );
    let before = rows(&store);
    drop(store);

    let store = home.unlock().unwrap();
    let after = rows(&store);
    assert_eq!(after, before);
    assert_eq!(after.len(), Table::ALL.len());
    assert!(after.contains(&(Table::Ratchet, b"key".to_vec(), b"second value".to_vec())));
    assert!(after.iter().all(|(table, ..)| *table != Table::Contact));
}

#[test]
fn sto_24_a_step_that_contradicts_itself_saves_nothing() {
    let (_home, mut store) = Home::with_profile();
    save(&mut store, vec![message(ALICE, 1, MessageState::Queued, "first")]);
    let before = rows(&store);
    let twice = Changes(vec![
        put(Table::Ratchet, b"key", b"must not stay"),
        event(1),
        message(ALICE, 1, MessageState::Queued, "again"),
    ]);
    assert_eq!(store.save(&twice), Err(StoreError::Conflict));
    assert_eq!(rows(&store), before);
    assert!(store.events_after(0, 10).unwrap().is_empty());
    assert_eq!(store.history(&ALICE, None, 10).unwrap().len(), 1);
    // The same identifier from another contact is another message.
    save(&mut store, vec![message(BOB, 1, MessageState::Received, "mine")]);
}

/// The peer chooses the ids of its messages: taking one of ours, or one of its own again, shows
/// nothing, changes nothing, and must not keep the rest of the step from being saved.
#[test]
fn in_3_an_id_that_the_peer_repeats_is_ignored_and_the_rest_is_saved() {
    let (_home, mut store) = Home::with_profile();
    save(&mut store, vec![message(ALICE, 1, MessageState::Queued, "ours")]);
    save(&mut store, vec![message(ALICE, 2, MessageState::Received, "theirs")]);
    for n in [1, 2] {
        let again = message(ALICE, n, MessageState::Received, "again");
        save(&mut store, vec![again, put(Table::Ratchet, b"key", b"saved")]);
    }
    let history = store.history(&ALICE, None, 10).unwrap();
    let texts: Vec<&str> = history.iter().map(|stored| stored.message.text.as_str()).collect();
    assert_eq!(texts, ["ours", "theirs"]);
    assert!(rows(&store).contains(&(Table::Ratchet, b"key".to_vec(), b"saved".to_vec())));
}

#[test]
fn prd_17_every_kind_of_event_and_state_is_stored_as_itself() {
    let (home, mut store) = Home::with_profile();
    let states = [
        MessageState::Queued,
        MessageState::Stored,
        MessageState::Delivered,
        MessageState::Failed,
        MessageState::Received,
        MessageState::Recalled,
        MessageState::NotStored,
    ];
    save(
        &mut store,
        EventKind::ALL
            .into_iter()
            .map(|(kind, ..)| {
                Change::Event(engine::changes::Event { kind, contact: None, message: None, at: 7 })
            })
            .chain((0..).zip(states).map(|(n, state)| message(ALICE, n, state, "text")))
            .collect(),
    );
    drop(store);
    let store = home.unlock().unwrap();
    let kinds: Vec<_> =
        store.events_after(0, 100).unwrap().into_iter().map(|stored| stored.event.kind).collect();
    assert_eq!(kinds, EventKind::ALL.map(|(kind, ..)| kind));
    for (n, state) in (0..).zip(states) {
        assert_eq!(store.message(&ALICE, &id(n)).unwrap().unwrap().message.state, state);
    }
}

/// A peer names its clock: it must not be able to make a step unsaveable.
#[test]
fn sto_24_a_time_beyond_all_clocks_is_saved() {
    let (_home, mut store) = Home::with_profile();
    let late = Message {
        id: id(1),
        contact: ALICE,
        state: MessageState::Received,
        text: String::new().into(),
        sent: u64::MAX,
        saved: u64::MAX,
        since: u64::MAX,
        timer: 0,
    };
    save(&mut store, vec![Change::Message(late)]);
    let found = store.message(&ALICE, &id(1)).unwrap().unwrap();
    assert_eq!(found.message.sent, u64::try_from(i64::MAX).unwrap());
}
