DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (lane_id, due_at, id);
