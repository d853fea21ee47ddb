import {
  addressFromBigInt,
  addressToBigInt,
  formatAddress,
  formatPrefix,
  lastAddress,
  networkAddress,
  parseAddress,
  prefixContains,
  prefixesOverlap,
  tryParseAddress,
} from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';
import type { IpamSubnetType, Resource, SubnetType } from '@contrail/proto-gen/config/v1/resources';
import { impliedUuid } from './identity';

/** Prefix of a SubnetType; undefined when its text or length is no prefix. Host bits are cleared. */
export function tryToPrefix(subnet: SubnetType | undefined): Prefix | undefined {
  const address = subnet && tryParseAddress(subnet.ipPrefix);
  if (address === undefined || subnet === undefined || subnet.ipPrefixLen > address.length * 8)
    return undefined;
  const length = subnet.ipPrefixLen;
  return { address: networkAddress({ address, length }), length };
}

/** Addresses of the network itself that a subnet has by default; undefined where the subnet is too small. */
export interface ServiceAddresses {
  readonly gateway: Address | undefined;
  readonly dns: Address | undefined;
}

/**
 * Gateway and DNS address by R21's rule: counted from the top (last address minus 1, minus 2) or, with
 * addr_from_start, from the bottom (first plus 1, plus 2). A subnet of one or two addresses has neither.
 */
export function defaultServiceAddresses(prefix: Prefix, fromStart: boolean): ServiceAddresses {
  const bytes = prefix.address.length;
  const hostBits = bytes * 8 - prefix.length;
  if (hostBits < 2) return { gateway: undefined, dns: undefined };
  const edge = addressToBigInt(fromStart ? networkAddress(prefix) : lastAddress(prefix));
  const step = fromStart ? 1n : -1n;
  return {
    gateway: addressFromBigInt(edge + step, bytes),
    dns: addressFromBigInt(edge + 2n * step, bytes),
  };
}

/** Whose subnets these are: a NetworkIpam, or the VirtualNetwork of user-defined subnets. */
export interface SubnetOwner {
  readonly uuid: string;
  /** The subnets that it has now. */
  readonly stored: readonly IpamSubnetType[];
}

/** All subnets that an object itself defines: of a flat-subnet IPAM, or of a network. */
export function subnetsOf(resource: Resource | undefined): readonly IpamSubnetType[] {
  const kind = resource?.kind;
  switch (kind?.$case) {
    case 'networkIpam':
      return kind.value.ipamSubnets?.subnets ?? [];
    case 'virtualNetwork':
      return kind.value.networkIpamRefs
        .flatMap(({ attr }) => attr?.ipamSubnets ?? [])
        .filter(({ subnet }) => subnet !== undefined);
    default:
      return [];
  }
}

/** Text of a subnet's prefix, the same for every way to write it; '' when it is none. */
export function prefixText(subnet: IpamSubnetType): string {
  const prefix = tryToPrefix(subnet.subnet);
  return prefix === undefined ? '' : formatPrefix(prefix);
}

/**
 * A subnet with what R21's API server fills in: identity, gateway, DNS address. Addresses in use belong
 * to the identity, so it stays while the prefix does.
 */
export function completeSubnet(subnet: IpamSubnetType, owner: SubnetOwner): IpamSubnetType {
  const prefix = tryToPrefix(subnet.subnet);
  if (prefix === undefined) return subnet;
  const defaults = defaultServiceAddresses(prefix, subnet.addrFromStart === true);
  const text = formatPrefix(prefix);
  const known = owner.stored.find((other) => prefixText(other) === text)?.subnetUuid;
  return {
    ...subnet,
    subnetUuid: known || subnet.subnetUuid || impliedUuid(owner.uuid, `subnet/${text}`),
    defaultGateway: subnet.defaultGateway || textOf(defaults.gateway),
    dnsServerAddress: subnet.dnsServerAddress || textOf(defaults.dns),
  };
}

function textOf(address: Address | undefined): string {
  return address === undefined ? '' : formatAddress(address);
}

/** What is wrong with a list of subnets of one owner; `path` names the list. */
export function subnetListProblems(subnets: readonly IpamSubnetType[], path: string): string[] {
  const problems = subnets.flatMap((subnet, i) => subnetProblems(subnet, `${path}[${i}]`));
  const prefixes = subnets.map((subnet) => tryToPrefix(subnet.subnet));
  for (const [i, a] of prefixes.entries()) {
    for (const [j, b] of prefixes.slice(0, i).entries()) {
      if (a === undefined || b === undefined || !prefixesOverlap(a, b)) continue;
      problems.push(
        `${path}[${i}].subnet: ${formatPrefix(a)} overlaps ${formatPrefix(b)} of ${path}[${j}]; use disjoint prefixes`,
      );
    }
  }
  return problems;
}

function subnetProblems(subnet: IpamSubnetType, path: string): string[] {
  const prefix = tryToPrefix(subnet.subnet);
  if (prefix === undefined) {
    const { ipPrefix = '', ipPrefixLen = 0 } = subnet.subnet ?? {};
    return [
      `${path}.subnet: is "${ipPrefix}/${ipPrefixLen}", but it must be a prefix such as 10.32.0.0/12`,
    ];
  }
  const problems: string[] = [];
  for (const [i, exclusion] of subnet.exclusions.entries()) {
    const excluded = tryToPrefix(exclusion);
    if (excluded !== undefined && prefixesOverlap(prefix, excluded)) continue;
    problems.push(
      `${path}.exclusions[${i}]: ${exclusion.ipPrefix}/${exclusion.ipPrefixLen} is not a prefix inside ${formatPrefix(prefix)}; remove or correct it`,
    );
  }
  const unit = subnet.allocUnit;
  if (unit !== 0 && (unit & (unit - 1)) !== 0) {
    problems.push(
      `${path}.alloc_unit: is ${unit}, but it must be a power of two; write ${2 ** Math.floor(Math.log2(unit))}`,
    );
  }
  return problems;
}

/**
 * Gateways, DNS addresses and allocation pools that are no addresses, or lie outside of their subnet. A DNS
 * address may be elsewhere, and a gateway of zeros means none.
 */
export function subnetServiceProblems(subnets: readonly IpamSubnetType[], path: string): string[] {
  return subnets.flatMap((subnet, i) => {
    const prefix = tryToPrefix(subnet.subnet);
    return prefix === undefined ? [] : serviceProblems(prefix, subnet, `${path}[${i}]`);
  });
}

function serviceProblems(prefix: Prefix, subnet: IpamSubnetType, path: string): string[] {
  const problems: string[] = [];
  const check = (field: string, text: string, mustBeInside = true): void => {
    const address = tryParseAddress(text);
    if (address === undefined)
      problems.push(`${path}.${field}: is "${text}", but it must be an address such as ${formatAddress(prefix.address)}`);
    else if (mustBeInside && !prefixContains(prefix, address))
      problems.push(
        `${path}.${field}: ${text} is outside ${formatPrefix(prefix)}; use an address of the subnet`,
      );
  };
  const { defaultGateway, dnsServerAddress } = subnet;
  if (defaultGateway !== '') check('default_gateway', defaultGateway, !isZeros(defaultGateway));
  if (dnsServerAddress !== '') check('dns_server_address', dnsServerAddress, false);
  for (const [i, pool] of subnet.allocationPools.entries()) {
    check(`allocation_pools[${i}].start`, pool.start);
    check(`allocation_pools[${i}].end`, pool.end);
    problems.push(...poolOrderProblems(pool, `${path}.allocation_pools[${i}]`));
  }
  return problems;
}

function isZeros(text: string): boolean {
  return tryParseAddress(text)?.every((byte) => byte === 0) === true;
}

function poolOrderProblems(pool: { start: string; end: string }, path: string): string[] {
  if (tryParseAddress(pool.start) === undefined || tryParseAddress(pool.end) === undefined) return [];
  if (addressToBigInt(parseAddress(pool.start)) <= addressToBigInt(parseAddress(pool.end)))
    return [];
  return [`${path}: start ${pool.start} is after end ${pool.end}; exchange them`];
}
