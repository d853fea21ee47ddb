/**
 * Lua of address allocation. Addresses are hexadecimal text of one length in a subnet, so that comparing
 * text compares addresses; which addresses a subnet has, and in which order, the caller computes
 * (../allocation/candidates.ts), so no bitmap exists anywhere.
 *
 *   a:held:<subnet>   hash       address to "network\0owner\0reserved\0time in ms\0description\0owner type"; the time at
 *                                which the owner last asked
 *   a:freed:<subnet>  sorted set released addresses, score: time of the release in ms
 *   a:next:<subnet>   hash       definition of the subnet, position: last never-used address handed out
 *   a:owners:<network> sorted set "owner\0family\0subnet\0address", score 0
 *   a:networks        set        networks that ever held addresses
 *   a:starved         sorted set "network\0family\0subnets with commas" that had no address for somebody, score: when, in
 *                                ms; without subnets for who takes any of the network's
 */
export const addressesLua = String.raw`
local function held_by_owner(prefix, item, subnets)
  local range = item.owner .. '\0' .. item.family .. '\0'
  local members = redis.call('ZRANGEBYLEX', prefix .. 'a:owners:' .. item.network,
    '[' .. range, '(' .. item.owner .. '\0' .. item.family .. '\1')
  for _, member in ipairs(members) do
    local subnet, address = string.match(member, '^%Z*%z%Z*%z(%Z*)%z(.*)$')
    for _, choice in ipairs(item.choices) do
      if subnets[choice].id == subnet and (not item.address or item.address == address) then
        return choice, address
      end
    end
  end
end

local function take(prefix, item, choice, subnet, address, now)
  redis.call('HSET', prefix .. 'a:held:' .. subnet.id, address, item.network .. '\0' .. item.owner .. '\0' ..
    (item.reserved and '1' or '0') .. '\0' .. string.format('%.0f', now) .. '\0' .. item.description .. '\0' ..
    item.ownerType)
  redis.call('ZREM', prefix .. 'a:freed:' .. subnet.id, address)
  redis.call('ZADD', prefix .. 'a:owners:' .. item.network, 0,
    item.owner .. '\0' .. item.family .. '\0' .. subnet.id .. '\0' .. address)
  redis.call('SADD', prefix .. 'a:networks', item.network)
  return { 'taken', choice, address }
end

local function next_fresh(prefix, subnet)
  while subnet.used < #subnet.candidates do
    subnet.used = subnet.used + 1
    local address = subnet.candidates[subnet.used]
    if redis.call('HEXISTS', prefix .. 'a:held:' .. subnet.id, address) == 0
      and not redis.call('ZSCORE', prefix .. 'a:freed:' .. subnet.id, address) then
      return address
    end
  end
end

local function in_ranges(subnet, address)
  for _, range in ipairs(subnet.ranges) do
    if address >= range[1] and address <= range[2] then return true end
  end
  return false
end

-- The address released longest ago, when its quarantine is over.
local function next_freed(prefix, subnet, ready_before)
  local key = prefix .. 'a:freed:' .. subnet.id
  while true do
    local oldest = redis.call('ZRANGEBYSCORE', key, '-inf', ready_before, 'LIMIT', 0, 1)
    if not oldest[1] then return nil end
    if in_ranges(subnet, oldest[1]) then return oldest[1] end
    redis.call('ZREM', key, oldest[1])
  end
end

local function choose(prefix, subnet, request, now)
  local ready_before = now - request.quarantineMs
  local many = redis.call('ZCARD', prefix .. 'a:freed:' .. subnet.id) > request.freedMax
  if many then
    local freed = next_freed(prefix, subnet, ready_before)
    if freed then return freed end
  end
  local fresh = next_fresh(prefix, subnet)
  if fresh then return fresh end
  if not subnet.complete then return nil, true end
  return next_freed(prefix, subnet, ready_before)
end

local function allocate_exact(prefix, item, request, now)
  local choice = item.choices[1]
  local subnet = request.subnets[choice]
  local holder = redis.call('HGET', prefix .. 'a:held:' .. subnet.id, item.address)
  if holder then return { 'in-use', choice, holder } end
  return take(prefix, item, choice, subnet, item.address, now)
end

local function note_starved(prefix, item, subnets, now)
  local ids = {}
  if not item.anySubnet then
    for _, choice in ipairs(item.choices) do table.insert(ids, subnets[choice].id) end
  end
  local where = item.network .. '\0' .. item.family .. '\0' .. table.concat(ids, ',')
  redis.call('ZADD', prefix .. 'a:starved', now, where)
end

local function allocate_item(prefix, item, request, now)
  local held_in, held = held_by_owner(prefix, item, request.subnets)
  -- Taken again, so that what asks cannot be reclaimed at the same time.
  if held then return take(prefix, item, held_in, request.subnets[held_in], held, now) end
  if item.address then return allocate_exact(prefix, item, request, now) end
  for _, choice in ipairs(item.choices) do
    local subnet = request.subnets[choice]
    local address, more = choose(prefix, subnet, request, now)
    if address then return take(prefix, item, choice, subnet, address, now) end
    if more then return { 'more', choice, '' } end
  end
  note_starved(prefix, item, request.subnets, now)
  return { 'exhausted', 0, '' }
end

-- Where the next search begins; only forward, unless the subnet was defined anew.
local function save_position(prefix, subnet)
  if subnet.used == 0 then return end
  local key = prefix .. 'a:next:' .. subnet.id
  local position = subnet.candidates[subnet.used]
  local stored = redis.call('HMGET', key, 'definition', 'position')
  if stored[1] == subnet.definition and stored[2] then
    local ahead = stored[2] < position
    if subnet.fromStart ~= ahead then return end
  end
  redis.call('HSET', key, 'definition', subnet.definition, 'position', position)
end

local function allocate(keys, args)
  local prefix = keys[1]
  local request = cjson.decode(args[1])
  local now = now_ms()
  for _, subnet in ipairs(request.subnets) do subnet.used = 0 end
  local answer = {}
  for _, item in ipairs(request.items) do
    table.insert(answer, allocate_item(prefix, item, request, now))
  end
  for _, subnet in ipairs(request.subnets) do save_position(prefix, subnet) end
  return answer
end

local function release_item(prefix, item, now)
  local key = prefix .. 'a:owners:' .. item.network
  local members = redis.call('ZRANGEBYLEX', key, '[' .. item.owner .. '\0', '(' .. item.owner .. '\1')
  local count = 0
  for _, member in ipairs(members) do
    local subnet, address = string.match(member, '^%Z*%z%Z*%z(%Z*)%z(.*)$')
    if not item.address or item.address == address then
      redis.call('ZREM', key, member)
      redis.call('HDEL', prefix .. 'a:held:' .. subnet, address)
      redis.call('ZADD', prefix .. 'a:freed:' .. subnet, now, address)
      count = count + 1
    end
  end
  if redis.call('EXISTS', key) == 0 then redis.call('SREM', prefix .. 'a:networks', item.network) end
  return count
end

local function release(keys, args)
  local now = now_ms()
  local count = 0
  for _, item in ipairs(cjson.decode(args[1])) do
    count = count + release_item(keys[1], item, now)
  end
  return count
end

-- Releases what nobody asked for since it was seen.
local function reclaim(keys, args)
  local prefix, now, count = keys[1], now_ms(), 0
  for _, item in ipairs(cjson.decode(args[1])) do
    local holder = redis.call('HGET', prefix .. 'a:held:' .. item.subnet, item.address) or ''
    local network, owner, asked_at = string.match(holder, '^(%Z*)%z(%Z*)%z%Z*%z(%Z*)')
    if network == item.network and owner == item.owner and asked_at == item.askedAtMs then
      count = count + release_item(prefix, item, now)
    end
  end
  return count
end
`;
