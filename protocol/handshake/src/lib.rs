//! Invite, hybrid XX handshake, key confirmation: one SessionSecret.
