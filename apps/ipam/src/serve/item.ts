import { ContrailError } from '@contrail/errors';
import { addressEquals, formatAddress, formatPrefix, prefixContains } from '@contrail/net';
import type { AllocateItem } from '@contrail/proto-gen/ipam/v1/messages';
import { isUuid } from '@contrail/resource-model';
import type { AllocationItem } from '@contrail/store';
import type { NetworkSubnet } from '../translate/network-subnets';
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
  if (!isUuid(item.virtualNetworkUuid))
    fail(`virtual_network_uuid: is "${item.virtualNetworkUuid}", but it must be a lower-case UUID`);
  if (!isUuid(item.ownerUuid))
    fail(`owner_uuid: is "${item.ownerUuid}", but it must be a lower-case UUID`);
  if (![0, 4, 6].includes(item.family)) fail(`family: is ${item.family}, but it must be 4 or 6`);
  if (![0, 4, 16].includes(item.address.length))
    fail(`address: has ${item.address.length} bytes, but it must have 4 or 16`);
  if (item.description.length > descriptionLengthMax) {
    fail(
      `description: has ${item.description.length} characters, but at most ${descriptionLengthMax} are allowed`,
    );
  }
}

/**
 * What the pool is asked for.
 * @throws ContrailError INVALID_ARGUMENT, NOT_FOUND when the network has no subnet for the item.
 */
export function toAllocationItem(
  item: AllocateItem,
  network: KnownNetwork,
  reserved: boolean,
): AllocationItem {
  const address = item.address.length === 0 ? undefined : new Uint8Array(item.address);
  const family = address === undefined ? (item.family === 6 ? 6 : 4) : address.length === 4 ? 4 : 6;
  const where = `${askerOf(item)} in VirtualNetwork/${network.name}`;
  const candidates = network.subnets.filter(
    ({ subnet }) => subnet.prefix.address.length === (family === 4 ? 4 : 16),
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
      `${where}: the network has ${what}; add one to its NetworkIpam`,
    );
  }
  const subnets = address === undefined ? chosen : [containing(chosen, address, where)];
  const [first] = subnets;
  if (address !== undefined && !reserved && first !== undefined)
    checkServiceAddress(first, address, where);
  return {
    network: network.uuid,
    owner: item.ownerUuid,
    family,
    subnets: subnets.map(({ subnet }) => subnet),
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

/** R21 answers 400 to a port that asks for the gateway's address. */
function checkServiceAddress({ subnet }: NetworkSubnet, address: Uint8Array, where: string): void {
  const isGateway = subnet.gateway !== undefined && addressEquals(subnet.gateway, address);
  const isDns = subnet.dns !== undefined && addressEquals(subnet.dns, address);
  if (!isGateway && !isDns) return;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${where} address: ${formatAddress(address)} is the ${isGateway ? 'gateway' : 'DNS'} address of ` +
      `${formatPrefix(subnet.prefix)}; choose another`,
  );
}
