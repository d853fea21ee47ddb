/**
 * Lua of `commit`, the one way in which objects change: for each of its transactions it checks everything, then
 * applies everything. Shapes of requests and answers: ../commit-queue.ts; keys and values: ../keys.ts. Each
 * call of a command costs as much as the work in it, so commands take many keys or members where they can.
 *
 * A write is {k: put | del | check, t: type number, u: uuid, n: name key, e: expected revision (0: absent),
 * p: [type number, uuid] of the parent, refs: [[type number, uuid], …] to verify, add and rm:
 * [[target uuid, kind letter], …] dependents to enter and to remove}.
 */
export const commitLua = String.raw`
local function header(key)
  local head = redis.call('GETRANGE', key, 0, 31)
  local kind, revision = string.match(head, '^(%d+) (%d+)\n')
  return kind, tonumber(revision)
end

local function integer(number)
  return string.format('%.0f', number)
end

-- Calls a command for a list of any length, in parts that are no bigger than Lua's stack allows: an even number.
local part_max = 1000
local function call_in_parts(list, command, ...)
  for first = 1, #list, part_max do
    local arguments = { ... }
    for index = first, math.min(first + part_max - 1, #list) do arguments[#arguments + 1] = list[index] end
    redis.call(command, unpack(arguments))
  end
end

-- Objects and names as they will be after the writes staged so far.
local function stage(prefix)
  local objects, names = {}, {}
  local view = {}
  -- Reads objects that are not expected to exist.
  function view.expect_absent(uuids)
    for first = 1, #uuids, part_max do
      local last = math.min(first + part_max - 1, #uuids)
      local present = {}
      for index = first, last do present[#present + 1] = prefix .. 'o:' .. uuids[index] end
      for index, value in ipairs(redis.call('MGET', unpack(present))) do
        if not value then objects[uuids[first + index - 1]] = false end
      end
    end
  end
  function view.object(uuid)
    if objects[uuid] == nil then
      local kind, revision = header(prefix .. 'o:' .. uuid)
      objects[uuid] = kind and { kind = kind, revision = revision } or false
    end
    return objects[uuid]
  end
  function view.holder(kind, name)
    local key = kind .. '\0' .. name
    if names[key] == nil then
      local found = redis.call('ZRANGEBYLEX', prefix .. 'n:' .. kind, '[' .. name .. '\0',
        '(' .. name .. '\1', 'LIMIT', 0, 1)
      names[key] = found[1] and string.sub(found[1], #name + 2) or false
    end
    return names[key]
  end
  function view.put(write)
    objects[write.u] = { kind = tostring(write.t), revision = -1 }
    names[write.t .. '\0' .. write.n] = write.u
  end
  function view.delete(write)
    objects[write.u] = false
    names[write.t .. '\0' .. write.n] = false
  end
  return view
end

local function check_revision(view, write, index)
  local object = view.object(write.u)
  local revision = object and object.revision or 0
  if revision ~= write.e then
    if write.e == 0 then return { 'uuid-taken', index, object.kind } end
    return { 'conflict', index, integer(revision) }
  end
end

-- Deletions first: a name freed in the transaction can be taken in it.
local function stage_writes(view, writes)
  local new = {}
  for _, write in ipairs(writes) do
    if write.e == 0 then new[#new + 1] = write.u end
  end
  view.expect_absent(new)
  for index, write in ipairs(writes) do
    local failure = check_revision(view, write, index)
    if failure then return failure end
  end
  for _, write in ipairs(writes) do
    if write.k == 'del' then view.delete(write) end
  end
  for index, write in ipairs(writes) do
    if write.k == 'put' then
      if write.e == 0 then
        local holder = view.holder(write.t, write.n)
        if holder then return { 'name-taken', index, holder } end
      end
      view.put(write)
    end
  end
end

local function check_targets(view, writes)
  for index, write in ipairs(writes) do
    if write.k == 'put' then
      if type(write.p) == 'table' then
        local parent = view.object(write.p[2])
        if not parent or parent.kind ~= tostring(write.p[1]) then
          return { 'parent-missing', index, write.p[2] }
        end
      end
      for _, reference in ipairs(write.refs) do
        local target = view.object(reference[2])
        if not target or target.kind ~= tostring(reference[1]) then
          return { 'reference-missing', index, reference[2] }
        end
      end
    end
  end
end

local function dependent_changes(writes)
  local changes = {}
  local function note(pair, source, value)
    local of_target = changes[pair[1]]
    if not of_target then
      of_target = { added = 0, removed = 0, gone = {}, new = {} }
      changes[pair[1]] = of_target
    end
    local member = pair[2] .. source
    if value then
      of_target.added = of_target.added + 1
      table.insert(of_target.new, member)
    else
      of_target.removed = of_target.removed + 1
      of_target.gone[member] = true
    end
  end
  for _, write in ipairs(writes) do
    for _, pair in ipairs(write.add or {}) do note(pair, write.u, true) end
    for _, pair in ipairs(write.rm or {}) do note(pair, write.u, false) end
  end
  return changes
end

-- What would still depend on a deleted object; up to three examples.
local function check_held(prefix, writes, changes)
  for index, write in ipairs(writes) do
    if write.k == 'del' then
      local change = changes[write.u] or { added = 0, removed = 0, gone = {}, new = {} }
      local key = prefix .. 'd:' .. write.u
      local left = redis.call('ZCARD', key) - change.removed + change.added
      if left > 0 then
        local failure = { 'held', index, integer(left) }
        for _, member in ipairs(redis.call('ZRANGE', key, 0, change.removed + 2)) do
          if not change.gone[member] and #failure < 6 then table.insert(failure, member) end
        end
        for _, member in ipairs(change.new) do
          if #failure < 6 then table.insert(failure, member) end
        end
        return failure
      end
    end
  end
end

local function check_claims(prefix, claims)
  for _, claim in ipairs(claims) do
    if redis.call('HGET', prefix .. 'i:' .. claim[1], claim[2]) ~= integer(claim[3]) then
      return { 'claim-lost', 0, claim[1], claim[2] }
    end
  end
end

-- Addresses in use of a subnet, or of one network in it.
local function held_count(prefix, guard)
  if not guard.network then return redis.call('HLEN', prefix .. 'a:held:' .. guard.subnet) end
  local count = 0
  for _, member in ipairs(redis.call('ZRANGE', prefix .. 'a:owners:' .. guard.network, 0, -1)) do
    if string.match(member, '^%Z*%z%Z*%z(%Z*)%z') == guard.subnet then count = count + 1 end
  end
  return count
end

local function check_guards(prefix, guards)
  for _, guard in ipairs(guards) do
    local count = held_count(prefix, guard)
    if count > 0 then return { 'subnet-in-use', guard.write, guard.subnet, integer(count) } end
  end
end

-- Referrers of one type; names are counted without being read.
local function counted(prefix, limit)
  if not limit.referred then
    return redis.call('ZLEXCOUNT', prefix .. 'n:' .. limit.t, '[' .. limit.from, '(' .. limit.to)
  end
  local count = 0
  local members = redis.call('ZRANGEBYLEX', prefix .. 'd:' .. limit.referred, '[s', '(t')
  for _, member in ipairs(members) do
    local kind = header(prefix .. 'o:' .. string.sub(member, 2))
    if kind == tostring(limit.t) then count = count + 1 end
  end
  return count
end

local function check_limits(prefix, limits)
  for index, limit in ipairs(limits) do
    if counted(prefix, limit) + limit.added > limit.max then return { 'over-limit', index } end
  end
end

-- A list of a table of lists.
local function list_of(lists, key)
  local list = lists[key]
  if not list then
    list = {}
    lists[key] = list
  end
  return list
end

-- The order of the fields of an entry is what ../change-feed.ts reads.
local function apply_writes(prefix, request, args, first)
  local count = 0
  for _, write in ipairs(request.writes) do
    if write.k ~= 'check' then count = count + 1 end
  end
  local last = redis.call('INCRBY', prefix .. 'rev', integer(count))
  local revision = last - count
  local answer, objects, gone, named, unnamed = { 'ok' }, {}, {}, {}, {}
  for index, write in ipairs(request.writes) do
    if write.k == 'check' then
      table.insert(answer, integer(write.e))
    else
      revision = revision + 1
      local text = integer(revision)
      local log, entry = prefix .. 'log', text .. '-0'
      local traceparent = write.tp or request.traceparent
      if write.k == 'put' then
        local bytes = args[first + index - 1]
        objects[#objects + 1] = prefix .. 'o:' .. write.u
        objects[#objects + 1] = write.t .. ' ' .. text .. '\n' .. bytes
        if write.e == 0 then
          local members = list_of(named, write.t)
          members[#members + 1] = '0'
          members[#members + 1] = write.n .. '\0' .. write.u
        end
        redis.call('XADD', log, 'MAXLEN', '~', request.logLength, entry,
          't', write.t, 'u', write.u, 'p', traceparent, 'b', bytes)
      else
        gone[#gone + 1] = prefix .. 'o:' .. write.u
        table.insert(list_of(unnamed, write.t), write.n .. '\0' .. write.u)
        redis.call('XADD', log, 'MAXLEN', '~', request.logLength, entry,
          't', write.t, 'u', write.u, 'p', traceparent)
      end
      table.insert(answer, text)
    end
  end
  call_in_parts(gone, 'DEL')
  call_in_parts(objects, 'MSET')
  for kind, members in pairs(unnamed) do call_in_parts(members, 'ZREM', prefix .. 'n:' .. kind) end
  for kind, members in pairs(named) do call_in_parts(members, 'ZADD', prefix .. 'n:' .. kind) end
  table.insert(answer, integer(last))
  return answer
end

local function apply_dependents(prefix, changes)
  for target, change in pairs(changes) do
    local key, gone, new = prefix .. 'd:' .. target, {}, {}
    for member in pairs(change.gone) do gone[#gone + 1] = member end
    for _, member in ipairs(change.new) do
      new[#new + 1] = '0'
      new[#new + 1] = member
    end
    call_in_parts(gone, 'ZREM', key)
    call_in_parts(new, 'ZADD', key)
  end
end

local function apply_ids(prefix, request)
  for _, claim in ipairs(request.claims) do
    redis.call('ZREM', prefix .. 'i:pending', claim[1] .. '\0' .. claim[2])
  end
  local now = now_ms()
  for _, free in ipairs(request.frees) do free_id(prefix, free[1], free[2], now) end
end

-- One transaction; the bytes of its writes are in args from the place first on.
local function commit_one(prefix, request, args, first)
  local writes = request.writes
  local view = stage(prefix)
  local failure = stage_writes(view, writes) or check_targets(view, writes)
  if failure then return failure end
  local changes = dependent_changes(writes)
  failure = check_held(prefix, writes, changes) or check_claims(prefix, request.claims)
    or check_guards(prefix, request.guards) or check_limits(prefix, request.limits)
  if failure then return failure end
  local answer = apply_writes(prefix, request, args, first)
  apply_dependents(prefix, changes)
  apply_ids(prefix, request)
  return answer
end

local function commit(keys, args)
  local answers, first = {}, 2
  for _, request in ipairs(cjson.decode(args[1])) do
    table.insert(answers, commit_one(keys[1], request, args, first))
    first = first + #request.writes
  end
  return answers
end
`;
