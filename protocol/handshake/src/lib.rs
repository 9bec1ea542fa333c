//! Invite, hybrid XX handshake, key confirmation: one [`SessionSecret`].
//!
//! ```text
//! Inviter::new ── M1 ──────────────────────────► accept
//!      │        (in the mailbox, pinned by the invite)  │
//! receive_m2 ◄──────────────────────────── M2 ── AwaitingM3
//!      │                                                │
//! AwaitingM4 ── M3 ─────────────────────────────► receive_m3 ──► Established
//!      │                                                │
//! receive_m4 ◄──────────────────────────── M4 ──────────┘
//!      └──► Established; A's first ratchet message confirms A to B
//! ```
//!
//! No state changes on failure: every `receive_` takes `&self`, and the true bytes still complete
//! the pairing after any number of false ones. Rules INV-1 to INV-3, HS-1 to HS-6, SAS-1, SAS-2
//! and REK-1 of `docs/spec/handshake.md` and `docs/spec/sas.md`.

mod chain;
mod code;
mod error;
mod introduction;
mod invite;
mod invited;
mod inviter;
mod payload;
pub mod rekey;
mod session;
mod state;

use crypto::aead::TAG_LEN;
use crypto::kem::{CT_LEN, EK_LEN};

pub use error::HandshakeError;
pub use introduction::{Introduction, MAX_NAME_LEN};
pub use invite::{Invite, InviteError, InviteSecret};
pub use invited::{AwaitingM3, accept};
pub use inviter::{AwaitingM4, Inviter};
pub use session::{
    BoardRoot, Established, FirstWord, RatchetRoot, RecoveryPsk, Renewed, SessionSecret, SyncRoot,
};

/// Length of M1 in bytes: `eA.pk(32) ‖ eK.ek(1184) ‖ comA(32) ‖ zero(4)`.
pub const M1_LEN: usize = 32 + EK_LEN + 32 + 4;
/// Length of M2 in bytes, two envelope bodies: `eB.pk(32) ‖ ct1(1088) ‖ AEAD(6864 + 16)`.
pub const M2_LEN: usize = 8000;
/// Length of M3 in bytes, two envelope bodies: `ct2(1088) ‖ AEAD(6896 + 16)`.
pub const M3_LEN: usize = 8000;
/// Length of M4 in bytes: `ct3(1088) ‖ AEAD("pvtcoms v1 confirm"(18) ‖ h(32), + 16)`.
pub const M4_LEN: usize = CT_LEN + 18 + 32 + TAG_LEN;

const M2_PLAIN_LEN: usize = M2_LEN - 32 - CT_LEN - TAG_LEN;
const M3_PLAIN_LEN: usize = M3_LEN - CT_LEN - TAG_LEN;

// Steps of the combiner (HS-2); the ratchet has 0x10, the re-key 0x21 to 0x23.
const STEP_M2: u8 = 1;
const STEP_M3: u8 = 2;
const STEP_M4: u8 = 3;
