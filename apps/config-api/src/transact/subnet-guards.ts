import { findMessage, metaOf, prefixText, subnetsOf, typeOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { IpamSubnetType, Resource } from '@contrail/proto-gen/config/v1/resources';
import type { SubnetGuard, Write } from '@contrail/store';
import type { TransactionStore } from './transaction-reads';

/** Types of objects that have subnets. */
const holders: readonly ResourceType[] = ['virtual-network', 'network-ipam'];

/**
 * What a transaction must not take away while addresses of it are in use: a subnet (its identity owns the
 * addresses, so another prefix under the same identity counts), its allocation unit, and a network's
 * reference to an IPAM.
 */
export async function subnetGuards(
  store: TransactionStore,
  writes: readonly Write[],
): Promise<SubnetGuard[]> {
  const guards: SubnetGuard[] = [];
  for (const [index, write] of writes.entries()) {
    if (write.kind === 'check' || write.previous === undefined) continue;
    if (!holders.includes(typeOf(write.previous))) continue;
    const next = write.kind === 'put' ? write.resource : undefined;
    const network = metaOf(write.previous).uuid;
    for (const subnet of lostSubnets(write.previous, next)) guards.push({ write: index, subnet });
    const left = next === undefined ? [] : lostIpams(write.previous, next);
    const ipams = left.length === 0 ? [] : await store.getMany(left);
    for (const { subnetUuid: subnet } of ipams.flatMap((ipam) => subnetsOf(ipam)))
      guards.push({ write: index, subnet, network });
  }
  return guards;
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
