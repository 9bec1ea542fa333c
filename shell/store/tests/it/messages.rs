use crate::common::{ALICE, BOB, Home, id, message, put, save, texts};
use engine::changes::{Change, Changes, MessageState, Table};
use store::{Counts, ROW_BYTES, StoreError};

fn received(contact: [u8; 16], numbers: std::ops::Range<u64>) -> Vec<Change> {
    numbers.map(|n| message(contact, n, MessageState::Received, &n.to_string())).collect()
}

#[test]
fn sto_34_pages_end_with_the_newest_and_continue_where_the_last_began() {
    let (_home, mut store) = Home::with_profile();
    save(&mut store, received(ALICE, 0..4));
    save(&mut store, received(BOB, 100..103));
    save(&mut store, received(ALICE, 4..7));

    let newest = store.history(&ALICE, None, 3).unwrap();
    assert_eq!(texts(&newest), ["4", "5", "6"]);
    let older = store.history(&ALICE, Some(newest[0].row), 3).unwrap();
    assert_eq!(texts(&older), ["1", "2", "3"]);
    let oldest = store.history(&ALICE, Some(older[0].row), 3).unwrap();
    assert_eq!(texts(&oldest), ["0"]);
    assert!(store.history(&ALICE, Some(oldest[0].row), 3).unwrap().is_empty());
    assert_eq!(texts(&store.history(&BOB, None, 100).unwrap()), ["100", "101", "102"]);
    assert!(store.history(&[9; 16], None, 100).unwrap().is_empty());
    assert!(store.history(&ALICE, None, 0).unwrap().is_empty());
}

#[test]
fn prd_10_a_message_is_found_by_contact_and_id_and_by_a_prefix() {
    let (_home, mut store) = Home::with_profile();
    save(&mut store, received(ALICE, 0..3));
    save(&mut store, received(BOB, 2..4));
    let found = store.message(&ALICE, &id(2)).unwrap().unwrap();
    assert_eq!((found.message.sent, found.message.saved), (1002, 2002));
    assert_eq!((found.message.contact, found.message.id), (ALICE, id(2)));
    assert!(store.message(&ALICE, &id(3)).unwrap().is_none());

    assert_eq!(texts(&store.find_message(&id(1)).unwrap()), ["1"]);
    assert_eq!(store.find_message(&id(2)).unwrap().len(), 2, "one of each contact");
    assert_eq!(store.find_message(&[0; 8]).unwrap().len(), 5);
    assert_eq!(store.find_message(&[]).unwrap().len(), 5);
    assert!(store.find_message(&[1]).unwrap().is_empty());
    assert!(store.find_message(&[0; 17]).unwrap().is_empty());
    save(&mut store, received(BOB, 10..30));
    assert_eq!(store.find_message(&[0]).unwrap().len(), 8);
}

#[test]
fn prd_10_unread_messages_wait_until_they_are_marked() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, received(ALICE, 0..2));
    save(&mut store, vec![message(ALICE, 50, MessageState::Queued, "ours")]);
    save(&mut store, received(BOB, 2..4));
    let unread = store.unread(usize::MAX).unwrap();
    assert_eq!(texts(&unread), ["0", "1", "2", "3"]);
    store.mark_read(unread[2].row, 0).unwrap();
    assert_eq!(texts(&store.unread(usize::MAX).unwrap()), ["3"]);
    drop(store);
    let mut store = home.unlock().unwrap();
    assert_eq!(texts(&store.unread(usize::MAX).unwrap()), ["3"]);
    assert!(store.message(&ALICE, &id(1)).unwrap().unwrap().read);
    // What comes later is unread again, also after everything was marked.
    store.mark_read(i64::MAX, 0).unwrap();
    save(&mut store, received(BOB, 4..5));
    assert_eq!(texts(&store.unread(usize::MAX).unwrap()), ["4"]);
}

#[test]
fn rpc_15_what_is_unread_is_read_up_to_a_number_of_bytes() {
    let (_home, mut store) = Home::with_profile();
    save(&mut store, received(ALICE, 0..10));
    let found = |room| store.unread(room).unwrap().len();
    assert_eq!([0, 1, ROW_BYTES + 1, ROW_BYTES + 2].map(found), [0, 1, 1, 2]);
    assert_eq!([9 * (ROW_BYTES + 1), usize::MAX].map(found), [9, 10]);
}

#[test]
fn prd_1_what_waits_for_long_is_counted_over_all_contacts() {
    let (_home, mut store) = Home::with_profile();
    save(&mut store, [ALICE, BOB].map(|contact| put(Table::Contact, &contact, &[])).into());
    save(&mut store, received(ALICE, 0..3));
    for (contact, n, state) in [
        (ALICE, 10, MessageState::Queued),
        (BOB, 11, MessageState::Stored),
        (BOB, 12, MessageState::Delivered),
        (BOB, 13, MessageState::Stored),
    ] {
        save(&mut store, vec![message(contact, n, state, "ours")]);
    }
    assert_eq!(store.waiting_since(2009).unwrap(), 0);
    assert_eq!(store.waiting_since(2011).unwrap(), 2);
    assert_eq!(store.waiting_since(u64::MAX).unwrap(), 3);
}

/// A row that was given to a face must not come to mean another message.
#[test]
fn prd_10_rows_are_never_given_twice() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, received(ALICE, 0..3));
    let last = store.history(&ALICE, None, 1).unwrap()[0].row;
    save(&mut store, vec![Change::ForgetConversation { contact: ALICE }]);
    drop(store);
    let mut store = home.unlock().unwrap();
    save(&mut store, received(ALICE, 0..1));
    assert!(store.history(&ALICE, None, 1).unwrap()[0].row > last);
}

#[test]
fn prd_10_counts_follow_the_states() {
    let (_home, mut store) = Home::with_profile();
    assert_eq!(store.counts().unwrap(), []);
    save(&mut store, [ALICE, BOB].map(|contact| put(Table::Contact, &contact, &[])).into());
    save(&mut store, received(ALICE, 0..2));
    for (n, state) in [(10, MessageState::Queued), (11, MessageState::Queued)] {
        save(&mut store, vec![message(ALICE, n, state, "ours")]);
    }
    save(&mut store, vec![message(BOB, 12, MessageState::Queued, "ours")]);
    let to = |contact, n, state| Change::MessageState { contact, id: id(n), state };
    save(
        &mut store,
        vec![
            to(ALICE, 10, MessageState::Stored),
            to(BOB, 12, MessageState::Delivered),
            // Forgotten meanwhile: no fault.
            to(BOB, 99, MessageState::Delivered),
        ],
    );
    let expected = [
        Counts { contact: ALICE, queued: 1, stored: 1, unread: 2 },
        Counts { contact: BOB, queued: 0, stored: 0, unread: 0 },
    ];
    assert_eq!(store.counts().unwrap(), expected);
    assert_eq!(
        store.message(&BOB, &id(12)).unwrap().unwrap().message.state,
        MessageState::Delivered
    );
}

#[test]
fn prd_17_a_key_is_saved_with_its_message_and_once() {
    let (home, mut store) = Home::with_profile();
    let send = |n| Changes(vec![message(ALICE, n, MessageState::Queued, "hi")]);
    assert_eq!(store.idempotency("job-17").unwrap(), None);
    store.save_with_key(&send(1), "job-17", &id(1)).unwrap();
    // A second save under the same key, and one that does not hold its message, save nothing.
    assert_eq!(store.save_with_key(&send(2), "job-17", &id(2)), Err(StoreError::Conflict));
    assert_eq!(store.save_with_key(&send(2), "job-18", &id(3)), Err(StoreError::Conflict));
    assert_eq!(store.save_with_key(&send(2), "", &id(2)), Err(StoreError::Conflict));
    assert!(store.message(&ALICE, &id(2)).unwrap().is_none());
    drop(store);
    let mut store = home.unlock().unwrap();
    assert_eq!(store.idempotency("job-17").unwrap(), Some(id(1)));
    assert_eq!(store.idempotency("job-18").unwrap(), None);

    let fortnight = 14 * 24 * 3600;
    store.prune(2001 + fortnight).unwrap();
    assert_eq!(store.idempotency("job-17").unwrap(), Some(id(1)));
    store.prune(2002 + fortnight).unwrap();
    assert_eq!(store.idempotency("job-17").unwrap(), None);
}
