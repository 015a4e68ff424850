-- The content of an old row may be erased: what it said goes, the digest of it stays, and with it the seal of the row.
ALTER TABLE audit ADD COLUMN digest BLOB;

DROP TRIGGER audit_stays_as_written;
-- Rows are never changed, but for erasing, once. Rows about the log itself stay.
CREATE TRIGGER audit_stays_as_written BEFORE UPDATE ON audit
WHEN NOT (
    OLD.digest IS NULL AND NEW.digest IS NOT NULL AND OLD.kind NOT IN ('erased', 'lost')
    AND NEW.who IS NULL AND NEW.room IS NULL AND NEW.body = ''
    AND NEW.seq = OLD.seq AND NEW.line = OLD.line AND NEW.at = OLD.at AND NEW.kind = OLD.kind AND NEW.hash = OLD.hash
    AND NEW.ticket IS OLD.ticket AND NEW.command IS OLD.command AND NEW.outcome IS OLD.outcome
)
BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
