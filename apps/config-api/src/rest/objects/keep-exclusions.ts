import { findMessage, prefixText, subnetsOf, withFields } from '@contrail/resource-model';
import type { IpamSubnetType, Resource } from '@contrail/proto-gen/config/v1/resources';

/**
 * Subnets that this API writes as a whole, with the exclusions that it does not show: those of a stored subnet
 * stay as long as its prefix does.
 */
export function keepExclusions(stored: Resource, changed: Resource): Resource {
  const known = new Map(
    subnetsOf(stored).flatMap((subnet) =>
      subnet.exclusions.length === 0 ? [] : [[prefixText(subnet), subnet.exclusions]],
    ),
  );
  if (known.size === 0) return changed;
  const keep = (subnets: readonly IpamSubnetType[]): IpamSubnetType[] =>
    subnets.map((subnet) => ({ ...subnet, exclusions: known.get(prefixText(subnet)) ?? subnet.exclusions }));
  const ipam = findMessage('network-ipam', changed);
  if (ipam?.ipamSubnets !== undefined)
    return withFields(changed, { ipamSubnets: { ...ipam.ipamSubnets, subnets: keep(ipam.ipamSubnets.subnets) } });
  const network = findMessage('virtual-network', changed);
  if (network === undefined) return changed;
  const networkIpamRefs = network.networkIpamRefs.map((reference) =>
    reference.attr === undefined
      ? reference
      : { ...reference, attr: { ...reference.attr, ipamSubnets: keep(reference.attr.ipamSubnets) } },
  );
  return withFields(changed, { networkIpamRefs });
}
