//! SQLCipher database, key slots, profile directory.
