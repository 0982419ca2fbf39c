-- Dead letters whose day is over: with what was to be sent, and without their event and attempts.
CREATE TABLE dead_letter (
    id            BLOB    PRIMARY KEY,
    event_id      BLOB    NOT NULL,
    user_id       INTEGER,
    lane_id       BLOB    NOT NULL,
    channel       TEXT    NOT NULL,
    recipient_id  BLOB    NOT NULL,
    event_type    TEXT    NOT NULL,
    body          BLOB,
    reason        TEXT,
    position      INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    claim         INTEGER NOT NULL,
    status_code   INTEGER,
    error         TEXT,
    created_at    INTEGER NOT NULL,
    finished_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX dead_letter_by_age ON dead_letter (finished_at);
CREATE INDEX dead_letter_by_user ON dead_letter (user_id, id);
CREATE INDEX dead_letter_by_lane ON dead_letter (lane_id, id);
CREATE INDEX dead_letter_by_event ON dead_letter (event_id);
