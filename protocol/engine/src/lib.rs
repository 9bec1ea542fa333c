//! One profile as a state machine: contacts, outbox, inbox, schedule.

pub mod changes;
