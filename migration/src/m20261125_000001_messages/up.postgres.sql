-- A signed message, once for each id that its sender gave it. What is ordered is ordered by its bytes.
CREATE TABLE message (
    message_id text   COLLATE "C" PRIMARY KEY,
    sender     text   COLLATE "C" NOT NULL,
    recipient  text   NOT NULL,
    -- As it was sent, and as all of them are ordered.
    ts         text   NOT NULL,
    ts_key     text   COLLATE "C" NOT NULL,
    text       text,
    -- The text without the difference of upper and lower case; none where that is the text itself.
    folded     text,
    event_id   uuid   NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX message_in_order ON message (ts_key, message_id);
CREATE INDEX message_by_sender ON message (sender, ts_key, message_id);

-- How many messages each sender sent.
CREATE TABLE message_sender (
    sender   text   COLLATE "C" PRIMARY KEY,
    messages bigint NOT NULL
);
CREATE INDEX message_sender_busiest ON message_sender (messages DESC, sender);

-- How many messages and senders there are: the sum of these rows, so that processes do not queue up for one of them.
CREATE TABLE message_total (
    shard    smallint PRIMARY KEY,
    messages bigint   NOT NULL DEFAULT 0,
    senders  bigint   NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO message_total (shard) SELECT generate_series(0, 15);
