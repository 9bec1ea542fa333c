-- The schema as the migrations leave it; a test compares both.

-- State of the engine: opaque rows under opaque keys.
CREATE TABLE profile (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE mailbox (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE contact (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE invite (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE ratchet (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE partial (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE seen (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE recovery (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Conversations. Rows are never numbered twice, so that a position stays one.
CREATE TABLE message (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    contact BLOB NOT NULL CHECK (length(contact) = 16),
    id BLOB NOT NULL CHECK (length(id) = 16),
    state INTEGER NOT NULL,
    text TEXT NOT NULL,
    sent INTEGER NOT NULL,
    saved INTEGER NOT NULL,
    read INTEGER NOT NULL CHECK (read IN (0, 1)), since INTEGER NOT NULL DEFAULT 0, timer INTEGER NOT NULL DEFAULT 0, expires INTEGER NOT NULL DEFAULT 0,
    UNIQUE (contact, id)
) STRICT;
CREATE INDEX message_page ON message (contact, row);
CREATE INDEX message_count ON message (contact, state, read);
CREATE INDEX message_id ON message (id);
CREATE INDEX message_unread ON message (row) WHERE read = 0;
CREATE INDEX message_since ON message (since);
CREATE INDEX message_expires ON message (expires) WHERE expires > 0;

-- What faces and bots are told, and how far each of them got (PRD-17).
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    contact BLOB CHECK (length(contact) = 16),
    message BLOB CHECK (length(message) = 16),
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE subscriber (
    name TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Keys of RPC sends that were done, for 14 days.
CREATE TABLE idempotency (
    key TEXT PRIMARY KEY NOT NULL CHECK (length(key) BETWEEN 1 AND 256),
    message BLOB NOT NULL CHECK (length(message) = 16),
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
-- Files under way, and how others ended (FIL-14); their bytes, by part.
CREATE TABLE file (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE file_part (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
-- What the user chose for this device.
CREATE TABLE setting (
    name TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
