//! The real programs over a private Tor network, as people use them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod it {
    mod conversation;
    mod faults;
    mod files;
    mod hostile;
    mod soak;
    mod stage;
}
