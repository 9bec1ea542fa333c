//! The command line and the supervisor.

fn main() {}
