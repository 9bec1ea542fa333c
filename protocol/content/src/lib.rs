//! What one ratchet message carries, whole messages above it, and text made safe to show.
//!
//! Rules CNT-1 to CNT-9 of `docs/spec/content.md`, HOS-10, and FIL-1 to FIL-3 of `files.md`.

pub mod display;

mod file;
mod kinds;
mod text;
mod timer;

pub use file::{
    FileEnd, FileKey, FileProgress, MAX_FILE, MAX_FILE_NAME, Offer, Report, safe_file_name,
};
pub use kinds::{Content, GenerationRandom, MAX_CONTENT, MAX_MAILBOXES};
pub use text::{JoinError, Joiner, MAX_PARTS, MAX_TEXT, PART_LEN, Part, TextError, split_text};
pub use timer::{Timer, TimerSetting};
pub use wire::Malformed;
