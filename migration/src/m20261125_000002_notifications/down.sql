DROP TABLE delivery_progress;
DROP TABLE broadcast;
DROP TABLE placement;
DROP TABLE notice;
DROP TABLE subscriber;
DROP TABLE push_subscription;
