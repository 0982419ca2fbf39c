DROP INDEX endpoint_event_type_by_user;
ALTER TABLE endpoint_event_type DROP COLUMN user_id;
-- The attempt of a success gets a row of its own again, under the delivery's id: no other attempt has it.
INSERT INTO attempt (id, delivery_id, number, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
    status_code, request_headers, response_headers, response_body)
SELECT id, id, attempts, claim, started_at, duration_us, resolve_us, connect_us, first_byte_us,
    status_code, coalesce(request_headers, '{}'), response_headers, response_body
FROM finished_delivery WHERE started_at IS NOT NULL;
ALTER TABLE finished_delivery DROP COLUMN started_at;
ALTER TABLE finished_delivery DROP COLUMN duration_us;
ALTER TABLE finished_delivery DROP COLUMN resolve_us;
ALTER TABLE finished_delivery DROP COLUMN connect_us;
ALTER TABLE finished_delivery DROP COLUMN first_byte_us;
ALTER TABLE finished_delivery DROP COLUMN status_code;
ALTER TABLE finished_delivery DROP COLUMN request_headers;
ALTER TABLE finished_delivery DROP COLUMN response_headers;
ALTER TABLE finished_delivery DROP COLUMN response_body;
DROP INDEX broadcast_due;
CREATE INDEX broadcast_running ON broadcast (id) WHERE state = 'running';
ALTER TABLE broadcast DROP COLUMN claim;
ALTER TABLE broadcast DROP COLUMN lease_until;
ALTER TABLE upload ADD COLUMN hinted_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN hinted_until INTEGER NOT NULL DEFAULT 0;
