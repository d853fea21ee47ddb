import type { ConfigServiceClient } from '@contrail/proto-gen/config/v1/config_service';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { ResourceType } from '@contrail/resource-model';
import { openServerStream } from '@contrail/rpc';

/** Every object of some types (none named: of all) at one moment. */
export async function readSnapshot(
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
