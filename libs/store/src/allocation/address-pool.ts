import { ContrailError } from '@contrail/errors';
import { addressKey } from '@contrail/net';
import type { Address } from '@contrail/net';
import { listOf } from '../change-feed';
import { keyPrefix } from '../keys';
import { RedisConnection } from '../redis/connection';
import type { RedisOptions, Reply } from '../redis/connection';
import { candidatesAfter, layoutOf, rangeKeys } from './candidates';
import type { PoolLayout, PoolSubnet } from './candidates';

export interface AllocationItem {
  readonly network: string;
  readonly owner: string;
  readonly family: 4 | 6;
  /** Where to look, in this order; all of the family. With `address`: the one that contains it. */
  readonly subnets: readonly PoolSubnet[];
  /** Exactly this one; undefined: any. */
  readonly address: Address | undefined;
  /** Somebody else chose the address; it is only recorded. */
  readonly reserved: boolean;
  readonly description: string;
}

export interface Holder {
  readonly network: string;
  readonly owner: string;
  readonly reserved: boolean;
  readonly allocatedAtMs: bigint;
  readonly description: string;
}

export type AllocationOutcome =
  | { readonly kind: 'allocated'; readonly subnet: PoolSubnet; readonly address: Address }
  | { readonly kind: 'in-use'; readonly subnet: PoolSubnet; readonly holder: Holder }
  | { readonly kind: 'exhausted' };

export interface HeldAddress extends Holder {
  readonly subnetUuid: string;
  readonly address: Address;
}

export interface PoolUsage {
  readonly allocated: number;
  /** Released a short while ago. */
  readonly quarantined: number;
}

export interface ReleaseItem {
  readonly network: string;
  readonly owner: string;
  /** undefined: every address of the owner in the network. */
  readonly address: Address | undefined;
}

export interface AddressPoolOptions {
  readonly redis: RedisOptions;
  readonly deployment?: string;
  /** How long a released address is given to nobody; default 30 s. */
  readonly quarantineMs?: number;
}

const quarantineMsDefault = 30_000;
/** Released addresses that wait while never-used ones are given; beyond, the oldest goes first. */
const freedMax = 16_384;
const spareCandidates = 16;
const candidatesMax = 4_096;
const roundsMax = 5_000;
const pageSize = 1_000;

/** Addresses and their owners, durable. A batch is one atomic step; its items stand alone. */
export class AddressPool {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #quarantineMs: number;

  constructor(options: AddressPoolOptions) {
    this.#connection = new RedisConnection(options.redis);
    this.#prefix = keyPrefix(options.deployment ?? 'contrail');
    this.#quarantineMs = options.quarantineMs ?? quarantineMsDefault;
  }

  /**
   * Outcomes in the order of the items. An owner that already has an address of the family in one of the
   * item's subnets gets that.
   *
   * @throws ContrailError UNAVAILABLE
   */
  async allocate(items: readonly AllocationItem[]): Promise<AllocationOutcome[]> {
    const outcomes = new Map<number, AllocationOutcome>();
    let pending = [...items.entries()];
    for (let round = 0; pending.length > 0; round += 1) {
      if (round === roundsMax)
        throw new ContrailError('INTERNAL', 'address allocation does not come to an end');
      const batch = new Batch(pending.map(([, item]) => item));
      await this.#readPositions(batch);
      const request = batch.request({ round, quarantineMs: this.#quarantineMs });
      const reply = listOf(
        await this.#connection.call('allocate', this.#prefix, [JSON.stringify(request)]),
      );
      const again: typeof pending = [];
      for (const [i, entry] of pending.entries()) {
        const outcome = batch.decode(listOf(reply[i]));
        if (outcome === 'more') again.push(entry);
        else outcomes.set(entry[0], outcome);
      }
      pending = again;
    }
    return items.map((_, i) => outcomes.get(i) ?? { kind: 'exhausted' });
  }

  /** @returns how many addresses were released; what is not held counts nothing. */
  async release(items: readonly ReleaseItem[]): Promise<number> {
    const request = items.map(({ network, owner, address }) => ({
      network,
      owner,
      ...(address === undefined ? {} : { address: addressKey(address) }),
    }));
    return Number(await this.#connection.call('release', this.#prefix, [JSON.stringify(request)]));
  }

  async usage(subnetUuids: readonly string[]): Promise<PoolUsage[]> {
    const since = `(${Date.now() - this.#quarantineMs}`;
    return await Promise.all(
      subnetUuids.map(async (uuid) => {
        const [allocated, quarantined] = await Promise.all([
          this.#connection.command(['HLEN', `${this.#prefix}a:held:${uuid}`]),
          this.#connection.command(['ZCOUNT', `${this.#prefix}a:freed:${uuid}`, since, '+inf']),
        ]);
        return { allocated: Number(allocated), quarantined: Number(quarantined) };
      }),
    );
  }

  /** Networks that hold addresses, sorted. */
  async networks(): Promise<string[]> {
    const members = await this.#connection.command(['SMEMBERS', `${this.#prefix}a:networks`]);
    return listOf(members).map(String).sort();
  }

  /** Addresses of a network by owner. @param after opaque, of the page before; '' for the first. */
  async list(network: string, after: string): Promise<{ addresses: HeldAddress[]; next: string }> {
    const key = `${this.#prefix}a:owners:${network}`;
    const from = after === '' ? '-' : `(${Buffer.from(after, 'base64url').toString('utf8')}`;
    const reply = await this.#connection.command([
      'ZRANGEBYLEX',
      key,
      from,
      '+',
      'LIMIT',
      '0',
      String(pageSize),
    ]);
    const members = listOf(reply).map(String);
    const addresses = await Promise.all(members.map((member) => this.#read(member)));
    const last = members.length === pageSize ? members.at(-1) : undefined;
    return {
      addresses: addresses.filter((address) => address !== undefined),
      next: last === undefined ? '' : Buffer.from(last, 'utf8').toString('base64url'),
    };
  }

  /** What keeps the store from being used, in sentences. */
  async problems(): Promise<string[]> {
    try {
      await this.#connection.command([
        'SET',
        `${this.#prefix}probe`,
        String(Date.now()),
        'PX',
        '60000',
      ]);
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  async #readPositions(batch: Batch): Promise<void> {
    await Promise.all(
      batch.subnets.map(async (entry) => {
        const key = `${this.#prefix}a:next:${entry.subnet.uuid}`;
        const [definition, position] = listOf(
          await this.#connection.command(['HMGET', key, 'definition', 'position']),
        );
        if (String(definition) === entry.layout.definition) entry.position = String(position);
      }),
    );
  }

  async #read(member: string): Promise<HeldAddress | undefined> {
    const [, , subnetUuid = '', address = ''] = member.split('\0');
    const holder = await this.#connection.command([
      'HGET',
      `${this.#prefix}a:held:${subnetUuid}`,
      address,
    ]);
    if (!Buffer.isBuffer(holder)) return undefined;
    return {
      ...decodeHolder(holder.toString('utf8')),
      subnetUuid,
      address: decodeAddress(address),
    };
  }
}

interface BatchSubnet {
  readonly subnet: PoolSubnet;
  readonly layout: PoolLayout;
  /** Items that may take an address here. */
  wanted: number;
  /** Last address handed out; undefined: none of this definition. */
  position: string | undefined;
}

/** The items of one call, and the subnets among which they choose, each once. */
class Batch {
  readonly subnets: BatchSubnet[] = [];
  readonly #items: readonly AllocationItem[];

  constructor(items: readonly AllocationItem[]) {
    this.#items = items;
    const known = new Map<string, BatchSubnet>();
    for (const subnet of items.flatMap((item) => item.subnets)) {
      const entry = known.get(subnet.uuid) ?? {
        subnet,
        layout: layoutOf(subnet),
        wanted: 0,
        position: undefined,
      };
      entry.wanted += 1;
      if (!known.has(subnet.uuid)) this.subnets.push(entry);
      known.set(subnet.uuid, entry);
    }
  }

  request({
    round,
    quarantineMs,
  }: {
    readonly round: number;
    readonly quarantineMs: number;
  }): object {
    const subnets = this.subnets.map(({ subnet, layout, wanted, position }) => {
      const count = Math.min(candidatesMax, (wanted + spareCandidates) * 2 ** Math.min(round, 10));
      const { addresses, complete } = candidatesAfter(layout, position, count);
      return {
        id: subnet.uuid,
        definition: layout.definition,
        ranges: rangeKeys(layout),
        candidates: addresses,
        complete,
        fromStart: layout.fromStart,
      };
    });
    const items = this.#items.map((item) => ({
      network: item.network,
      owner: item.owner,
      family: String(item.family),
      choices: item.subnets.map(
        ({ uuid }) => this.subnets.findIndex(({ subnet }) => subnet.uuid === uuid) + 1,
      ),
      ...(item.address === undefined ? {} : { address: addressKey(item.address) }),
      reserved: item.reserved,
      description: item.description,
    }));
    return { subnets, items, quarantineMs, freedMax };
  }

  decode([kind, choice, text]: readonly Reply[]): AllocationOutcome | 'more' {
    const subnet = this.subnets[Number(choice) - 1]?.subnet;
    const outcome = String(kind);
    if (outcome === 'more') return 'more';
    if (subnet === undefined || outcome === 'exhausted') return { kind: 'exhausted' };
    if (outcome === 'in-use') return { kind: 'in-use', subnet, holder: decodeHolder(String(text)) };
    return { kind: 'allocated', subnet, address: decodeAddress(String(text)) };
  }
}

function decodeHolder(text: string): Holder {
  const [network = '', owner = '', reserved = '', time = '0', ...description] = text.split('\0');
  return {
    network,
    owner,
    reserved: reserved === '1',
    allocatedAtMs: BigInt(time),
    description: description.join(' '),
  };
}

function decodeAddress(hex: string): Address {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}
