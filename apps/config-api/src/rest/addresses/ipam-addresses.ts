import { randomUUID } from 'node:crypto';
import { ContrailError } from '@contrail/errors';
import { formatAddress, networkAddress, tryParseAddress } from '@contrail/net';
import { metaOf, withFields } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import type { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import { AllocateItem } from '@contrail/proto-gen/ipam/v1/messages';
import type { AllocateResult, Allocation } from '@contrail/proto-gen/ipam/v1/messages';
import { callUnary } from '@contrail/rpc';
import type { ResourceStore } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { RestError } from '../http/rest-error';
import { addressNeedOf } from './address-need';
import type { AddressNeed } from './address-need';
import type { AddressRequest, Addresses, Lease } from './addresses';
import { isGatewayPort } from './gateway-address';

const log = logger('addresses');
/** Tells addresses taken without an object from those of objects. */
const takenDescription = 'virtual-network-ip-alloc';
/** Codes of items, as gRPC numbers them. */
const itemStatus: Readonly<Record<number, number>> = { 3: 400, 5: 400, 6: 409, 8: 400, 9: 409 };

/** Addresses from the service ipam. */
export class IpamAddresses implements Addresses {
  readonly #client: IpamServiceClient;
  readonly #store: ResourceStore;

  constructor(client: IpamServiceClient, store: ResourceStore) {
    this.#client = client;
    this.#store = store;
  }

  async lease(resource: Resource): Promise<Lease> {
    const need = await addressNeedOf(this.#store, resource);
    if (need === undefined || (await isGatewayPort(this.#store, resource)))
      return { resource, cancel: () => Promise.resolve() };
    const [result] = await this.#allocate([toItem(need, metaOf(resource).uuid)]);
    if (result === undefined)
      throw new ContrailError('UNAVAILABLE', 'ipam answered without a result; try again');
    return {
      resource: withFields(resource, fieldsOfResult(need, result)),
      cancel: () => this.#giveBack(need.networkUuid, metaOf(resource).uuid),
    };
  }

  async release(resource: Resource): Promise<void> {
    const need = await addressNeedOf(this.#store, resource).catch(() => undefined);
    if (need !== undefined) await this.#giveBack(need.networkUuid, metaOf(resource).uuid);
  }

  async take(network: Resource, request: AddressRequest): Promise<string[]> {
    const { count, subnetUuid = '', family = 0 } = request;
    const items = Array.from({ length: count }, () =>
      AllocateItem.fromPartial({
        virtualNetworkUuid: metaOf(network).uuid,
        ownerUuid: randomUUID(),
        subnetUuid,
        family,
        description: takenDescription,
      }),
    );
    try {
      return (await this.#allocate(items)).map(({ address }) => formatAddress(address));
    } catch (error) {
      // All or nothing: what was taken before the network was exhausted goes back.
      await this.#release(metaOf(network).uuid, items.map(({ ownerUuid }) => ownerUuid));
      throw error;
    }
  }

  async free(network: Resource, addresses: readonly string[]): Promise<void> {
    const wanted = new Set(addresses.map(canonicalAddress));
    const { uuid } = metaOf(network);
    const held = await this.#held(uuid, wanted);
    const ofObject = held.find(({ description }) => description !== takenDescription);
    if (ofObject !== undefined) {
      throw new ContrailError(
        'FAILED_PRECONDITION',
        `ip_addr: ${formatAddress(ofObject.address)} belongs to ${ofObject.description || ofObject.ownerUuid}; delete that object instead`,
      );
    }
    await this.#release(uuid, held.map(({ ownerUuid }) => ownerUuid));
  }

  async counts(subnetUuids: readonly string[]): Promise<number[]> {
    const { subnets } = await callUnary(this.#client, 'usage', {});
    const counts = new Map(subnets.map(({ subnetUuid, allocated }) => [subnetUuid, Number(allocated)]));
    return subnetUuids.map((uuid) => counts.get(uuid) ?? 0);
  }

  async #allocate(items: AllocateItem[]): Promise<AllocateResult[]> {
    const { results } = await callUnary(this.#client, 'allocate', { items });
    const failed = results.find(({ error }) => error !== undefined);
    if (failed !== undefined) throw itemError(failed);
    return results;
  }

  async #held(network: string, wanted: ReadonlySet<string>): Promise<Allocation[]> {
    const found: Allocation[] = [];
    let pageToken = '';
    do {
      const page = await callUnary(this.#client, 'list', { virtualNetworkUuid: network, pageToken });
      found.push(...page.allocations.filter(({ address }) => wanted.has(formatAddress(address))));
      pageToken = page.nextPageToken;
    } while (pageToken !== '' && found.length < wanted.size);
    return found;
  }

  async #release(network: string, owners: readonly string[]): Promise<void> {
    if (owners.length === 0) return;
    const items = owners.map((ownerUuid) => ({
      virtualNetworkUuid: network,
      ownerUuid,
      address: Buffer.alloc(0),
    }));
    await callUnary(this.#client, 'release', { items });
  }

  /** A failure leaves the address to ipam, which takes it back when it sees that the owner is gone. */
  async #giveBack(network: string, owner: string): Promise<void> {
    await this.#release(network, [owner]).catch((error: unknown) => {
      log.warn('address is not released yet', { network, owner, error });
    });
  }
}

/** An InstanceIp also shows the subnet from which its address is. */
function fieldsOfResult({ addressField, ownerType }: AddressNeed, result: AllocateResult): Record<string, unknown> {
  const { address, prefixLength: length, subnetUuid } = result;
  const own = { [addressField]: formatAddress(address) };
  if (ownerType !== 'instance-ip' || subnetUuid === '') return own;
  const ipPrefix = formatAddress(networkAddress({ address, length }));
  return { ...own, subnetUuid, instanceIpSubnet: { ipPrefix, ipPrefixLen: length } };
}

function toItem(need: AddressNeed, ownerUuid: string): AllocateItem {
  const { networkUuid, poolUuid, ownerType, subnetUuid, family, address, description } = need;
  return AllocateItem.fromPartial({
    virtualNetworkUuid: networkUuid,
    ...{ poolUuid, ownerType, ownerUuid, subnetUuid, family },
    address: address === '' ? Buffer.alloc(0) : Buffer.from(parse(address)),
    description,
  });
}

function parse(address: string): Uint8Array {
  const bytes = tryParseAddress(address);
  if (bytes !== undefined) return bytes;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `ip_addr: is ${JSON.stringify(address.slice(0, 60))}, but it must be an IP address such as 192.0.2.1`,
  );
}

function canonicalAddress(address: string): string {
  return formatAddress(parse(address));
}

function itemError({ error }: AllocateResult): RestError {
  return new RestError(itemStatus[error?.code ?? 0] ?? 503, error?.message ?? 'ipam failed; try again');
}
