//! Whole pairings and re-keys, and everything that must not get through.
#![expect(clippy::unwrap_used, reason = "test code")]

mod it {
    mod attack;
    mod pairing;
    mod rekey;
    mod stored;
    mod support;
}
