-- A job that makes new deliveries of the events of finished ones, page by page. Times are milliseconds.
CREATE TABLE replay (
    id          uuid    PRIMARY KEY,
    state       text    NOT NULL DEFAULT 'running',
    -- Whose deliveries; none: everybody's.
    user_id     bigint,
    endpoint_id uuid,
    -- The state that a delivery must have ended in.
    of_state    text    NOT NULL,
    event_type  text,
    since       bigint,
    until       bigint,
    -- New deliveries a second, and when the next one may be due.
    rate        integer NOT NULL,
    next_at     bigint  NOT NULL,
    -- The set: ids above `cursor` and below `bound` that had ended by `created_at`.
    cursor      uuid    NOT NULL,
    bound       uuid    NOT NULL,
    total       bigint  NOT NULL,
    done        bigint  NOT NULL DEFAULT 0,
    skipped     bigint  NOT NULL DEFAULT 0,
    created_at  bigint  NOT NULL,
    finished_at bigint
);
CREATE INDEX replay_running ON replay (next_at, id) WHERE state = 'running';
CREATE INDEX replay_by_user ON replay (user_id, id);

-- A user's own deliveries, newest first.
CREATE INDEX finished_delivery_by_user ON finished_delivery (user_id, id);
