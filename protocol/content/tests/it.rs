//! Content, by its rules.
#![expect(clippy::unwrap_used, clippy::arithmetic_side_effects, reason = "test code")]

#[path = "it/display.rs"]
mod display;
#[path = "it/kinds.rs"]
mod kinds;
#[path = "it/text.rs"]
mod text;
