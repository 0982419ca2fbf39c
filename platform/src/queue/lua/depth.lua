-- KEYS: active list, signal
-- Returns: ids that wait
return (held(KEYS[1], KEYS[2]))
