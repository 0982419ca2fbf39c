-- Pushes the first jobs that fit the window; counting and pushing are atomic across processes.
-- The counter holds the weight of the list. A worker that dies between popping jobs and subtracting them leaves it too high;
-- an empty list resets it, and a list that counts as full is soon empty.
-- KEYS: list, counter
-- ARGV: window, then for each job its weight and its JSON
-- Returns: the number of jobs pushed, the weight of the list now
local waiting = redis.call('LLEN', KEYS[1])
if waiting > 0 then
    -- Each job weighs at least one: a lower bound when the counter was lost.
    waiting = math.max(tonumber(redis.call('GET', KEYS[2])) or 0, waiting)
end
local taken = {}
for place = 2, #ARGV, 2 do
    local weight = tonumber(ARGV[place])
    if waiting + weight > tonumber(ARGV[1]) then
        break
    end
    waiting = waiting + weight
    taken[#taken + 1] = ARGV[place + 1]
end
if #taken > 0 then
    redis.call('RPUSH', KEYS[1], unpack(taken))
    redis.call('SET', KEYS[2], waiting)
end
return { #taken, waiting }
