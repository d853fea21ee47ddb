import { prefixContains, tryParseAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { IpamSubnetType } from '@contrail/proto-gen/config/v1/resources';
import { defaultServiceAddresses, tryToPrefix } from '@contrail/resource-model';
import type { Subnet } from './model-object';

/** Fills in the addresses that are not written down, by R21's rule. @returns undefined for what is no prefix. */
export function toSubnet(subnet: IpamSubnetType): Subnet | undefined {
  const prefix = tryToPrefix(subnet.subnet);
  if (prefix === undefined) return undefined;
  const defaults = defaultServiceAddresses(prefix, subnet.addrFromStart === true);
  return {
    prefix,
    gateway: tryParseAddress(subnet.defaultGateway) ?? defaults.gateway,
    dnsServer: tryParseAddress(subnet.dnsServerAddress) ?? defaults.dns,
  };
}

/** The first subnet that has the address. */
export function findSubnet(subnets: readonly Subnet[], address: Address): Subnet | undefined {
  return subnets.find(({ prefix }) => prefixContains(prefix, address));
}
