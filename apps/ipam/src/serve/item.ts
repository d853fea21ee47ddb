import { ContrailError } from '@contrail/errors';
import {
  addressEquals,
  addressFromBigInt,
  addressToBigInt,
  formatAddress,
  formatPrefix,
  lastAddress,
  networkAddress,
  prefixContains,
} from '@contrail/net';
import type { AllocateItem } from '@contrail/proto-gen/ipam/v1/messages';
import { isUuid } from '@contrail/resource-model';
import type { AllocationItem } from '@contrail/store';
import type { NetworkSubnet } from '../translate/network-subnets';
import { ownerTypes } from '../watch/config-objects';
import type { NetworkPool } from '../watch/config-objects';
import type { KnownNetwork } from '../watch/network-cache';

const descriptionLengthMax = 256;

/** How the asker is named in errors and lists. */
export function askerOf({
  description,
  ownerUuid,
}: Pick<AllocateItem, 'description' | 'ownerUuid'>): string {
  return description === '' ? ownerUuid : description;
}

/** @throws ContrailError INVALID_ARGUMENT for an item that no network could satisfy. */
export function checkItem(item: AllocateItem): void {
  const asker = askerOf(item);
  const fail = (text: string): never => {
    throw new ContrailError('INVALID_ARGUMENT', `${asker} ${text}`);
  };
  const fromPool = item.poolUuid !== '';
  if (fromPool && !isUuid(item.poolUuid))
    fail(`pool_uuid: is "${item.poolUuid}", but it must be a lower-case UUID`);
  if (!isUuid(item.virtualNetworkUuid) && !(fromPool && item.virtualNetworkUuid === ''))
    fail(`virtual_network_uuid: is "${item.virtualNetworkUuid}", but it must be a lower-case UUID`);
  if (!isUuid(item.ownerUuid))
    fail(`owner_uuid: is "${item.ownerUuid}", but it must be a lower-case UUID`);
  if (item.ownerType !== '' && !ownerTypes.includes(item.ownerType))
    fail(
      `owner_type: is "${item.ownerType}", but it must be one of ${ownerTypes.join(', ')}, or empty`,
    );
  if (![0, 4, 6].includes(item.family)) fail(`family: is ${item.family}, but it must be 4 or 6`);
  if (![0, 4, 16].includes(item.address.length))
    fail(`address: has ${item.address.length} bytes, but it must have 4 or 16`);
  if (item.description.length > descriptionLengthMax) {
    fail(
      `description: has ${item.description.length} characters, but at most ${descriptionLengthMax} are allowed`,
    );
  }
}

/** Where an item looks for its address. */
export interface ItemScope {
  readonly network: KnownNetwork;
  /** The FloatingIpPool or AliasIpPool that was named; undefined: none. */
  readonly pool: NetworkPool | undefined;
  /** The address was chosen by somebody else and is only recorded. */
  readonly reserved: boolean;
}

/**
 * What the store is asked for.
 * @throws ContrailError INVALID_ARGUMENT, NOT_FOUND when the network has no subnet for the item.
 */
export function toAllocationItem(
  item: AllocateItem,
  { network, pool, reserved }: ItemScope,
): AllocationItem {
  const address = item.address.length === 0 ? undefined : new Uint8Array(item.address);
  const family = address === undefined ? (item.family === 6 ? 6 : 4) : address.length === 4 ? 4 : 6;
  const where = `${askerOf(item)} in VirtualNetwork/${network.name}`;
  const ofPool = pool?.subnetUuids ?? [];
  const candidates = network.subnets.filter(
    ({ subnet }) =>
      subnet.prefix.address.length === (family === 4 ? 4 : 16) &&
      (ofPool.length === 0 || ofPool.includes(subnet.uuid)),
  );
  const chosen = candidates.filter(
    ({ subnet }) => item.subnetUuid === '' || subnet.uuid === item.subnetUuid,
  );
  if (chosen.length === 0) {
    const what =
      item.subnetUuid === ''
        ? `no IPv${family} subnet`
        : `no IPv${family} subnet ${item.subnetUuid}`;
    throw new ContrailError(
      item.subnetUuid === '' ? 'INVALID_ARGUMENT' : 'NOT_FOUND',
      ofPool.length === 0
        ? `${where}: the network has ${what}; add one to its NetworkIpam`
        : `${where}: ${pool?.name ?? ''} has ${what}; add one of the network's to its subnets`,
    );
  }
  const subnets = address === undefined ? chosen : [containing(chosen, address, where)];
  const [first] = subnets;
  if (address !== undefined && first !== undefined) {
    const problem = unitProblem(first, address) ?? (reserved ? undefined : fixedProblem(first, address));
    if (problem !== undefined)
      throw new ContrailError(
        'INVALID_ARGUMENT',
        `${where} address: ${formatAddress(address)} ${problem}`,
      );
  }
  return {
    network: network.uuid,
    owner: item.ownerUuid,
    ownerType: item.ownerType,
    family,
    subnets: subnets.map(({ subnet }) => subnet),
    anySubnet: item.subnetUuid === '' && ofPool.length === 0,
    address,
    reserved,
    // The store separates its fields by NUL.
    description: item.description.replaceAll('\0', ' '),
  };
}

function containing(
  subnets: readonly NetworkSubnet[],
  address: Uint8Array,
  where: string,
): NetworkSubnet {
  const found = subnets.find(({ subnet }) => prefixContains(subnet.prefix, address));
  if (found !== undefined) return found;
  const prefixes = subnets.map(({ subnet }) => formatPrefix(subnet.prefix)).join(', ');
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${where} address: ${formatAddress(address)} is outside the subnets ${prefixes}; choose an address inside`,
  );
}

/** An allocation begins at a multiple of the subnet's unit, or it would overlap its neighbour. */
function unitProblem({ subnet }: NetworkSubnet, address: Uint8Array): string | undefined {
  const unit = BigInt(Math.max(1, subnet.unit));
  const value = addressToBigInt(address);
  if (value % unit === 0n) return undefined;
  const first = formatAddress(addressFromBigInt(value - (value % unit), address.length));
  return `is not the first of the ${unit} addresses of an allocation (alloc_unit); write ${first}`;
}

/**
 * Addresses that nobody gets, asked for or not: R21 answers 400 to a port that asks for the gateway's.
 * Allocation pools bind only those who leave the choice to ipam.
 */
function fixedProblem({ subnet }: NetworkSubnet, address: Uint8Array): string | undefined {
  const { prefix, gateway, dns, exclusions } = subnet;
  const isOne = (other: Uint8Array | undefined): boolean =>
    other !== undefined && addressEquals(other, address);
  const of = `of ${formatPrefix(prefix)}; choose another`;
  if (isOne(gateway)) return `is the gateway address ${of}`;
  if (isOne(dns)) return `is the DNS address ${of}`;
  const isTiny = prefix.length >= address.length * 8 - 1;
  if (!isTiny && isOne(networkAddress(prefix))) return `is the network address ${of}`;
  if (!isTiny && isOne(lastAddress(prefix))) return `is the broadcast address ${of}`;
  const exclusion = exclusions.find((excluded) => prefixContains(excluded, address));
  return exclusion === undefined
    ? undefined
    : `is in the exclusion ${formatPrefix(exclusion)} ${of}`;
}
