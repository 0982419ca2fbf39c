-- Limits of a lane, its breaker, and why it is off. Times are milliseconds unless a name says otherwise.
-- Sends a second and sends under way, at most; none: no limit of its own.
ALTER TABLE lane ADD COLUMN rate_limit INTEGER;
ALTER TABLE lane ADD COLUMN max_in_flight INTEGER;
-- Failed sends in a row, by start of send, since the last success; when the first of them started.
ALTER TABLE lane ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN failing_since INTEGER NOT NULL DEFAULT 0;
-- When the last send that succeeded started.
ALTER TABLE lane ADD COLUMN succeeded_at INTEGER NOT NULL DEFAULT 0;
-- 0: closed. Else open until then, and from then on half open: one probe at a time.
ALTER TABLE lane ADD COLUMN breaker_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN breaker_wait INTEGER NOT NULL DEFAULT 0;
-- When it was paused or disabled, why it was disabled, when it was last resumed.
ALTER TABLE lane ADD COLUMN off_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lane ADD COLUMN off_reason TEXT;
ALTER TABLE lane ADD COLUMN resumed_at INTEGER NOT NULL DEFAULT 0;
-- What was due before then drains at a bounded rate; 0: nothing drains.
ALTER TABLE lane ADD COLUMN drain_before INTEGER NOT NULL DEFAULT 0;
-- When the next send of a lane with a rate may be granted, in microseconds.
ALTER TABLE lane ADD COLUMN rate_slot_us INTEGER NOT NULL DEFAULT 0;
-- Whether its owner has yet to be told that it was disabled.
ALTER TABLE lane ADD COLUMN tell_owner INTEGER NOT NULL DEFAULT 0;
CREATE INDEX lane_tell_owner ON lane (id) WHERE tell_owner;
CREATE INDEX lane_off ON lane (id) WHERE state <> 'active' OR breaker_until > 0;

-- A JSON array of waits in seconds; none: the setting's.
ALTER TABLE endpoint ADD COLUMN retry_schedule TEXT;
-- A JSON object of its owner's.
ALTER TABLE endpoint ADD COLUMN metadata TEXT;

-- Whether the event named its endpoints, instead of going to all that are registered for its type.
ALTER TABLE event ADD COLUMN addressed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE idempotency_key (
    user_id    INTEGER NOT NULL,
    key        TEXT    NOT NULL,
    body_hash  BLOB    NOT NULL,
    event_id   BLOB    NOT NULL,
    deliveries INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_key_by_age ON idempotency_key (created_at);
