-- Removes a stopped worker at once; one that still holds jobs stays until apalis gives them back.
-- KEYS: workers, its in-flight set, its metadata
-- ARGV: the worker's name
if redis.call('SCARD', KEYS[2]) == 0 then
    redis.call('ZREM', KEYS[1], ARGV[1])
    redis.call('DEL', KEYS[3])
end
return 1
