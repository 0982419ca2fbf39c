DROP FUNCTION make_partitions(integer, integer);
DROP FUNCTION first_uuid_of_day(date);
DROP FUNCTION now_ms();
