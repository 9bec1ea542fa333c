//! What a soak counts, and how what was said is compared with what is seen: one room for the
//! simulator (`testing/simnet`) and for the real programs (`testing/e2e`). It knows no protocol.

mod compare;
mod tally;

pub use compare::{Difference, Said, compare};
pub use tally::Tally;
