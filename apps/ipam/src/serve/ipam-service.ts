import { ContrailError } from '@contrail/errors';
import { IpamServiceService } from '@contrail/proto-gen/ipam/v1/ipam_service';
import type {
  Allocation,
  ListRequest,
  ListResponse,
  ReleaseItem,
  SubnetUsage,
} from '@contrail/proto-gen/ipam/v1/messages';
import { isUuid } from '@contrail/resource-model';
import { defineService, serverStream, unary } from '@contrail/rpc';
import type { ServiceSpec } from '@contrail/rpc';
import type { AddressPool, HeldAddress, ReleaseItem as PoolReleaseItem } from '@contrail/store';
import type { NetworkCache } from '../watch/network-cache';
import { Allocator, checkCount } from './allocator';
import { itemsServed } from './metrics';
import type { SpaceMonitor } from './space-monitor';
import { toSubnetUsage } from './subnet-usage';

const writers = ['kube-manager', 'config-api', 'contrailctl'] as const;
const readers = [...writers, 'web-ui'] as const;

export interface IpamParts {
  readonly pool: AddressPool;
  readonly cache: NetworkCache;
  readonly space: SpaceMonitor;
}

/** IpamService: each method with the services that may call it. */
export function ipamService({ pool, cache, space }: IpamParts): ServiceSpec {
  const allocator = new Allocator(pool, cache);
  return defineService(IpamServiceService, {
    allocate: {
      allow: writers,
      handle: unary(async ({ items }) => ({ results: await allocator.serve(items, false) })),
    },
    reserve: {
      allow: writers,
      handle: unary(async ({ items }) => ({ results: await allocator.serve(items, true) })),
    },
    release: {
      allow: writers,
      handle: unary(async ({ items }) => {
        checkCount(items.length);
        const released = await pool.release(items.map(toReleaseItem));
        itemsServed.inc({ method: 'Release', code: 'OK' }, items.length);
        return { released };
      }),
    },
    list: { allow: readers, handle: unary((request) => listAllocations(pool, request)) },
    usage: { allow: readers, handle: unary(async () => ({ subnets: await usageOf(pool, cache) })) },
    watchSpace: { allow: readers, handle: serverStream((_, stream) => space.serve(stream)) },
  });
}

function toReleaseItem(item: ReleaseItem, index: number): PoolReleaseItem {
  const problem = !isUuid(item.virtualNetworkUuid)
    ? `virtual_network_uuid: is "${item.virtualNetworkUuid}", but it must be a lower-case UUID`
    : !isUuid(item.ownerUuid)
      ? `owner_uuid: is "${item.ownerUuid}", but it must be a lower-case UUID`
      : ![0, 4, 16].includes(item.address.length)
        ? `address: has ${item.address.length} bytes, but it must have 4 or 16`
        : undefined;
  if (problem !== undefined)
    throw new ContrailError('INVALID_ARGUMENT', `items[${index}].${problem}`);
  return {
    network: item.virtualNetworkUuid,
    owner: item.ownerUuid,
    address: item.address.length === 0 ? undefined : new Uint8Array(item.address),
  };
}

/** Page tokens are "<network>/<token of the pool>". */
async function listAllocations(pool: AddressPool, request: ListRequest): Promise<ListResponse> {
  const all =
    request.virtualNetworkUuid === '' ? await pool.networks() : [request.virtualNetworkUuid];
  const [current = '', after = ''] =
    request.pageToken === '' ? [all[0] ?? ''] : request.pageToken.split('/');
  if (current === '') return { allocations: [], nextPageToken: '' };
  const { addresses, next } = await pool.list(current, after);
  const following = all.find((network) => network > current);
  const nextPageToken =
    next !== '' ? `${current}/${next}` : following === undefined ? '' : `${following}/`;
  return { allocations: addresses.map(toAllocation), nextPageToken };
}

function toAllocation(held: HeldAddress): Allocation {
  return {
    subnetUuid: held.subnetUuid,
    address: Buffer.from(held.address),
    ownerUuid: held.owner,
    description: held.description,
    allocatedAtMs: held.askedAtMs,
    reserved: held.reserved,
    ownerType: held.ownerType,
  };
}

async function usageOf(pool: AddressPool, cache: NetworkCache): Promise<SubnetUsage[]> {
  const subnets = cache.subnets();
  const usages = await pool.usage(subnets.map(({ subnet }) => subnet.uuid));
  return subnets.map((subnet, i) => toSubnetUsage(subnet, usages[i]));
}
