//! The committed vectors, for ever: replayed, judged, complete, and what is made today.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

mod it {
    mod committed;
    mod mistakes;
    mod transcript;
}
