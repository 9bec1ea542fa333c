//! The RPC between faces and core: JSON-RPC 2.0, one object a line, at most 1 MiB (product.md 9).
//!
//! Everything here is a view model, already cleaned for display; no method returns a key, and no
//! method returns the words that the user must hear from the peer. Fields are only ever added.

pub mod error;
pub mod method;
pub mod view;

/// Version of the RPC, told by `hello`.
pub const RPC_VERSION: u32 = 1;
/// Longest line in either direction, in bytes.
pub const MAX_LINE: usize = 1024 * 1024;

/// Exit code of a core that ended after `lock`: the supervisor starts it again, locked (STO-17).
pub const EXIT_LOCKED: u8 = 0;
/// Exit code of a core that ended after `shutdown`: the supervisor ends everything. No other end
/// of the core has this code.
pub const EXIT_SHUTDOWN: u8 = 10;
