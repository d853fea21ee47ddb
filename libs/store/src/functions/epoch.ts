/**
 * Lua of the epoch: a random id that lives as long as this server process holds its data. A server that
 * was restarted, replaced or emptied, or whose revision went back, may have lost acknowledged writes, so
 * it gets a new one.
 * args: run id of the server, candidate for a new epoch, epoch and revision that the caller saw last
 * ('' and 0 for none). Answer: epoch, revision.
 */
export const epochLua = String.raw`
local function epoch(keys, args)
  local prefix = keys[1]
  local key = prefix .. 'epoch'
  local stored = redis.call('HMGET', key, 'epoch', 'run')
  local revision = redis.call('GET', prefix .. 'rev') or '0'
  local went_back = stored[1] == args[3] and tonumber(revision) < tonumber(args[4])
  if stored[2] ~= args[1] or went_back then
    redis.call('HSET', key, 'epoch', args[2], 'run', args[1])
    stored[1] = args[2]
  end
  return { stored[1], revision }
end
`;
