//! Real `tor` processes, the real gate, real onion services; all on loopback.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod it {
    mod circuits;
    mod echo;
    mod ending;
    mod interop;
    mod programs;
    mod service;
}
