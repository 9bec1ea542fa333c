//! Real `tor` processes, the real gate, real onion services; all on loopback.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "test code")]

mod it {
    mod echo;
    mod ending;
    mod interop;
    mod programs;
}
