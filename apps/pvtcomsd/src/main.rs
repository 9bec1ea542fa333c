//! The core: holds the keys, the database and the protocol engine; opens no socket.

fn main() {}
