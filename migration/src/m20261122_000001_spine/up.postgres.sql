-- Times are milliseconds since the epoch. Ids are UUIDv7, so an id's range is a time's range.

CREATE TABLE event_type (
    id          uuid   PRIMARY KEY,
    name        text   NOT NULL UNIQUE,
    description text   NOT NULL DEFAULT '',
    created_at  bigint NOT NULL
);

-- What shares one fate and one pace: an endpoint (same id), a push service's origin, a Telegram bot.
CREATE TABLE lane (
    id            uuid   PRIMARY KEY,
    channel       text   NOT NULL,
    state         text   NOT NULL DEFAULT 'active',
    blocked_until bigint NOT NULL DEFAULT 0,
    backlog_until bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE TABLE endpoint (
    id             uuid    PRIMARY KEY REFERENCES lane (id),
    user_id        bigint  NOT NULL,
    url            text    NOT NULL,
    description    text    NOT NULL DEFAULT '',
    sealed_headers bytea,
    custom_payload text,
    sealed_secret  bytea   NOT NULL,
    timeout_ms     integer,
    created_at     bigint  NOT NULL,
    updated_at     bigint  NOT NULL
);
CREATE INDEX endpoint_by_user ON endpoint (user_id, id);

CREATE TABLE endpoint_event_type (
    event_type_id uuid NOT NULL REFERENCES event_type (id),
    endpoint_id   uuid NOT NULL REFERENCES endpoint (id) ON DELETE CASCADE,
    PRIMARY KEY (event_type_id, endpoint_id)
);
CREATE INDEX endpoint_event_type_by_endpoint ON endpoint_event_type (endpoint_id);

CREATE TABLE event (
    id         uuid   NOT NULL,
    user_id    bigint,
    event_type text   NOT NULL,
    body       bytea  NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);

-- Only what is under way: finished rows leave for finished_delivery. Claims touch no indexed column (HOT updates).
CREATE TABLE delivery (
    id             uuid     PRIMARY KEY,
    event_id       uuid     NOT NULL,
    user_id        bigint,
    lane_id        uuid     NOT NULL,
    channel        text     NOT NULL,
    recipient_id   uuid     NOT NULL,
    body           bytea,
    position       smallint NOT NULL DEFAULT 0,
    attempts       integer  NOT NULL DEFAULT 0,
    claim          integer  NOT NULL DEFAULT 0,
    recorded_claim integer  NOT NULL DEFAULT 0,
    due_at         bigint   NOT NULL,
    hinted_until   bigint   NOT NULL DEFAULT 0,
    lease_until    bigint   NOT NULL DEFAULT 0,
    created_at     bigint   NOT NULL
) WITH (
    fillfactor = 60,
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);
CREATE INDEX delivery_due ON delivery (lane_id, due_at, id);
CREATE INDEX delivery_by_event ON delivery (event_id);

CREATE TABLE finished_delivery (
    id             uuid     NOT NULL,
    event_id       uuid     NOT NULL,
    user_id        bigint,
    lane_id        uuid     NOT NULL,
    channel        text     NOT NULL,
    recipient_id   uuid     NOT NULL,
    body           bytea,
    state          text     NOT NULL,
    reason         text,
    position       smallint NOT NULL,
    attempts       integer  NOT NULL,
    claim          integer  NOT NULL,
    created_at     bigint   NOT NULL,
    finished_at    bigint   NOT NULL,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX finished_delivery_by_event ON finished_delivery (event_id);
CREATE INDEX finished_delivery_by_lane ON finished_delivery (lane_id, id);
CREATE INDEX finished_delivery_dead ON finished_delivery (id) WHERE state = 'dead';

CREATE TABLE attempt (
    id               uuid     NOT NULL,
    delivery_id      uuid     NOT NULL,
    number           integer  NOT NULL,
    claim            integer  NOT NULL,
    started_at       bigint   NOT NULL,
    duration_us      bigint   NOT NULL,
    resolve_us       bigint,
    connect_us       bigint,
    first_byte_us    bigint,
    status_code      smallint,
    error_class      text,
    error            text,
    request_headers  text     NOT NULL,
    response_headers text,
    response_body    bytea,
    PRIMARY KEY (id)
) PARTITION BY RANGE (id);
CREATE INDEX attempt_by_delivery ON attempt (delivery_id);

CREATE TABLE upload (
    id             uuid    PRIMARY KEY,
    endpoint_id    uuid    NOT NULL,
    user_id        bigint  NOT NULL,
    state          text    NOT NULL DEFAULT 'received',
    file_name      text    NOT NULL,
    storage_key    text    NOT NULL,
    size_bytes     bigint  NOT NULL,
    sha256         text,
    media_type     text,
    facts          text,
    reason         text,
    event_id       uuid,
    attempts       integer NOT NULL DEFAULT 0,
    claim          integer NOT NULL DEFAULT 0,
    due_at         bigint  NOT NULL,
    hinted_until   bigint  NOT NULL DEFAULT 0,
    lease_until    bigint  NOT NULL DEFAULT 0,
    created_at     bigint  NOT NULL,
    finished_at    bigint
);
CREATE INDEX upload_due ON upload (due_at, id) WHERE state = 'received';
CREATE INDEX upload_by_endpoint ON upload (endpoint_id, id);

CREATE TABLE error_log (
    id            uuid   PRIMARY KEY,
    user_id       bigint,
    kind          text   NOT NULL,
    subject_id    uuid   NOT NULL,
    message       text   NOT NULL,
    attempt       integer,
    next_retry_at bigint,
    created_at    bigint NOT NULL
);
CREATE INDEX error_log_by_subject ON error_log (subject_id);
CREATE INDEX error_log_by_user ON error_log (user_id, id);

CREATE TABLE process (
    id         uuid    PRIMARY KEY,
    kind       text    NOT NULL,
    name       text    NOT NULL,
    version    text    NOT NULL,
    queues     text    NOT NULL,
    slots      integer NOT NULL,
    in_flight  integer NOT NULL,
    queue_ok   boolean NOT NULL,
    started_at bigint  NOT NULL,
    seen_at    bigint  NOT NULL
);

-- The one clock that due times and leases are compared with: the server's, in milliseconds.
CREATE FUNCTION now_ms() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (extract(epoch FROM statement_timestamp()) * 1000)::bigint
$$;

-- The smallest UUIDv7 of a day: its first 48 bits are milliseconds (RFC 9562, section 5.7).
CREATE FUNCTION first_uuid_of_day(day date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM day::timestamp) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Makes the daily partitions from `behind` days ago to `ahead` days from now (UTC) that do not exist yet.
CREATE FUNCTION make_partitions(behind integer, ahead integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    day date;
BEGIN
    PERFORM pg_advisory_xact_lock(4815162342);
    FOREACH parent IN ARRAY ARRAY['attempt', 'finished_delivery', 'event'] LOOP
        FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date + n FROM generate_series(-behind, ahead) AS n LOOP
            -- A day whose rows lie in the default partition already stays there; the other days do not suffer for it.
            BEGIN
                EXECUTE format(
                    'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    parent || '_' || to_char(day, 'YYYYMMDD'), parent,
                    first_uuid_of_day(day), first_uuid_of_day(day + 1));
            EXCEPTION WHEN check_violation THEN
                RAISE WARNING 'partition % of % was not made: its rows lie in the default partition', day, parent;
            END;
        END LOOP;
    END LOOP;
END
$$;

-- Catches ids of clocks far off; nothing is ever refused for want of a partition.
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE TABLE finished_delivery_default PARTITION OF finished_delivery DEFAULT;
CREATE TABLE attempt_default PARTITION OF attempt DEFAULT;
SELECT make_partitions(1, 7);

INSERT INTO event_type (id, name, description, created_at) VALUES
    ('21f8e1f7-4142-42f9-ac30-74961702b2eb', 'upload file', 'Event type for file upload operations', 1709024348000),
    ('018de8f5-6960-7c52-8c79-6b5bde1f0001', 'message.received', 'A signed message was ingested', 1709024348000);
