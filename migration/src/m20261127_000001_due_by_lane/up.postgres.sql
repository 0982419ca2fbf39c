-- Only for statements that name a lane, which is never null: others can't be planned along this index, however small it is
-- at that moment. A claim names ids, and the planner took this index for it whenever the table had just been vacuumed empty.
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (lane_id, due_at, id) WHERE lane_id IS NOT NULL;
