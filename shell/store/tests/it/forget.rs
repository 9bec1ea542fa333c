use crate::common::{ALICE, BOB, Home, event, files_below, id, message, put, save, texts};
use engine::changes::{Change, Changes, MessageState, Table};
use std::fs;
use store::Store;

fn log_len(home: &Home) -> u64 {
    fs::metadata(home.file("pvtcoms.db-wal")).unwrap().len()
}

#[test]
fn sto_31_due_messages_go_and_others_stay() {
    let (home, mut store) = Home::with_profile();
    let four = (0..4).map(|n| message(ALICE, n, MessageState::Received, &n.to_string()));
    save(&mut store, four.collect());
    assert_eq!(store.forget_older_than(2000), Ok(0));
    assert_eq!(store.forget_older_than(2002), Ok(2));
    assert_eq!(texts(&store.history(&ALICE, None, 10).unwrap()), ["2", "3"]);
    drop(store);
    let mut store = home.unlock().unwrap();
    assert_eq!(texts(&store.history(&ALICE, None, 10).unwrap()), ["2", "3"]);
    assert_eq!(store.forget_older_than(u64::MAX), Ok(2));
}

#[test]
fn sto_32_the_log_is_empty_after_forgetting_and_not_before() {
    let (home, mut store) = Home::with_profile();
    save(&mut store, vec![message(ALICE, 1, MessageState::Received, "text")]);
    assert!(log_len(&home) > 0, "control");
    store.forget_older_than(u64::MAX).unwrap();
    assert_eq!(log_len(&home), 0);
    // Also when nothing was due: overwritten ratchet state lies in it.
    save(&mut store, vec![put(Table::Ratchet, b"k", b"spent")]);
    save(&mut store, vec![put(Table::Ratchet, b"k", b"next")]);
    assert!(log_len(&home) > 0, "control");
    store.forget_older_than(0).unwrap();
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
