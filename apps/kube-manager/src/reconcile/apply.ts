import { tryParseAddress } from '@contrail/net';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { InstanceIp, Resource } from '@contrail/proto-gen/config/v1/resources';
import { diffByKey } from '@contrail/reconcile';
import { findMessage, metaOf, typeOf } from '@contrail/resource-model';
import { podNetwork } from '../translate/cluster';
import { dependencyRank } from '../translate/dependency-order';
import { isStored, mergeOwned } from '../translate/merge-owned';
import { addressNetworkOf } from './address-network';
import type { Workplace } from './workplace';

/**
 * Makes the objects of one root object what they should be: removals first, children before parents, then
 * upserts in dependency order, all in one transaction. Addresses of what is gone are released afterwards.
 *
 * @param desired everything that the root object should have; objects of others may be among them, then only
 *   our fields of them are written.
 */
export async function apply(work: Workplace, root: string, desired: readonly Resource[]): Promise<void> {
  const actual = work.cache.ofRoot(root);
  const wanted = new Map<string, Resource>();
  for (const resource of desired) {
    const { uuid } = metaOf(resource);
    const stored = actual.get(uuid) ?? work.cache.get(uuid);
    if (stored !== undefined) actual.set(uuid, stored);
    wanted.set(uuid, stored === undefined ? resource : mergeOwned(resource, stored));
  }
  const { upserts, removals } = diffByKey(wanted, actual, isStored);
  const operations = [
    ...inOrder(removals, -1).map(toDelete),
    ...inOrder(upserts, 1).map((resource) => toWrite(resource, actual.get(metaOf(resource).uuid))),
  ];
  if (operations.length === 0) return;
  // Read before: the network of an address may be gone by then, too.
  const left = leftAddresses(work, removals, { upserts, actual });
  await work.writer.write(operations);
  await Promise.all(left.map((address) => release(work, address)));
}

function inOrder(resources: readonly Resource[], direction: 1 | -1): Resource[] {
  return [...resources].sort((a, b) => direction * (dependencyRank(typeOf(a)) - dependencyRank(typeOf(b))));
}

function toDelete(resource: Resource): Operation {
  const key = { uuid: metaOf(resource).uuid, type: typeOf(resource), fqName: [] };
  return { kind: { $case: 'delete', value: { key, expectedRevision: 0n } } };
}

/** A new object is an upsert, so that a retry meets its own work; a known one must be as we read it. */
function toWrite(resource: Resource, stored: Resource | undefined): Operation {
  if (stored === undefined) return { kind: { $case: 'upsert', value: { resource } } };
  const expectedRevision = metaOf(stored).revision;
  return { kind: { $case: 'update', value: { resource, updateMask: undefined, expectedRevision } } };
}

/** An address with its owner, as ipam knows both. */
interface LeftAddress {
  readonly networkUuid: string;
  readonly ownerUuid: string;
  readonly address: string;
}

/** Addresses of removed InstanceIps and AliasIps, and those that an InstanceIp no longer has. */
function leftAddresses(
  work: Workplace,
  removals: readonly Resource[],
  changes: { readonly upserts: readonly Resource[]; readonly actual: ReadonlyMap<string, Resource> },
): LeftAddress[] {
  const moved = changes.upserts.flatMap((resource) => {
    const now = findMessage('instance-ip', resource);
    const stored = now === undefined ? undefined : changes.actual.get(metaOf(resource).uuid);
    const before = stored === undefined ? undefined : findMessage('instance-ip', stored);
    return before !== undefined && before.instanceIpAddress !== now?.instanceIpAddress ? [before] : [];
  });
  const gone = removals.flatMap((resource) => findMessage('instance-ip', resource) ?? []);
  const aliases = removals.flatMap((resource) => findMessage('alias-ip', resource) ?? []);
  return [
    ...[...gone, ...moved].flatMap((instanceIp) => ownAddress(work, instanceIp)),
    ...aliases.map(({ meta, aliasIpAddress }) => ({
      networkUuid: podNetwork(work.cluster).uuid,
      ownerUuid: meta?.uuid ?? '',
      address: aliasIpAddress,
    })),
  ];
}

function ownAddress(work: Workplace, { meta, virtualNetworkRefs: [network], instanceIpAddress }: InstanceIp): LeftAddress[] {
  if (network === undefined || meta === undefined) return [];
  return [{ networkUuid: addressNetworkOf(work, network.uuid), ownerUuid: meta.uuid, address: instanceIpAddress }];
}

async function release(work: Workplace, { networkUuid, ownerUuid, address }: LeftAddress): Promise<void> {
  try {
    await work.addresses.release(networkUuid, ownerUuid, tryParseAddress(address));
  } catch (error) {
    // The object is gone already; ipam takes back what has no object.
    work.log.warn('an address could not be released; ipam takes it back later', { owner: ownerUuid, error });
  }
}
