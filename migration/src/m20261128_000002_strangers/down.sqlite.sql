-- Every push service has a lane of its own again, and deliveries go back to it.
INSERT INTO lane (id, channel) SELECT DISTINCT lane_id, 'web_push' FROM push_subscription WHERE true ON CONFLICT (id) DO NOTHING;
UPDATE delivery SET lane_id = (SELECT s.lane_id FROM push_subscription s WHERE s.id = delivery.recipient_id)
WHERE lane_id = x'48335023296258808ab9345325cf6040' AND EXISTS (SELECT 1 FROM push_subscription s WHERE s.id = delivery.recipient_id);
DELETE FROM lane WHERE id = x'48335023296258808ab9345325cf6040' AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.lane_id = lane.id);
DROP INDEX lane_of_push_services;
DROP INDEX push_subscription_by_lane;
DROP INDEX push_subscription_unreached;
ALTER TABLE push_subscription DROP COLUMN reached_at;
