import { addressToBigInt, tryParseAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type {
  IpamSubnetType,
  NetworkIpam,
  VirtualNetwork,
} from '@contrail/proto-gen/config/v1/resources';
import { tryToPrefix } from '@contrail/resource-model';
import type { PoolSubnet } from '@contrail/store';

/** A subnet and the object in which it is declared, for errors and metrics. */
export interface NetworkSubnet {
  readonly subnet: PoolSubnet;
  /** `NetworkIpam/default-domain:default-project:k8s-pod-ipam`. */
  readonly owner: string;
}

/**
 * Subnets of a network in the order in which they are used: its own (user-defined) ones and those of its
 * flat-subnet IPAMs, as its allocation mode says. Empty for ip-fabric, whose addresses are the underlay's.
 *
 * @param ipams by uuid; a reference to an absent one counts nothing.
 */
export function subnetsOfNetwork(
  network: VirtualNetwork,
  ipams: ReadonlyMap<string, NetworkIpam>,
): NetworkSubnet[] {
  const own = `VirtualNetwork/${network.meta?.fqName.join(':') ?? ''}`;
  const userDefined = network.networkIpamRefs.flatMap(({ attr }) =>
    (attr?.ipamSubnets ?? []).flatMap((subnet) => toNetworkSubnet(subnet, own)),
  );
  const flat = network.networkIpamRefs.flatMap(({ uuid }) => {
    const ipam = ipams.get(uuid);
    return ipam === undefined ? [] : subnetsOfIpam(ipam);
  });
  switch (network.addressAllocationMode) {
    case 'user-defined-subnet-only':
      return userDefined;
    case 'flat-subnet-only':
      return flat;
    case 'flat-subnet-preferred':
      return [...flat, ...userDefined];
    default:
      return [...userDefined, ...flat];
  }
}

/** Subnets that a flat-subnet IPAM gives to every network that refers to it. */
export function subnetsOfIpam(ipam: NetworkIpam): NetworkSubnet[] {
  if (ipam.ipamSubnetMethod !== 'flat-subnet') return [];
  const owner = `NetworkIpam/${ipam.meta?.fqName.join(':') ?? ''}`;
  return (ipam.ipamSubnets?.subnets ?? []).flatMap((subnet) => toNetworkSubnet(subnet, owner));
}

/** Nothing for an entry without prefix: R21 clients repeat flat subnets by identity only. */
function toNetworkSubnet(declared: IpamSubnetType, owner: string): NetworkSubnet[] {
  const prefix = tryToPrefix(declared.subnet);
  if (prefix === undefined || declared.subnetUuid === '') return [];
  const address = (text: string): Address | undefined =>
    text === '' ? undefined : tryParseAddress(text);
  // R21 clients write 0.0.0.0 for a subnet without gateway.
  const service = (text: string): Address | undefined => {
    const parsed = address(text);
    return parsed === undefined || addressToBigInt(parsed) === 0n ? undefined : parsed;
  };
  const pools = declared.allocationPools.flatMap(({ start, end }) => {
    const [from, to] = [address(start), address(end)];
    return from === undefined || to === undefined ? [] : [{ start: from, end: to }];
  });
  const exclusions = declared.exclusions.flatMap((exclusion) => tryToPrefix(exclusion) ?? []);
  const subnet: PoolSubnet = {
    uuid: declared.subnetUuid,
    prefix,
    gateway: service(declared.defaultGateway),
    dns: service(declared.dnsServerAddress),
    fromStart: declared.addrFromStart === true,
    pools,
    exclusions,
    unit: declared.allocUnit,
  };
  return [{ subnet, owner }];
}
