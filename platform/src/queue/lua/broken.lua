-- Notes that a job killed a worker (its data is gone or unreadable); at the limit every job is dropped, because apalis
-- would hand the same one out for ever. The database still has the work and the dispatcher hints it again.
-- The script is one step and takes its own note away, so it needs no lock: one of many reporters wipes.
-- KEYS: notes, active list, scheduled set, signal, done set, workers, prefix of the in-flight sets, data hash
-- ARGV: limit, milliseconds that notes are kept
-- Returns: 1 when it wiped
if redis.call('INCR', KEYS[1]) == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if tonumber(redis.call('GET', KEYS[1])) < tonumber(ARGV[1]) then
    return 0
end

-- Keys of a wrong type are poison too.
local function sane(key, kind)
    local found = redis.call('TYPE', key).ok
    if found ~= kind and found ~= 'none' then
        redis.call('DEL', key)
    end
    return key
end

-- Dropped jobs count as finished, so that the sweep removes what they left.
local function finish(key, names)
    for _, name in ipairs(names) do
        redis.call('SADD', KEYS[5], name)
    end
    redis.call('DEL', key)
end

sane(KEYS[5], 'set')
sane(KEYS[8], 'hash')
finish(KEYS[2], redis.call('LRANGE', sane(KEYS[2], 'list'), 0, -1))
finish(KEYS[3], redis.call('ZRANGE', sane(KEYS[3], 'zset'), 0, -1))
for _, worker in ipairs(redis.call('ZRANGE', sane(KEYS[6], 'zset'), 0, -1)) do
    local inflight = sane(KEYS[7] .. ':' .. worker, 'set')
    finish(inflight, redis.call('SMEMBERS', inflight))
end
redis.call('DEL', KEYS[1], KEYS[4])
return 1
