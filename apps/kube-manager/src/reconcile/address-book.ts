import { ContrailError } from '@contrail/errors';
import type { ErrorCode } from '@contrail/errors';
import type { Address } from '@contrail/net';
import type { IpamServiceClient } from '@contrail/proto-gen/ipam/v1/ipam_service';
import type {
  AllocateItem,
  AllocateResult,
  ItemError,
  ReleaseItem,
} from '@contrail/proto-gen/ipam/v1/messages';
import { callUnary } from '@contrail/rpc';
import type { IpFamily } from '../translate/cluster';
import type { AllocatedAddress } from '../translate/pod';
import { Batcher } from './batcher';

export interface AddressRequest {
  readonly networkUuid: string;
  /** The InstanceIp or AliasIp; asking again for the same owner gives the same address. */
  readonly ownerUuid: string;
  /** Key of the root object, for lists and errors. */
  readonly description: string;
  /** Absent: `instance-ip`. */
  readonly ownerType?: 'alias-ip';
}

const batchMax = 200;
const callsAtOnce = 4;
const deadlineMs = 5_000;
/** ipam takes no longer description; a longer key is cut. */
const descriptionLengthMax = 256;

/** Addresses from ipam; calls that wait for one another share a call. */
export class AddressBook {
  private readonly allocations: Batcher<AllocateItem, AllocateResult>;
  private readonly reservations: Batcher<AllocateItem, AllocateResult>;
  private readonly releases: Batcher<ReleaseItem, true>;

  constructor(client: IpamServiceClient) {
    const options = { concurrency: callsAtOnce, weightMax: batchMax };
    this.allocations = new Batcher({
      ...options,
      send: async (items) => (await callUnary(client, 'allocate', { items: [...items] }, { deadlineMs })).results,
    });
    this.reservations = new Batcher({
      ...options,
      send: async (items) => (await callUnary(client, 'reserve', { items: [...items] }, { deadlineMs })).results,
    });
    this.releases = new Batcher({
      ...options,
      send: async (items) => {
        await callUnary(client, 'release', { items: [...items] }, { deadlineMs });
        return items.map(() => true as const);
      },
    });
  }

  /** @throws ContrailError RESOURCE_EXHAUSTED when the network has no address left. */
  async allocate(request: AddressRequest, family: IpFamily): Promise<AllocatedAddress> {
    return toAllocated(await this.allocations.add(toItem(request, family, new Uint8Array())), request);
  }

  /**
   * Records an address that Kubernetes chose.
   *
   * @throws ContrailError INVALID_ARGUMENT when no subnet of the network has it, ALREADY_EXISTS when it is another's.
   */
  async reserve(request: AddressRequest, address: Address): Promise<AllocatedAddress> {
    const family = address.length === 4 ? 4 : 6;
    return toAllocated(await this.reservations.add(toItem(request, family, address)), request);
  }

  /** Releasing what is not held succeeds. */
  async release(networkUuid: string, ownerUuid: string, address: Address = new Uint8Array()): Promise<void> {
    await this.releases.add({ virtualNetworkUuid: networkUuid, ownerUuid, address: Buffer.from(address) });
  }
}

function toItem(request: AddressRequest, family: IpFamily, address: Address): AllocateItem {
  return {
    virtualNetworkUuid: request.networkUuid,
    ownerUuid: request.ownerUuid,
    subnetUuid: '',
    family,
    address: Buffer.from(address),
    description: request.description.slice(0, descriptionLengthMax),
    poolUuid: '',
    ownerType: request.ownerType ?? 'instance-ip',
  };
}

function toAllocated(result: AllocateResult, request: AddressRequest): AllocatedAddress {
  if (result.error !== undefined) {
    const { message } = result.error;
    const text = message.startsWith(request.description) ? message : `${request.description}: ${message}`;
    throw new ContrailError(codeOf(result.error), text);
  }
  return { address: result.address, subnetUuid: result.subnetUuid };
}

function codeOf({ code }: ItemError): ErrorCode {
  const codes: Record<number, ErrorCode> = {
    3: 'INVALID_ARGUMENT',
    5: 'NOT_FOUND',
    6: 'ALREADY_EXISTS',
    8: 'RESOURCE_EXHAUSTED',
    9: 'FAILED_PRECONDITION',
    11: 'OUT_OF_RANGE',
  };
  return codes[code] ?? 'UNAVAILABLE';
}
