import { findMessage, metaOf, prefixText, subnetsOf } from '@contrail/resource-model';
import type { IpamSubnetType, Resource } from '@contrail/proto-gen/config/v1/resources';
import type { SubnetGuard, Write } from '@contrail/store';
import type { TransactionStore } from './transaction-reads';

/**
 * What a transaction must not take away while addresses of it are in use: a subnet (its identity owns the
 * addresses, so another prefix under the same identity counts), its allocation unit, and a network's
 * reference to an IPAM.
 */
export async function subnetGuards(
  store: TransactionStore,
  writes: readonly Write[],
): Promise<SubnetGuard[]> {
  const guards = await Promise.all(
    writes.map(async (write, index) => {
      if (write.kind === 'check' || write.previous === undefined) return [];
      const next = write.kind === 'put' ? write.resource : undefined;
      const network = metaOf(write.previous).uuid;
      const lost = lostSubnets(write.previous, next).map((subnet) => ({ write: index, subnet }));
      const left = next === undefined ? [] : lostIpams(write.previous, next);
      const ipams = left.length === 0 ? [] : await store.getMany(left);
      const ofIpams = ipams.flatMap((ipam) =>
        subnetsOf(ipam).map(({ subnetUuid }) => ({ write: index, subnet: subnetUuid, network })),
      );
      return [...lost, ...ofIpams];
    }),
  );
  return guards.flat();
}

/** The text of the prefix of a subnet that an object defines; '' when it does not. */
export function prefixOfSubnet(resource: Resource | undefined, subnetUuid: string): string {
  const subnet = subnetsOf(resource).find((other) => other.subnetUuid === subnetUuid);
  return subnet === undefined ? '' : prefixText(subnet);
}

function lostSubnets(previous: Resource, next: Resource | undefined): string[] {
  const kept = new Set(subnetsOf(next).map(contentKey));
  return subnetsOf(previous)
    .filter((subnet) => subnet.subnetUuid !== '' && !kept.has(contentKey(subnet)))
    .map(({ subnetUuid }) => subnetUuid);
}

function contentKey(subnet: IpamSubnetType): string {
  return `${subnet.subnetUuid} ${prefixText(subnet)} ${subnet.allocUnit || 1}`;
}

/** IPAMs to which a network refers no more. */
function lostIpams(previous: Resource, next: Resource): string[] {
  const uuids = (resource: Resource): string[] =>
    findMessage('virtual-network', resource)?.networkIpamRefs.map(({ uuid }) => uuid) ?? [];
  const kept = new Set(uuids(next));
  return uuids(previous).filter((uuid) => !kept.has(uuid));
}
