use crate::common::{ALICE, Home, event, id, save};
use engine::changes::EventKind;
use store::{Store, StoreError};

fn waiting(store: &Store, after: i64) -> Vec<u64> {
    store.events_after(after, 100).unwrap().iter().map(|stored| stored.event.at).collect()
}

#[test]
fn prd_17_events_wait_for_every_named_subscriber() {
    let (home, mut store) = Home::with_profile();
    store.ack_events("bot", 0).unwrap();
    store.ack_events("desktop", 0).unwrap();
    save(&mut store, (1..=5).map(event).collect());
    let events = store.events_after(0, 2).unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].event.kind, EventKind::Message);
    assert_eq!((events[0].event.contact, events[0].event.message), (Some(ALICE), Some(id(1))));
    assert_eq!(waiting(&store, events[1].id), [3, 4, 5]);

    store.ack_events("desktop", events[1].id).unwrap();
    assert_eq!(waiting(&store, 0), [1, 2, 3, 4, 5], "the bot has not got them");
    drop(store);
    let mut store = home.unlock().unwrap();
    assert_eq!(store.subscriber_position("desktop").unwrap(), Some(events[1].id));
    assert_eq!(store.subscriber_position("bot").unwrap(), Some(0));
    assert_eq!(store.subscriber_position("nobody").unwrap(), None);
    store.ack_events("bot", events[0].id).unwrap();
    assert_eq!(waiting(&store, 0), [2, 3, 4, 5]);
}

#[test]
fn prd_17_a_position_goes_neither_back_nor_beyond_the_newest_event() {
    let (_home, mut store) = Home::with_profile();
    store.ack_events("bot", i64::MAX).unwrap();
    assert_eq!(store.subscriber_position("bot").unwrap(), Some(0));
    save(&mut store, vec![event(1), event(2)]);
    let last = store.events_after(0, 10).unwrap()[1].id;
    store.ack_events("bot", last).unwrap();
    store.ack_events("bot", -1).unwrap();
    assert_eq!(store.subscriber_position("bot").unwrap(), Some(last));
    // Everything was removed; the next event still comes after the position.
    assert_eq!(waiting(&store, 0), [0; 0]);
    save(&mut store, vec![event(3)]);
    assert_eq!(waiting(&store, last), [3]);
}

#[test]
fn prd_17_names_have_a_length() {
    let (_home, mut store) = Home::with_profile();
    assert_eq!(store.ack_events("", 0), Err(StoreError::Conflict));
    assert_eq!(store.ack_events(&"n".repeat(65), 0), Err(StoreError::Conflict));
    assert_eq!(store.ack_events(&"n".repeat(64), 0), Ok(()));
}

#[test]
fn prd_17_events_that_nobody_takes_go_after_30_days() {
    let (_home, mut store) = Home::with_profile();
    store.ack_events("a bot that never came back", 0).unwrap();
    save(&mut store, vec![event(100), event(200)]);
    store.prune(0).unwrap();
    store.prune(100 + 30 * 24 * 3600).unwrap();
    assert_eq!(waiting(&store, 0), [100, 200]);
    store.prune(101 + 30 * 24 * 3600).unwrap();
    assert_eq!(waiting(&store, 0), [200]);
}
