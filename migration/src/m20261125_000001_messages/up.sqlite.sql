-- A signed message, once for each id that its sender gave it. With a rowid: rows are large and come in no order of ids.
CREATE TABLE message (
    message_id TEXT    NOT NULL PRIMARY KEY,
    sender     TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    -- As it was sent, and as all of them are ordered.
    ts         TEXT    NOT NULL,
    ts_key     TEXT    NOT NULL,
    text       TEXT,
    -- The text without the difference of upper and lower case; none where that is the text itself.
    folded     TEXT,
    event_id   BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX message_in_order ON message (ts_key, message_id);
CREATE INDEX message_by_sender ON message (sender, ts_key, message_id);

-- How many messages each sender sent.
CREATE TABLE message_sender (
    sender   TEXT    PRIMARY KEY,
    messages INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX message_sender_busiest ON message_sender (messages DESC, sender);

-- How many messages and senders there are: the sum of these rows. On Postgres processes do not queue up for one of them.
CREATE TABLE message_total (
    shard    INTEGER PRIMARY KEY,
    messages INTEGER NOT NULL DEFAULT 0,
    senders  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
INSERT INTO message_total (shard) VALUES
    (0), (1), (2), (3), (4), (5), (6), (7), (8), (9), (10), (11), (12), (13), (14), (15);
