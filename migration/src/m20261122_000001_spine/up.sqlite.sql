-- Times are milliseconds since the epoch. Ids are UUIDv7, so an id's range is a time's range.

CREATE TABLE event_type (
    id          BLOB   PRIMARY KEY,
    name        TEXT   NOT NULL UNIQUE,
    description TEXT   NOT NULL DEFAULT '',
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What shares one fate and one pace: an endpoint (same id), a push service's origin, a Telegram bot.
CREATE TABLE lane (
    id            BLOB   PRIMARY KEY,
    channel       TEXT   NOT NULL,
    state         TEXT   NOT NULL DEFAULT 'active',
    blocked_until INTEGER NOT NULL DEFAULT 0,
    backlog_until INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoint (
    id             BLOB    PRIMARY KEY REFERENCES lane (id),
    user_id        INTEGER  NOT NULL,
    url            TEXT    NOT NULL,
    description    TEXT    NOT NULL DEFAULT '',
    sealed_headers BLOB,
    custom_payload TEXT,
    sealed_secret  BLOB   NOT NULL,
    timeout_ms     INTEGER,
    created_at     INTEGER  NOT NULL,
    updated_at     INTEGER  NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoint_by_user ON endpoint (user_id, id);

CREATE TABLE endpoint_event_type (
    event_type_id BLOB NOT NULL REFERENCES event_type (id),
    endpoint_id   BLOB NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    PRIMARY KEY (event_type_id, endpoint_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoint_event_type_by_endpoint ON endpoint_event_type (endpoint_id);

CREATE TABLE event (
    id         BLOB   NOT NULL,
    user_id    INTEGER,
    event_type TEXT   NOT NULL,
    body       BLOB  NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;

-- Only what is under way: finished rows leave for finished_delivery.
CREATE TABLE delivery (
    id             BLOB     PRIMARY KEY,
    event_id       BLOB     NOT NULL,
    user_id        INTEGER,
    lane_id        BLOB     NOT NULL,
    channel        TEXT     NOT NULL,
    recipient_id   BLOB     NOT NULL,
    body           BLOB,
    position       INTEGER NOT NULL DEFAULT 0,
    attempts       INTEGER  NOT NULL DEFAULT 0,
    claim          INTEGER  NOT NULL DEFAULT 0,
    recorded_claim INTEGER  NOT NULL DEFAULT 0,
    due_at         INTEGER   NOT NULL,
    hinted_until   INTEGER   NOT NULL DEFAULT 0,
    lease_until    INTEGER   NOT NULL DEFAULT 0,
    created_at     INTEGER   NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_due ON delivery (lane_id, due_at, id);
CREATE INDEX delivery_by_event ON delivery (event_id);

CREATE TABLE finished_delivery (
    id             BLOB     NOT NULL,
    event_id       BLOB     NOT NULL,
    user_id        INTEGER,
    lane_id        BLOB     NOT NULL,
    channel        TEXT     NOT NULL,
    recipient_id   BLOB     NOT NULL,
    body           BLOB,
    state          TEXT     NOT NULL,
    reason         TEXT,
    position       INTEGER NOT NULL,
    attempts       INTEGER  NOT NULL,
    claim          INTEGER  NOT NULL,
    created_at     INTEGER   NOT NULL,
    finished_at    INTEGER   NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX finished_delivery_by_event ON finished_delivery (event_id);
CREATE INDEX finished_delivery_by_lane ON finished_delivery (lane_id, id);
CREATE INDEX finished_delivery_dead ON finished_delivery (id) WHERE state = 'dead';

CREATE TABLE attempt (
    id               BLOB     NOT NULL,
    delivery_id      BLOB     NOT NULL,
    number           INTEGER  NOT NULL,
    claim            INTEGER  NOT NULL,
    started_at       INTEGER   NOT NULL,
    duration_us      INTEGER   NOT NULL,
    resolve_us       INTEGER,
    connect_us       INTEGER,
    first_byte_us    INTEGER,
    status_code      INTEGER,
    error_class      TEXT,
    error            TEXT,
    request_headers  TEXT     NOT NULL,
    response_headers TEXT,
    response_body    BLOB,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_delivery ON attempt (delivery_id);

CREATE TABLE upload (
    id             BLOB    PRIMARY KEY,
    endpoint_id    BLOB    NOT NULL,
    user_id        INTEGER  NOT NULL,
    state          TEXT    NOT NULL DEFAULT 'received',
    file_name      TEXT    NOT NULL,
    storage_key    TEXT    NOT NULL,
    size_bytes     INTEGER  NOT NULL,
    sha256         TEXT,
    media_type     TEXT,
    facts          TEXT,
    reason         TEXT,
    event_id       BLOB,
    attempts       INTEGER NOT NULL DEFAULT 0,
    claim          INTEGER NOT NULL DEFAULT 0,
    due_at         INTEGER  NOT NULL,
    hinted_until   INTEGER  NOT NULL DEFAULT 0,
    lease_until    INTEGER  NOT NULL DEFAULT 0,
    created_at     INTEGER  NOT NULL,
    finished_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_due ON upload (due_at, id) WHERE state = 'received';
CREATE INDEX upload_by_endpoint ON upload (endpoint_id, id);

CREATE TABLE error_log (
    id            BLOB   PRIMARY KEY,
    user_id       INTEGER,
    kind          TEXT   NOT NULL,
    subject_id    BLOB   NOT NULL,
    message       TEXT   NOT NULL,
    attempt       INTEGER,
    next_retry_at INTEGER,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX error_log_by_subject ON error_log (subject_id);
CREATE INDEX error_log_by_user ON error_log (user_id, id);

CREATE TABLE process (
    id         BLOB    PRIMARY KEY,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    version    TEXT    NOT NULL,
    queues     TEXT    NOT NULL,
    slots      INTEGER NOT NULL,
    in_flight  INTEGER NOT NULL,
    queue_ok   INTEGER NOT NULL,
    started_at INTEGER  NOT NULL,
    seen_at    INTEGER  NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO event_type (id, name, description, created_at) VALUES
    (x'21f8e1f7414242f9ac3074961702b2eb', 'upload file', 'Event type for file upload operations', 1709024348000),
    (x'018de8f569607c528c796b5bde1f0001', 'message.received', 'A signed message was ingested', 1709024348000);
