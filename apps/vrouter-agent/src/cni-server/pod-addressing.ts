import type { Interface, InterfaceAddress } from '@contrail/proto-gen/control/v1/messages';
import { formatPrefix, networkAddress, prefixContains } from '@contrail/net';
import type { Prefix } from '@contrail/net';
import type { SourceRoute } from '../datapath/port';

const families = [4, 16] as const;
type Family = (typeof families)[number];

/** Gateway of the family's first address that has one; that of the pod's own network before an alias's. */
export function gatewayOf(vmi: Interface, byteLength: Family): Uint8Array | undefined {
  return ownFirst(vmi.addresses).map(({ gateway }) => gateway).find((gateway) => gateway.length === byteLength);
}

/** In the order in which they are configured: an alias is never the primary one. */
export function ownFirst(addresses: readonly InterfaceAddress[]): InterfaceAddress[] {
  return [...addresses].sort((a, b) => Number(a.alias) - Number(b.alias));
}

/**
 * In the order in which CNI results name them. The kubelet makes the first one status.podIP, and that
 * must be an address which means one pod in the whole cluster.
 */
export function aliasFirst(addresses: readonly InterfaceAddress[]): InterfaceAddress[] {
  return [...addresses].sort((a, b) => Number(b.alias) - Number(a.alias));
}

/**
 * With an alias address a pod has two sources: its own towards its own network, whose ends know each
 * other by it, and the alias towards everything else. Empty without alias.
 */
export function sourceRoutesOf(vmi: Interface): SourceRoute[] {
  return families.flatMap((byteLength) => {
    const ofFamily = vmi.addresses.filter(({ address }) => address.length === byteLength);
    const alias = ofFamily.find((each) => each.alias);
    if (alias === undefined) return [];
    const anywhere = { prefix: { address: new Uint8Array(byteLength), length: 0 }, source: alias.address };
    return [anywhere, ...ownNetwork(vmi, ofFamily.filter((each) => !each.alias))];
  });
}

/** Each subnet of the network from the address that lies in it, subnets without one from the first. */
function ownNetwork({ networkPrefixes }: Interface, own: readonly InterfaceAddress[]): SourceRoute[] {
  const [first] = own;
  if (first === undefined) return [];
  const ofAddresses = own.map(({ address, prefixLength: length }) => ({ address, length }));
  const subnets = [...ofAddresses, ...networkPrefixes]
    .filter((prefix) => prefix.address.length === first.address.length && isSubnet(prefix))
    .map((prefix) => ({ address: networkAddress(prefix), length: prefix.length }));
  const unique = new Map(subnets.map((prefix) => [formatPrefix(prefix), prefix]));
  return [...unique.values()].map((prefix) => {
    const inside = own.find(({ address }) => prefixContains(prefix, address)) ?? first;
    return { prefix, source: inside.address };
  });
}

/** Not when control does not know the subnet, or the address is all of it. */
function isSubnet({ address, length }: Prefix): boolean {
  return length > 0 && length < address.length * 8;
}
