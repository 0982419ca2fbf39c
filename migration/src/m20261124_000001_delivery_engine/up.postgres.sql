-- Limits of a lane, its breaker, and why it is off. Times are milliseconds unless a name says otherwise.
ALTER TABLE lane
    -- Sends a second and sends under way, at most; none: no limit of its own.
    ADD COLUMN rate_limit    integer,
    ADD COLUMN max_in_flight integer,
    -- Failed sends in a row, by start of send, since the last success; when the first of them started.
    ADD COLUMN failures      integer NOT NULL DEFAULT 0,
    ADD COLUMN failing_since bigint  NOT NULL DEFAULT 0,
    -- When the last send that succeeded started.
    ADD COLUMN succeeded_at  bigint  NOT NULL DEFAULT 0,
    -- 0: closed. Else open until then, and from then on half open: one probe at a time.
    ADD COLUMN breaker_until bigint  NOT NULL DEFAULT 0,
    ADD COLUMN breaker_wait  bigint  NOT NULL DEFAULT 0,
    -- When it was paused or disabled, why it was disabled, when it was last resumed.
    ADD COLUMN off_since     bigint  NOT NULL DEFAULT 0,
    ADD COLUMN off_reason    text,
    ADD COLUMN resumed_at    bigint  NOT NULL DEFAULT 0,
    -- What was due before then drains at a bounded rate; 0: nothing drains.
    ADD COLUMN drain_before  bigint  NOT NULL DEFAULT 0,
    -- When the next send of a lane with a rate may be granted, in microseconds.
    ADD COLUMN rate_slot_us  bigint  NOT NULL DEFAULT 0,
    -- Whether its owner has yet to be told that it was disabled.
    ADD COLUMN tell_owner    boolean NOT NULL DEFAULT false;
CREATE INDEX lane_tell_owner ON lane (id) WHERE tell_owner;
CREATE INDEX lane_off ON lane (id) WHERE state <> 'active' OR breaker_until > 0;

ALTER TABLE endpoint
    -- A JSON array of waits in seconds; none: the setting's.
    ADD COLUMN retry_schedule text,
    -- A JSON object of its owner's.
    ADD COLUMN metadata       text;

-- Whether the event named its endpoints, instead of going to all that are registered for its type.
ALTER TABLE event ADD COLUMN addressed boolean NOT NULL DEFAULT false;

CREATE TABLE idempotency_key (
    user_id    bigint NOT NULL,
    key        text   NOT NULL,
    body_hash  bytea  NOT NULL,
    event_id   uuid   NOT NULL,
    deliveries integer NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);
