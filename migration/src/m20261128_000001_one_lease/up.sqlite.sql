-- What was marked for a hint is due like everything else: workers claim it.
ALTER TABLE delivery DROP COLUMN hinted_until;
ALTER TABLE upload DROP COLUMN hinted_until;

-- Which worker fans a broadcast out, and until when.
ALTER TABLE broadcast ADD COLUMN claim INTEGER NOT NULL DEFAULT 0;
ALTER TABLE broadcast ADD COLUMN lease_until INTEGER NOT NULL DEFAULT 0;
DROP INDEX broadcast_running;
CREATE INDEX broadcast_due ON broadcast (lease_until, id) WHERE state = 'running';

-- The attempt that succeeded, as `attempt` keeps those that failed; none where it has a row of its own.
ALTER TABLE finished_delivery ADD COLUMN started_at INTEGER;
ALTER TABLE finished_delivery ADD COLUMN duration_us INTEGER;
ALTER TABLE finished_delivery ADD COLUMN resolve_us INTEGER;
ALTER TABLE finished_delivery ADD COLUMN connect_us INTEGER;
ALTER TABLE finished_delivery ADD COLUMN first_byte_us INTEGER;
ALTER TABLE finished_delivery ADD COLUMN status_code INTEGER;
ALTER TABLE finished_delivery ADD COLUMN request_headers TEXT;
ALTER TABLE finished_delivery ADD COLUMN response_headers TEXT;
ALTER TABLE finished_delivery ADD COLUMN response_body BLOB;

-- An event finds its recipients by type and tenant, whatever other tenants have registered.
ALTER TABLE endpoint_event_type ADD COLUMN user_id INTEGER NOT NULL DEFAULT 0;
UPDATE endpoint_event_type SET user_id = coalesce((SELECT user_id FROM endpoint e WHERE e.id = endpoint_id), 0);
CREATE INDEX endpoint_event_type_by_user ON endpoint_event_type (event_type_id, user_id, endpoint_id);
