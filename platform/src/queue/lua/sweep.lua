-- Removes jobs that are finished, which apalis never does: a bounded step, safe while workers run.
-- When nothing waits, runs or is finished, whatever data is left belongs to no job and goes too.
-- KEYS: done set, dead set, data hash, meta prefix, workers, prefix of the workers' metadata, active list,
--       scheduled set, prefix of the in-flight sets
-- ARGV: most jobs to remove, milliseconds that a worker's metadata outlives it
-- Returns: how many were removed
local limit = tonumber(ARGV[1])
local removed = 0

local function remove(names)
    for _, name in ipairs(names) do
        redis.call('HDEL', KEYS[3], name)
        redis.call('UNLINK', KEYS[4] .. ':' .. name)
        removed = removed + 1
    end
end

remove(redis.call('SPOP', KEYS[1], limit))
if removed < limit then
    remove(redis.call('SPOP', KEYS[2], limit - removed))
end

local idle = removed == 0 and redis.call('LLEN', KEYS[7]) == 0 and redis.call('ZCARD', KEYS[8]) == 0
for _, worker in ipairs(redis.call('ZRANGE', KEYS[5], 0, -1)) do
    redis.call('PEXPIRE', KEYS[6] .. ':' .. worker, ARGV[2])
    idle = idle and redis.call('SCARD', KEYS[9] .. ':' .. worker) == 0
end
if idle then
    local pairs_left = redis.call('HSCAN', KEYS[3], 0, 'COUNT', limit)[2]
    local left = {}
    for i = 1, math.min(#pairs_left, 2 * limit), 2 do
        left[#left + 1] = pairs_left[i]
    end
    remove(left)
end
return removed
