import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { typeNames } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { openServerStream } from '@contrail/rpc';
import type { Session } from '../session';
import { listAll } from './list-all';

/** Every object of some types (none named: of all) at one moment. A user gets lists of what he may see, one after the other. */
export async function readSnapshot(
  session: Session,
  client: ConfigServiceClient,
  types: readonly ResourceType[],
): Promise<Resource[]> {
  if (session.options.token === '') return await watchOnce(client, types, session.signal);
  const found: Resource[] = [];
  for (const type of types.length === 0 ? typeNames : types) found.push(...(await listAll(client, type)));
  return found;
}

async function watchOnce(
  client: ConfigServiceClient,
  types: readonly ResourceType[],
  signal: AbortSignal,
): Promise<Resource[]> {
  const found: Resource[] = [];
  const ending = new AbortController();
  const request = { types: [...types], resume: undefined };
  const stop = AbortSignal.any([signal, ending.signal]);
  for await (const { kind } of openServerStream(client, 'watch', request, { signal: stop })) {
    if (kind?.$case === 'snapshot') found.push(...kind.value.resources);
    if (kind?.$case === 'inSync') break;
  }
  ending.abort();
  return found;
}
