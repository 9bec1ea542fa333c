//! Both halves of the gate over real socket pairs.
#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod it {
    mod client;
    mod descriptors;
    mod link;
}
