-- held(active, signal) -> ids that wait, position of the last job.
--
-- A job's name is "<position>-<ids>-<nonce>": `ids` is how many it carries, `position` how many were pushed up to and
-- including it since the list was last empty. Jobs enter at the tail and leave at the head, so the ids between head and
-- tail follow from those two names. Only apalis breaks that order, when it gives back the jobs of a dead or stopped
-- worker; it then sets `signal`, and deletes it only when a fetch has emptied the list. So while `signal` exists the
-- names are added up one by one. Nothing is stored beside the list: there is no counter that could drift.
local function parse(name)
    local position, ids = string.match(name, '^(%d+)%-(%d+)%-')
    -- A stranger (apalis' own push) may carry as many ids as a job can.
    return tonumber(position) or 0, tonumber(ids) or 32
end

local function held(active, signal)
    local first = redis.call('LINDEX', active, 0)
    if not first then
        return 0, 0
    end
    if redis.call('EXISTS', signal) == 0 then
        local head, ids = parse(first)
        local tail = parse(redis.call('LINDEX', active, -1))
        return tail - head + ids, tail
    end
    local sum, last = 0, 0
    for _, name in ipairs(redis.call('LRANGE', active, 0, -1)) do
        local position, ids = parse(name)
        sum = sum + ids
        last = math.max(last, position)
    end
    return sum, last
end
