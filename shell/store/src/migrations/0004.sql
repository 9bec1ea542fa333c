-- How old a message is, on the clock for ages, and when its timer ends: 0 is never, or not begun.
ALTER TABLE message ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN timer INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
UPDATE message SET since = saved;
DROP INDEX message_saved;
CREATE INDEX message_since ON message (since);
CREATE INDEX message_expires ON message (expires) WHERE expires > 0;
