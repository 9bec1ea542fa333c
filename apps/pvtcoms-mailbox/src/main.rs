//! The oblivious mailbox server.

fn main() {}
