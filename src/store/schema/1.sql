-- What the shell remembers: one row a document, its text opaque to the database.
CREATE TABLE document (
    kind     TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;

-- Goes up with every change of a document; audit rows leave it alone.
CREATE TABLE documents_revision (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    n   INTEGER NOT NULL
) STRICT;
INSERT INTO documents_revision (one, n) VALUES (1, 0);

-- What was asked, decided, answered. `line` is the seq of the row that opened the line;
-- only that row has a ticket (which is its seq in another dress), so the indexes over lines stay small.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    line    INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    ticket  TEXT,
    who     TEXT,
    room    TEXT,
    command TEXT,
    outcome TEXT,
    body    TEXT    NOT NULL,
    hash    BLOB    NOT NULL
) STRICT;
CREATE INDEX audit_line ON audit (line) WHERE ticket IS NULL;
CREATE INDEX audit_at ON audit (at) WHERE ticket IS NOT NULL;
CREATE INDEX audit_who ON audit (who, at) WHERE ticket IS NOT NULL;

CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
CREATE TRIGGER audit_keeps_every_row BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
-- `INSERT OR REPLACE` would delete without asking the trigger above.
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.seq <= (SELECT max(seq) FROM audit)
BEGIN SELECT RAISE(ABORT, 'audit rows are only added at the end'); END;
