-- Pushes the first jobs that fit the window: count and push are one step for all processes.
-- The counter holds what waits in the list. A worker that dies between taking jobs and counting them leaves it too high;
-- an empty list sets it right, and a list that is thought to be full is soon empty.
-- KEYS: list, counter
-- ARGV: window, then for each job its weight and its JSON
-- Returns: how many jobs were taken, what waits now
local waiting = redis.call('LLEN', KEYS[1])
if waiting > 0 then
    -- No job weighs less than one: the least that waits when the counter was lost.
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
