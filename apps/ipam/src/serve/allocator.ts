import { ContrailError } from '@contrail/errors';
import type { ErrorCode } from '@contrail/errors';
import { formatAddress } from '@contrail/net';
import type { AllocateItem, AllocateResult, ItemError } from '@contrail/proto-gen/ipam/v1/messages';
import { capacityOf, describeSubnet, layoutOf } from '@contrail/store';
import type { AddressPool, AllocationItem, AllocationOutcome } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import type { NetworkPool } from '../watch/config-objects';
import type { KnownNetwork, NetworkCache } from '../watch/network-cache';
import { askerOf, checkItem, toAllocationItem } from './item';
import { itemsServed } from './metrics';

const log = logger('allocator');
export const itemsMax = 1000;

/** gRPC numbers of the codes that an item can fail with. */
const codeNumbers: Partial<Record<ErrorCode, number>> = {
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  RESOURCE_EXHAUSTED: 8,
};

/** Serves batches of items, each of which stands alone. */
export class Allocator {
  readonly #pool: AddressPool;
  readonly #cache: NetworkCache;

  constructor(pool: AddressPool, cache: NetworkCache) {
    this.#pool = pool;
    this.#cache = cache;
  }

  /**
   * @param reserved the addresses were chosen by somebody else; they are only recorded.
   * @returns results in the order of the items.
   * @throws ContrailError when nothing can be said of any item: UNAVAILABLE, too many items.
   */
  async serve(items: readonly AllocateItem[], reserved: boolean): Promise<AllocateResult[]> {
    checkCount(items.length);
    const method = reserved ? 'Reserve' : 'Allocate';
    const planned = await Promise.all(items.map((item) => this.#plan(item, reserved)));
    const valid = planned.flatMap((plan, index) =>
      plan instanceof ContrailError ? [] : [{ plan, index }],
    );
    const outcomes = await this.#pool.allocate(valid.map(({ plan }) => plan.item));
    const results = new Map<number, AllocateResult>();
    for (const [i, { plan, index }] of valid.entries()) {
      const outcome = outcomes[i] ?? { kind: 'exhausted' };
      const result =
        outcome.kind === 'allocated'
          ? toResult(outcome)
          : failed(await this.#explain(plan, outcome), method);
      results.set(index, result);
      if (outcome.kind === 'allocated') itemsServed.inc({ method, code: 'OK' });
    }
    return planned.map((plan, i) =>
      plan instanceof ContrailError ? failed(plan, method) : (results.get(i) ?? emptyResult()),
    );
  }

  /** What to ask the pool, or why not. @throws ContrailError of another kind than the item's fault */
  async #plan(item: AllocateItem, reserved: boolean): Promise<Plan | ContrailError> {
    try {
      checkItem(item);
      if (reserved && item.address.length === 0) {
        throw new ContrailError(
          'INVALID_ARGUMENT',
          `${askerOf(item)} address: is empty, but Reserve records a given address; set it`,
        );
      }
      const pool = item.poolUuid === '' ? undefined : await this.#cache.getPool(item.poolUuid);
      if (pool !== undefined) checkNetworkOfPool(item, pool);
      const network = await this.#cache.getNetwork(pool?.networkUuid ?? item.virtualNetworkUuid);
      const wanted = toAllocationItem(item, { network, pool, reserved });
      return { item: wanted, network, asker: askerOf(item) };
    } catch (error) {
      if (error instanceof ContrailError && codeNumbers[error.code] !== undefined) return error;
      throw error;
    }
  }

  async #explain(
    { item, network, asker }: Plan,
    outcome: AllocationOutcome,
  ): Promise<ContrailError> {
    const where = `${asker} in VirtualNetwork/${network.name}`;
    if (outcome.kind === 'in-use') {
      const { holder } = outcome;
      return new ContrailError(
        'ALREADY_EXISTS',
        `${where} address: ${item.address === undefined ? '' : formatAddress(item.address)} is already in use by ` +
          `${askerOf({ description: holder.description, ownerUuid: holder.owner })}; choose another or release it`,
      );
    }
    const usages = await this.#pool.usage(item.subnets.map(({ uuid }) => uuid));
    const details = item.subnets.map((subnet, i) => {
      const { allocated, quarantined } = usages[i] ?? { allocated: 0, quarantined: 0 };
      return `${describeSubnet(subnet)} holds ${allocated} of ${capacityOf(layoutOf(subnet))}, ${quarantined} were just released`;
    });
    const owners = new Set(
      network.subnets
        .filter(({ subnet }) => item.subnets.includes(subnet))
        .map(({ owner }) => owner),
    );
    log.warn('no address left', { network: network.name, asker });
    return new ContrailError(
      'RESOURCE_EXHAUSTED',
      `${where}: no address left: ${details.join('; ')}; add a subnet to ${[...owners].join(' or ')}, or delete what is not needed`,
    );
  }
}

function checkNetworkOfPool(item: AllocateItem, pool: NetworkPool): void {
  const { virtualNetworkUuid: given } = item;
  if (given === '' || given === pool.networkUuid) return;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `${askerOf(item)} virtual_network_uuid: is ${given}, but ${pool.name} belongs to ${pool.networkUuid}; leave it empty`,
  );
}

interface Plan {
  readonly item: AllocationItem;
  readonly network: KnownNetwork;
  readonly asker: string;
}

/** @throws ContrailError INVALID_ARGUMENT */
export function checkCount(count: number): void {
  if (count <= itemsMax) return;
  throw new ContrailError(
    'INVALID_ARGUMENT',
    `items: has ${count} entries, but at most ${itemsMax} are allowed; send several requests`,
  );
}

function toResult({
  subnet,
  address,
}: Extract<AllocationOutcome, { kind: 'allocated' }>): AllocateResult {
  return {
    address: Buffer.from(address),
    prefixLength: subnet.prefix.length,
    gateway: Buffer.from(subnet.gateway ?? []),
    dnsServer: Buffer.from(subnet.dns ?? []),
    subnetUuid: subnet.uuid,
    error: undefined,
  };
}

function failed(error: ContrailError, method: string): AllocateResult {
  itemsServed.inc({ method, code: error.code });
  const item: ItemError = { code: codeNumbers[error.code] ?? 13, message: error.message };
  return { ...emptyResult(), error: item };
}

function emptyResult(): AllocateResult {
  const nothing = Buffer.alloc(0);
  return {
    address: nothing,
    prefixLength: 0,
    gateway: nothing,
    dnsServer: nothing,
    subnetUuid: '',
    error: undefined,
  };
}
