//! The gate: the only program that talks to the network, and only through Tor.

fn main() {}
