-- When a message reached this browser for the first time; none: never.
ALTER TABLE push_subscription ADD COLUMN reached_at INTEGER;
UPDATE push_subscription SET reached_at = updated_at
WHERE lane_id IN (SELECT id FROM lane WHERE channel = 'web_push' AND succeeded_at > 0);
CREATE INDEX push_subscription_unreached ON push_subscription (id) WHERE reached_at IS NULL;
CREATE INDEX push_subscription_by_lane ON push_subscription (lane_id);

-- The lane of push services that have taken no message. Lanes of their own are made by their first success.
INSERT INTO lane (id, channel, max_in_flight) SELECT x'48335023296258808ab9345325cf6040', 'web_push', 32
WHERE EXISTS (SELECT 1 FROM push_subscription) OR EXISTS (SELECT 1 FROM lane WHERE channel = 'web_push')
ON CONFLICT (id) DO NOTHING;
UPDATE delivery SET lane_id = x'48335023296258808ab9345325cf6040'
WHERE lane_id IN (SELECT id FROM lane WHERE channel = 'web_push' AND succeeded_at = 0);
DELETE FROM lane WHERE channel = 'web_push' AND succeeded_at = 0 AND id <> x'48335023296258808ab9345325cf6040';
CREATE INDEX lane_of_push_services ON lane (id) WHERE channel = 'web_push';
