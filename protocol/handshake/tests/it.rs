//! Whole pairings and re-keys, and everything that must not get through.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

mod it {
    mod attack;
    mod pairing;
    mod reference;
    mod rekey;
    mod stored;
    mod support;
}
