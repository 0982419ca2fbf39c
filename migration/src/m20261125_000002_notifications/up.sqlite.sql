-- A browser that takes push messages. Its lane is its push service's.
CREATE TABLE push_subscription (
    id         BLOB    PRIMARY KEY,
    endpoint   TEXT    NOT NULL UNIQUE,
    lane_id    BLOB    NOT NULL,
    p256dh     BLOB    NOT NULL,
    auth       BLOB    NOT NULL,
    user_id    INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX push_subscription_by_user ON push_subscription (user_id) WHERE user_id IS NOT NULL;

-- Somebody who gets what is announced, by a chat.
CREATE TABLE subscriber (
    id         BLOB    PRIMARY KEY,
    user_id    INTEGER,
    chat_id    TEXT    UNIQUE,
    name       TEXT,
    active     INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriber_by_user ON subscriber (user_id) WHERE user_id IS NOT NULL;
-- What a broadcast walks along.
CREATE INDEX subscriber_with_chat ON subscriber (id) WHERE active AND chat_id IS NOT NULL;

CREATE TABLE notice (
    id         BLOB    PRIMARY KEY,
    title      TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    url        TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_by_kind ON notice (kind);

CREATE TABLE placement (
    id         BLOB    PRIMARY KEY,
    student    TEXT    NOT NULL,
    company    TEXT    NOT NULL,
    role       TEXT,
    package    REAL,
    placed_on  TEXT,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX placement_by_company ON placement (company, student, package);

-- A message on its way to every recipient of a channel whose id is smaller than its own: pages of deliveries behind a cursor.
CREATE TABLE broadcast (
    id          BLOB    PRIMARY KEY,
    event_id    BLOB    NOT NULL,
    channel     TEXT    NOT NULL,
    notice_id   BLOB,
    state       TEXT    NOT NULL DEFAULT 'running',
    cursor      BLOB    NOT NULL DEFAULT x'00000000000000000000000000000000',
    total       INTEGER NOT NULL,
    queued      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    finished_at INTEGER
) STRICT, WITHOUT ROWID;
-- A notice is announced once on a channel.
CREATE UNIQUE INDEX broadcast_of_notice ON broadcast (notice_id, channel) WHERE notice_id IS NOT NULL;
CREATE INDEX broadcast_running ON broadcast (id) WHERE state = 'running';
CREATE INDEX broadcast_by_event ON broadcast (event_id);

-- How many parts of a message are out, of deliveries that failed in the midst.
CREATE TABLE delivery_progress (
    id    BLOB    PRIMARY KEY,
    parts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
