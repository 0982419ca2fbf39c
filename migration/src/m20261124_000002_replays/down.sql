DROP INDEX finished_delivery_by_user;
DROP TABLE replay;
