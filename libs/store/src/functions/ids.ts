/**
 * Lua of numeric ids. A space is a hash from key to number; numbers never used come first, then those
 * freed longest ago, and those only after a
 * quarantine: a flow or an agent that was away may still carry them. A number allotted for an object that is about to be created is pending until the
 * creating transaction claims it; what nobody claims is freed after a while, so nothing leaks.
 */
export const idsLua = String.raw`
local function now_ms()
  local clock = redis.call('TIME')
  return tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
end

local function free_id(prefix, space, key, now)
  local ids = prefix .. 'i:' .. space
  local id = redis.call('HGET', ids, key)
  if not id then return end
  redis.call('HDEL', ids, key)
  redis.call('RPUSH', ids .. ':freed', id .. '@' .. string.format('%.0f', now))
end

local function sweep_pending(prefix, lifetime, now)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', prefix .. 'i:pending', '-inf', now - lifetime, 'LIMIT', 0, 10)) do
    local space, key = string.match(member, '^(%Z*)%z(.*)$')
    redis.call('ZREM', prefix .. 'i:pending', member)
    free_id(prefix, space, key, now)
  end
end

-- The number freed longest ago, when its quarantine is over.
local function take_freed(ids, freed_before)
  local oldest = redis.call('LINDEX', ids .. ':freed', 0)
  if not oldest then return nil end
  local id, freed_at = string.match(oldest, '^(%d+)@?(%d*)$')
  if (tonumber(freed_at) or 0) > freed_before then return nil end
  redis.call('LPOP', ids .. ':freed')
  return id
end

local function take_id(ids, first, last, freed_before)
  local next_id = tonumber(redis.call('GET', ids .. ':next') or first)
  if next_id <= last then
    redis.call('SET', ids .. ':next', string.format('%.0f', next_id + 1))
    return string.format('%.0f', next_id)
  end
  return take_freed(ids, freed_before)
end

-- args: space, first, last, pending lifetime in ms (0: not pending), quarantine in ms, keys…
local function allot(keys, args)
  local prefix, space = keys[1], args[1]
  local first, last, lifetime = tonumber(args[2]), tonumber(args[3]), tonumber(args[4])
  local ids = prefix .. 'i:' .. space
  local now = now_ms()
  if lifetime > 0 then sweep_pending(prefix, lifetime, now) end
  local answer = {}
  for index = 6, #args do
    local id = redis.call('HGET', ids, args[index])
    if not id then
      id = take_id(ids, first, last, now - tonumber(args[5]))
      if not id then return { 'exhausted' } end
      redis.call('HSET', ids, args[index], id)
      if lifetime > 0 then redis.call('ZADD', prefix .. 'i:pending', now, space .. '\0' .. args[index]) end
    end
    table.insert(answer, id)
  end
  return answer
end
`;
