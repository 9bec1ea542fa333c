//! What one ratchet message carries, whole messages above it, and text made safe to show.
//!
//! Rules CNT-1 to CNT-7 of `docs/spec/content.md`, and HOS-10.

pub mod display;

mod kinds;
mod text;

pub use kinds::{Content, GenerationRandom, MAX_CONTENT, MAX_MAILBOXES};
pub use text::{JoinError, Joiner, MAX_TEXT, PART_LEN, Part, TextError, split_text};
pub use wire::Malformed;
