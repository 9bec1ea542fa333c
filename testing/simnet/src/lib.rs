//! Clients, mailboxes, virtual time, observers and faults for tests.
