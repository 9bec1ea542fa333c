-- What a session is renewed from, apart from the session itself (REK-1).
CREATE TABLE recovery (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
