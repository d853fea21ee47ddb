import { formatAddress, formatPrefix, prefixContains, prefixesOverlap } from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';
import type { NetworkIpam, VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import { shareScope, tryToPrefix } from '@contrail/resource-model';
import type { Cluster, IpFamily } from './cluster';

/** Bit of perms2 that allows to refer to an object. */
const useAccess = 1;

/** A project with the domain that contains it. */
export interface ProjectPlace {
  readonly uuid: string;
  readonly domainUuid: string;
}

/** Whether a namespace may put its pods on a network: its own project's, shared with everybody, with that project or its domain. */
export function mayUse(network: VirtualNetwork, project: ProjectPlace): boolean {
  const { meta } = network;
  if (meta?.parentUuid === project.uuid || network.isShared === true) return true;
  const perms = meta?.perms2;
  if (perms === undefined) return false;
  if ((perms.globalAccess & useAccess) !== 0) return true;
  return perms.share.some(({ tenant, tenantAccess }) => {
    const { kind, uuid } = shareScope(tenant);
    return (tenantAccess & useAccess) !== 0 && uuid === (kind === 'domain' ? project.domainUuid : project.uuid);
  });
}

/** Subnets of a network: its own, and those of its flat-subnet IPAMs. @param findIpam undefined: not known. */
export function prefixesOf(network: VirtualNetwork, findIpam: (uuid: string) => NetworkIpam | undefined): Prefix[] {
  return network.networkIpamRefs
    .flatMap(({ uuid, attr }) => [...(attr?.ipamSubnets ?? []), ...(findIpam(uuid)?.ipamSubnets?.subnets ?? [])])
    .flatMap(({ subnet }) => tryToPrefix(subnet) ?? []);
}

export function familiesIn(prefixes: readonly Prefix[]): IpFamily[] {
  const families: readonly IpFamily[] = [4, 6];
  return families.filter((family) => prefixes.some(({ address }) => address.length === (family === 4 ? 4 : 16)));
}

/**
 * Why pods cannot live in a subnet: cluster IPs and nodes are reached from every network, so their addresses are taken.
 *
 * @param nodes underlay addresses.
 * @returns undefined when there is no conflict.
 */
export function conflictOf(prefixes: readonly Prefix[], cluster: Cluster, nodes: readonly Address[]): string | undefined {
  const sameFamily = (a: Prefix, b: Prefix): boolean => a.address.length === b.address.length;
  for (const prefix of prefixes) {
    const services = cluster.serviceSubnets.find((other) => sameFamily(prefix, other) && prefixesOverlap(prefix, other));
    if (services !== undefined) {
      return `its subnet ${formatPrefix(prefix)} overlaps ${formatPrefix(services)}, the range of cluster IPs`;
    }
    const underlay = cluster.ipFabricSubnets.find((other) => sameFamily(prefix, other) && prefixesOverlap(prefix, other));
    if (underlay !== undefined) return `its subnet ${formatPrefix(prefix)} overlaps ${formatPrefix(underlay)}, a range of the underlay`;
    const node = nodes.find((address) => address.length === prefix.address.length && prefixContains(prefix, address));
    if (node !== undefined) return `its subnet ${formatPrefix(prefix)} contains ${formatAddress(node)}, the address of a node`;
  }
  return undefined;
}
