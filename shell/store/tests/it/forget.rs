use crate::common::{
    ALICE, BOB, Home, event, files_below, id, message, put, save, texts, with_timer,
};
use engine::Due;
use engine::changes::{Change, Changes, MessageState, Table};
use std::fs;
use store::Store;

fn before(since_before: u64) -> Due {
    Due { now: 0, since_before }
}

fn log_len(home: &Home) -> u64 {
    fs::metadata(home.file("pvtcoms.db-wal")).unwrap().len()
}

#[test]
fn sto_31_due_messages_go_and_others_stay() {
    let (home, mut store) = Home::with_profile();
    let four = (0..4).map(|n| message(ALICE, n, MessageState::Received, &n.to_string()));
    save(&mut store, four.collect());
    assert_eq!(store.forget_due(before(2000)), Ok(0));
    assert_eq!(store.forget_due(before(2002)), Ok(2));
    assert_eq!(texts(&store.history(&ALICE, None, 10).unwrap()), ["2", "3"]);
    drop(store);
    let mut store = home.unlock().unwrap();
    assert_eq!(texts(&store.history(&ALICE, None, 10).unwrap()), ["2", "3"]);
    assert_eq!(store.forget_due(before(u64::MAX)), Ok(2));
}

#[test]
fn sto_31_eng_7_timers_begin_once_and_end_with_the_message_and_its_events() {
    let (home, mut store) = Home::with_profile();
    let ours = (1..3).map(|n| with_timer(ALICE, n, MessageState::Queued, 3600));
    let theirs = (3..5).map(|n| with_timer(ALICE, n, MessageState::Received, 3600));
    let plain = message(ALICE, 5, MessageState::Received, "5");
    save(&mut store, ours.chain(theirs).chain([plain]).chain((1..6).map(event)).collect());
    let begin = |n, at| Change::BeginTimer { contact: ALICE, id: id(n), at };
    // What has no timer, or none that has not begun, or is nowhere, begins nothing.
    save(&mut store, vec![begin(1, 10_000), begin(1, 20_000), begin(5, 10_000), begin(9, 10_000)]);
    let third = store.message(&ALICE, &id(3)).unwrap().unwrap().row;
    store.mark_one_read(third, 20_000).unwrap();
    store.mark_one_read(third, 30_000).unwrap();
    let expires = |store: &Store| -> Vec<u64> {
        store.history(&ALICE, None, 10).unwrap().iter().map(|m| m.expires).collect()
    };
    assert_eq!(expires(&store), [13_600, 0, 23_600, 0, 0]);
    let at = |now| Due { now, since_before: 0 };
    assert_eq!(store.forget_due(at(13_599)), Ok(0));
    assert_eq!(store.forget_due(at(13_600)), Ok(1));
    assert_eq!(texts(&store.history(&ALICE, None, 10).unwrap()), ["2", "3", "4", "5"]);
    let named = |store: &Store| -> Vec<_> {
        store.events_after(0, 10).unwrap().into_iter().map(|e| e.event.message.unwrap()).collect()
    };
    assert_eq!(named(&store), [id(2), id(3), id(4), id(5)]);
    // Queued again, it has not left.
    save(&mut store, vec![begin(2, 20_000)]);
    let state = MessageState::Queued;
    save(&mut store, vec![Change::MessageState { contact: ALICE, id: id(2), state }]);
    store.mark_read(i64::MAX, 30_000).unwrap();
    drop(store);
    let mut store = home.unlock().unwrap();
    assert_eq!(expires(&store), [0, 23_600, 33_600, 0]);
    assert_eq!(store.forget_due(at(u64::MAX)), Ok(2));
    assert_eq!(texts(&store.history(&ALICE, None, 10).unwrap()), ["2", "5"]);
}

/// Whoever asks again under a key must not send again, also when the message has gone.
#[test]
fn sto_31_prd_17_the_key_of_a_send_outlives_its_message() {
    let (_home, mut store) = Home::with_profile();
    let sent = Changes(vec![with_timer(ALICE, 1, MessageState::Queued, 300)]);
    store.save_with_key(&sent, "job", &id(1)).unwrap();
    save(&mut store, vec![Change::BeginTimer { contact: ALICE, id: id(1), at: 5 }]);
    assert_eq!(store.forget_due(Due { now: 305, since_before: 0 }), Ok(1));
    assert_eq!(store.idempotency("job").unwrap(), Some(id(1)));
}

#[test]
fn sto_32_the_log_is_empty_after_forgetting_and_not_before() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![message(ALICE, 1, MessageState::Received, "text")]);
    assert!(log_len(&home) > 0, "control");
    store.forget_due(before(u64::MAX)).unwrap();
    assert_eq!(log_len(&home), 0);
    // Also when nothing was due: overwritten ratchet state lies in it.
    save(&mut store, vec![put(Table::Ratchet, b"k", b"spent")]);
    save(&mut store, vec![put(Table::Ratchet, b"k", b"next")]);
    assert!(log_len(&home) > 0, "control");
    store.forget_due(before(0)).unwrap();
    assert_eq!(log_len(&home), 0);
}

#[test]
fn sto_32_a_forgotten_conversation_leaves_no_log() {
    let (home, mut store) = Home::with_profile();
    save(
        &mut store,
        vec![
            message(ALICE, 1, MessageState::Received, "hers"),
            message(BOB, 2, MessageState::Received, "his"),
        ],
    );
    save(&mut store, vec![Change::ForgetConversation { contact: ALICE }]);
    assert_eq!(log_len(&home), 0);
    assert!(store.history(&ALICE, None, 10).unwrap().is_empty());
    assert_eq!(texts(&store.history(&BOB, None, 10).unwrap()), ["his"]);
}

#[test]
fn eng_5_a_forgotten_conversation_leaves_no_event_and_no_key() {
    let (_home, mut store) = Home::with_profile();
    let sent = Changes(vec![message(ALICE, 1, MessageState::Queued, "hi"), event(1)]);
    store.save_with_key(&sent, "job", &id(1)).unwrap();
    let other = Changes(vec![message(BOB, 2, MessageState::Queued, "ho")]);
    store.save_with_key(&other, "other", &id(2)).unwrap();
    assert_eq!(store.events_after(0, 10).unwrap().len(), 1, "control");
    save(&mut store, vec![Change::ForgetConversation { contact: ALICE }]);
    assert!(store.events_after(0, 10).unwrap().is_empty());
    assert_eq!(store.idempotency("job").unwrap(), None);
    assert_eq!(store.idempotency("other").unwrap(), Some(id(2)));
}

/// A process that died between the delete and the emptying: the next unlock empties the log.
#[test]
fn sto_32_unlocking_empties_the_log() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![message(ALICE, 1, MessageState::Received, "text")]);
    let copy = Home::empty();
    for (path, bytes) in files_below(&home.path) {
        copy.put_file(path.file_name().unwrap().to_str().unwrap(), &bytes);
    }
    assert!(log_len(&copy) > 0, "control");
    let opened: Store = copy.unlock().unwrap();
    assert_eq!(log_len(&copy), 0);
    assert_eq!(texts(&opened.history(&ALICE, None, 10).unwrap()), ["text"]);
}

#[test]
fn sto_24_saving_nothing_is_no_fault() {
    let (_home, mut store) = Home::with_profile();
    assert_eq!(store.save(&Changes::default()), Ok(()));
}
