-- What was marked for a hint is due like everything else: workers claim it.
ALTER TABLE delivery DROP COLUMN hinted_until;
ALTER TABLE upload DROP COLUMN hinted_until;

-- Which worker fans a broadcast out, and until when.
ALTER TABLE broadcast
    ADD COLUMN claim       integer NOT NULL DEFAULT 0,
    ADD COLUMN lease_until bigint  NOT NULL DEFAULT 0;
DROP INDEX broadcast_running;
CREATE INDEX broadcast_due ON broadcast (lease_until, id) WHERE state = 'running';

-- The attempt that succeeded, as `attempt` keeps those that failed; none where it has a row of its own.
ALTER TABLE finished_delivery
    ADD COLUMN started_at       bigint,
    ADD COLUMN duration_us      bigint,
    ADD COLUMN resolve_us       bigint,
    ADD COLUMN connect_us       bigint,
    ADD COLUMN first_byte_us    bigint,
    ADD COLUMN status_code      smallint,
    ADD COLUMN request_headers  text,
    ADD COLUMN response_headers text,
    ADD COLUMN response_body    bytea;

-- An event finds its recipients by type and tenant, whatever other tenants have registered.
ALTER TABLE endpoint_event_type ADD COLUMN user_id bigint NOT NULL DEFAULT 0;
UPDATE endpoint_event_type SET user_id = coalesce((SELECT user_id FROM endpoint e WHERE e.id = endpoint_id), 0);
CREATE INDEX endpoint_event_type_by_user ON endpoint_event_type (event_type_id, user_id, endpoint_id);
