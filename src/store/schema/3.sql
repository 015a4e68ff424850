-- What was said in rooms that keep their conversation. Apart from the log: it is kept for a time, and then deleted.
CREATE TABLE talk (
    seq  INTEGER PRIMARY KEY,
    room TEXT    NOT NULL,
    at   INTEGER NOT NULL,
    who  TEXT    NOT NULL,
    text TEXT    NOT NULL
) STRICT;
CREATE INDEX talk_at ON talk (at);
CREATE INDEX talk_room ON talk (room, at);
CREATE INDEX talk_who ON talk (who);
