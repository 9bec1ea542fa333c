//! Every decoder as one function, for `cargo xtask nopanic`, which reads the compiled program and looks for panics that it can reach.
//!
//! A new decoder gets a function in `decoders.rs` and a line in the table below. Run, the program hands its standard input to each once.

mod controls;
mod decoders;

use core::convert::Infallible;
use core::hint::black_box;
use std::io::Read as _;

use crypto::rand_core::{TryCryptoRng, TryRng};

/// What a decoder may read; the optimiser knows nothing of any of it.
struct Input<'a> {
    /// Our own saved state.
    state: &'a [u8],
    /// Our own saved identity.
    identity: &'a [u8],
    /// What a person typed or pasted.
    text: &'a str,
    /// What came from outside.
    message: &'a [u8],
}

/// Dice that cannot fail, of which the optimiser knows nothing: a real generator is the shell's to give.
struct Dice;

impl TryRng for Dice {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(black_box(4))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(black_box(4))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        black_box(out).fill(4);
        Ok(())
    }
}

impl TryCryptoRng for Dice {}

type Decoder = fn(&Input<'_>) -> Option<()>;

const DECODERS: &[Decoder] = &[
    decoders::wire_reader,
    decoders::wire_codec,
    decoders::wire_writer,
    decoders::identity_cert,
    decoders::identity_stored,
    decoders::identity_known,
    decoders::identity_word,
    decoders::identity_successor,
    decoders::handshake_invite,
    decoders::handshake_introduction,
    decoders::handshake_m1,
    decoders::handshake_m2,
    decoders::handshake_m3,
    decoders::handshake_m4,
    decoders::rekey_r1,
    decoders::rekey_r2,
    decoders::ratchet_stored,
    decoders::ratchet_message,
    decoders::content_decode,
    decoders::content_join,
    decoders::content_join_stored,
    decoders::board_request,
    decoders::board_puzzle,
    decoders::board_put_answer,
    decoders::board_fetch_answer,
    decoders::board_header,
    decoders::board_digest,
    decoders::board_envelope,
    decoders::board_address,
    decoders::board_sync_stored,
    decoders::board_send_stored,
    decoders::board_recv_stored,
    decoders::gate_frame,
    decoders::engine_rows,
];

const CONTROLS: &[Decoder] = &[
    controls::control_index,
    controls::control_overflow,
    controls::control_copy,
    controls::control_pointer,
];

fn main() -> std::io::Result<()> {
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let input = Input { state: &bytes, identity: &bytes, text: &text, message: &bytes };
    for decoder in black_box(DECODERS) {
        black_box(decoder(&input));
    }
    // Each of these would panic; naming them keeps them in the program.
    black_box(CONTROLS);
    Ok(())
}
