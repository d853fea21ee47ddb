import { ContrailError } from '@contrail/errors';
import { addressKey } from '@contrail/net';
import type { Address } from '@contrail/net';
import { listOf } from '../change-feed';
import { keyPrefix } from '../keys';
import { RedisConnection } from '../redis/connection';
import type { RedisOptions } from '../redis/connection';
import { AllocationBatch } from './allocation-batch';
import type { AllocationItem, AllocationOutcome } from './allocation-batch';
import { candidatesAfter, isInRanges, layoutOf } from './candidates';
import type { PoolLayout, PoolSubnet } from './candidates';
import { decodeAddress, decodeHolder } from './holder';
import type { HeldAddress } from './holder';

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

/** Somebody was told that no address is left. */
export interface StarvedNetwork {
  readonly network: string;
  readonly family: 4 | 6;
  /** Where there was none; empty: anywhere in the network. */
  readonly subnetUuids: readonly string[];
  /** The last time. */
  readonly atMs: number;
}

export interface AddressPoolOptions {
  readonly redis: RedisOptions;
  readonly deployment?: string;
  /** How long a released address is given to nobody; default 30 s. */
  readonly quarantineMs?: number;
}

const quarantineMsDefault = 30_000;
const roundsMax = 5_000;
const pageSize = 1_000;
const starvedMax = 1_000;

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
      const batch = new AllocationBatch(pending.map(([, item]) => item));
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

  /**
   * Releases addresses of which the owner is gone, unless the owner asked again since they were read.
   * @returns how many were released.
   */
  async reclaim(held: readonly HeldAddress[]): Promise<number> {
    const request = held.map(({ network, owner, subnetUuid, address, askedAtMs }) => ({
      network,
      owner,
      subnet: subnetUuid,
      address: addressKey(address),
      askedAtMs: String(askedAtMs),
    }));
    return Number(await this.#connection.call('reclaim', this.#prefix, [JSON.stringify(request)]));
  }

  /** How many addresses the subnet could give now, counted up to `max`. */
  async countFree(subnet: PoolSubnet, max: number): Promise<number> {
    const layout = layoutOf(subnet);
    const never = await this.#countNeverUsed(subnet.uuid, layout, max);
    if (never >= max) return max;
    const rested = listOf(
      await this.#connection.command([
        'ZRANGEBYSCORE',
        `${this.#prefix}a:freed:${subnet.uuid}`,
        '-inf',
        String(Date.now() - this.#quarantineMs),
        ...['LIMIT', '0', String(max)],
      ]),
    );
    const usable = rested.filter((address) => isInRanges(layout, String(address)));
    return Math.min(max, never + usable.length);
  }

  /** Networks that lately had no address for somebody. @param sinceMs earlier ones are forgotten. */
  async starved(sinceMs: number): Promise<StarvedNetwork[]> {
    const key = `${this.#prefix}a:starved`;
    const range = ['ZRANGE', key, '0', String(starvedMax - 1), 'WITHSCORES'];
    const reply = listOf(await this.#connection.command(range)).map(String);
    const all = reply.flatMap((member, i): StarvedNetwork[] => {
      if (i % 2 === 1) return [];
      const [network = '', family, subnets = ''] = member.split('\0');
      const subnetUuids = subnets === '' ? [] : subnets.split(',');
      return [{ network, family: family === '6' ? 6 : 4, subnetUuids, atMs: Number(reply[i + 1]) }];
    });
    const lately = all.filter(({ atMs }) => atMs >= sinceMs);
    if (lately.length < all.length)
      await this.#connection.command(['ZREMRANGEBYSCORE', key, '-inf', `(${sinceMs}`]);
    return lately;
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

  async #readPositions(batch: AllocationBatch): Promise<void> {
    await Promise.all(
      batch.subnets.map(async (entry) => {
        entry.position = await this.#readPosition(entry.subnet.uuid, entry.layout);
      }),
    );
  }

  /** The last never-used address that was handed out, as far as the subnet is still defined alike. */
  async #readPosition(subnetUuid: string, layout: PoolLayout): Promise<string | undefined> {
    const key = `${this.#prefix}a:next:${subnetUuid}`;
    const [definition, position] = listOf(
      await this.#connection.command(['HMGET', key, 'definition', 'position']),
    );
    return String(definition) === layout.definition ? String(position) : undefined;
  }

  /** At least 1 when there may be some beyond the first `max` candidates. */
  async #countNeverUsed(subnetUuid: string, layout: PoolLayout, max: number): Promise<number> {
    const position = await this.#readPosition(subnetUuid, layout);
    const { addresses, complete } = candidatesAfter(layout, position, max);
    if (addresses.length === 0) return 0;
    const [held, freed] = await Promise.all([
      this.#connection.command(['HMGET', `${this.#prefix}a:held:${subnetUuid}`, ...addresses]),
      this.#connection.command(['ZMSCORE', `${this.#prefix}a:freed:${subnetUuid}`, ...addresses]),
    ]);
    const [holders, releases] = [listOf(held), listOf(freed)];
    const count = addresses.filter((_, i) => holders[i] === null && releases[i] === null).length;
    return count === 0 && !complete ? 1 : count;
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
