-- A job that makes new deliveries of the events of finished ones, page by page. Times are milliseconds.
CREATE TABLE replay (
    id          BLOB    PRIMARY KEY,
    state       TEXT    NOT NULL DEFAULT 'running',
    -- Whose deliveries; none: everybody's.
    user_id     INTEGER,
    endpoint_id BLOB,
    -- The state that a delivery must have ended in.
    of_state    TEXT    NOT NULL,
    event_type  TEXT,
    since       INTEGER,
    until       INTEGER,
    -- New deliveries a second, and when the next one may be due.
    rate        INTEGER NOT NULL,
    next_at     INTEGER NOT NULL,
    -- The set: ids above `cursor` and below `bound` that had ended by `created_at`.
    cursor      BLOB    NOT NULL,
    bound       BLOB    NOT NULL,
    total       INTEGER NOT NULL,
    done        INTEGER NOT NULL DEFAULT 0,
    skipped     INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX replay_running ON replay (next_at, id) WHERE state = 'running';
CREATE INDEX replay_by_user ON replay (user_id, id);

-- A user's own deliveries, newest first.
CREATE INDEX finished_delivery_by_user ON finished_delivery (user_id, id);
