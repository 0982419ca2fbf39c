-- Counts the ids that wait and pushes the first ids that fit the window, in jobs. One step for all processes.
-- Writes what apalis' own push writes (data, meta, active list), but never touches the scheduled set.
-- KEYS: active list, signal, data hash, meta prefix
-- ARGV: window, ids per job, nonce, channel that wakes workers, how many ids, these, then the end of each job's JSON
-- Returns: how many ids were taken
local FIRST_ID = 6
local waiting, position = held(KEYS[1], KEYS[2])
if waiting == 0 then
    redis.call('DEL', KEYS[2])
end

local room = tonumber(ARGV[1]) - waiting
local count = tonumber(ARGV[5])
local taken = math.max(0, math.min(room, count))
local per_job = tonumber(ARGV[2])
local last = FIRST_ID + taken - 1
local end_of_job = FIRST_ID + count

for from = FIRST_ID, last, per_job do
    local to = math.min(from + per_job - 1, last)
    local ids = to - from + 1
    position = position + ids
    local name = string.format('%.0f-%d-%s', position, ids, ARGV[3])
    redis.call('HSET', KEYS[3], name, '{"ids":["' .. table.concat(ARGV, '","', from, to) .. '"]' .. ARGV[end_of_job])
    end_of_job = end_of_job + 1
    redis.call('HSET', KEYS[4] .. ':' .. name,
        'attempts', 0, 'max_attempts', 25, 'status', 'Pending', 'idempotency_key', '')
    redis.call('RPUSH', KEYS[1], name)
end

-- A worker sleeps only after it found the list empty: whoever fills an empty list wakes it.
if waiting == 0 and taken > 0 then
    redis.call('PUBLISH', ARGV[4], '')
end
return taken
