//! What is fuzzed: one function for each parser that a peer, a mailbox, a gate, a face or a file
//! can feed, and for each `open` and `decrypt` (`docs/fuzzing.md`).
//!
//! A target fails by panicking: because what it calls does, or because a property does not hold,
//! most often that what was parsed encodes to the same bytes. `fuzz/` builds one libFuzzer program
//! of each; the committed corpora replay in this crate's tests, in a build like any other.
//!
//! Under `cfg(fuzzing)` all tags are taken for right (`crypto::aead`), so that the fuzzer gets
//! into what is encrypted. Large messages are reached by editing valid ones: a stream cipher turns
//! an edit of the ciphertext into the same edit of the text inside.
#![expect(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "a target says that something is wrong by panicking, and its sizes are its own"
)]

mod choices;

pub mod aead;
pub mod content;
pub mod engine;
pub mod envelope;
pub mod frames;
pub mod gate;
pub mod handshake;
pub mod identity;
pub mod invite;
pub mod pages;
pub mod ratchet;
pub mod wire;

use data_encoding::HEXLOWER;
use std::path::{Path, PathBuf};

/// One thing to fuzz.
pub struct Target {
    /// Its name: of its program in `fuzz/src/bin`, of its corpus in `fuzz/corpus`.
    pub name: &'static str,
    /// The longest input that is worth making, in bytes.
    pub max_len: usize,
    /// Feeds it.
    pub run: fn(&[u8]),
    /// Valid inputs, and some with one typical fault.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// The folder `fuzz` of this checkout: that of what cargo runs, since checkouts share a build directory;
/// without cargo, the one that this was built in.
pub fn programs() -> PathBuf {
    let package = std::env::var("CARGO_MANIFEST_DIR");
    let package = package.unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").to_owned());
    let root = Path::new(&package).ancestors().find(|up| up.join("Cargo.lock").is_file());
    root.unwrap().join("fuzz")
}

impl Target {
    /// The committed corpus, `fuzz/corpus/NAME.hex`: one input a line, shortest first.
    pub fn corpus(&self) -> Vec<Vec<u8>> {
        let text = std::fs::read_to_string(programs().join(format!("corpus/{}.hex", self.name)));
        let text = text.unwrap();
        text.lines().map(|line| HEXLOWER.decode(line.as_bytes()).unwrap()).collect()
    }
}

macro_rules! targets {
    ($($name:literal $max_len:literal $run:path, $seeds:path;)+) => {
        &[$(Target { name: $name, max_len: $max_len, run: $run, seeds: $seeds },)+]
    };
}

/// All of them, quick ones first.
pub const TARGETS: &[Target] = targets! {
    "gate_frame" 80 gate::frame, gate::frame_seeds;
    "wire_reader" 96 wire::reader, wire::reader_seeds;
    "board_request" 64 frames::request, frames::request_seeds;
    "board_put_answer" 80 frames::put_answer, frames::put_answer_seeds;
    "board_header" 272 pages::header, pages::header_seeds;
    "handshake_introduction" 144 handshake::introduction, handshake::introduction_seeds;
    "content_kinds" 1634 content::kinds, content::kinds_seeds;
    "invite_text" 256 invite::text, invite::text_seeds;
    "invite_fields" 160 invite::fields, invite::fields_seeds;
    "board_address" 96 invite::address, invite::address_seeds;
    "content_joiner" 256 content::joiner, content::joiner_seeds;
    "content_display" 96 content::display, content::display_seeds;
    "content_file_name" 160 content::file_name, content::file_name_seeds;
    "rpc_call" 256 gate::call, gate::call_seeds;
    "identity_cert" 64 identity::cert, identity::cert_seeds;
    "aead_open" 160 aead::open, aead::open_seeds;
    "board_digest" 1024 pages::digest, pages::digest_seeds;
    "board_tree" 64 pages::tree, pages::tree_seeds;
    "board_parts" 40 envelope::join, envelope::join_seeds;
    "content_parts" 48 content::join, content::join_seeds;
    "board_chains" 96 envelope::chains, envelope::chains_seeds;
    "board_work" 36 frames::work, frames::work_seeds;
    "board_envelope" 64 envelope::open, envelope::open_seeds;
    "board_fetch_answer" 64 frames::fetch_answer, frames::fetch_answer_seeds;
    "ratchet_chain" 64 ratchet::chain, ratchet::message_seeds;
    "ratchet_state" 64 ratchet::stored, ratchet::stored_seeds;
    "ratchet_step" 64 ratchet::step, ratchet::message_seeds;
    "handshake_m4" 64 handshake::m4, handshake::message_seeds;
    "handshake_m1" 64 handshake::m1, handshake::message_seeds;
    "rekey_r2" 64 handshake::r2, handshake::message_seeds;
    "identity_statement" 64 identity::statement, identity::edits_seeds;
    "identity_verify" 64 identity::cert_verify, identity::edits_seeds;
    "rekey_r1" 64 handshake::r1, handshake::message_seeds;
    "handshake_state" 64 handshake::stored, handshake::stored_seeds;
    "handshake_m2" 64 handshake::m2, handshake::message_seeds;
    "handshake_m3" 64 handshake::m3, handshake::message_seeds;
    "identity_state" 64 identity::stored, identity::edits_seeds;
    "engine_row" 64 engine::row, engine::row_seeds;
};
