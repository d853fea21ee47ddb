import type { NetworkSpace, SubnetUsage, WatchSpaceResponse } from '@contrail/proto-gen/ipam/v1/messages';
import type { Clock } from '@contrail/reconcile';
import type { AddressPool, StarvedNetwork } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import type { NetworkCache } from '../watch/network-cache';
import { starvedNetworks } from './metrics';
import type { FillingSubnets } from './usage-monitor';

const log = logger('space');
const intervalMs = 500;
/** Who waits asks again sooner than that; what nobody asks for any more is forgotten. */
const forgetMs = 120_000;
/** Said again so often while it lasts, for clients that missed it. */
const repeatMs = 5_000;
const freeMax = 100;

export interface SpaceMonitorOptions {
  readonly pool: AddressPool;
  readonly cache: NetworkCache;
  readonly clock: Clock;
}

interface SpaceStream {
  readonly signal: AbortSignal;
  write(message: WatchSpaceResponse): Promise<void>;
}

/**
 * Tells those who wait for addresses when there are some again. What starves is in the store, so it does not
 * matter which replica refused an address and which one is watched.
 */
export class SpaceMonitor {
  readonly #options: SpaceMonitorOptions;
  /** Each with the message that it is still being sent. */
  readonly #streams = new Map<SpaceStream, Promise<void> | undefined>();
  /** What starves to when it was announced. */
  readonly #announced = new Map<string, number>();
  #filling: readonly SubnetUsage[] = [];
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;

  constructor(options: SpaceMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#tick(), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Serves one client until it goes. */
  async serve(stream: SpaceStream): Promise<void> {
    this.#streams.set(stream, undefined);
    if (this.#filling.length > 0) await stream.write({ networks: [], filling: [...this.#filling] });
    if (!stream.signal.aborted)
      await new Promise((gone) => stream.signal.addEventListener('abort', gone, { once: true }));
    this.#streams.delete(stream);
  }

  /** New clients hear of all, the others of those that have risen. */
  announceFilling({ all, risen }: FillingSubnets): void {
    this.#filling = all;
    if (risen.length > 0) this.#send({ networks: [], filling: [...risen] });
  }

  /** Networks that starved and have room; each is returned once, and again while it lasts. */
  async look(): Promise<NetworkSpace[]> {
    const { pool, clock } = this.#options;
    const nowMs = clock.now();
    const starved = await pool.starved(nowMs - forgetMs);
    starvedNetworks.set(new Set(starved.map(({ network }) => network)).size);
    const keys = new Set(starved.map(keyOf));
    for (const key of this.#announced.keys()) if (!keys.has(key)) this.#announced.delete(key);
    const spaces: NetworkSpace[] = [];
    for (const entry of starved.filter((candidate) => this.#isDue(candidate, nowMs))) {
      const free = await this.#countFree(entry);
      if (free === 0) continue;
      spaces.push({ virtualNetworkUuid: entry.network, family: entry.family, free });
      this.#announced.set(keyOf(entry), nowMs);
    }
    return spaces;
  }

  /** Not announced since somebody was refused last, or long ago. */
  #isDue(entry: StarvedNetwork, nowMs: number): boolean {
    const announcedMs = this.#announced.get(keyOf(entry));
    return announcedMs === undefined || announcedMs < entry.atMs || nowMs - announcedMs >= repeatMs;
  }

  async #countFree({ network, family, subnetUuids }: StarvedNetwork): Promise<number> {
    const { pool, cache } = this.#options;
    const bytes = family === 4 ? 4 : 16;
    const subnets = (cache.findNetwork(network)?.subnets ?? []).filter(
      ({ subnet }) =>
        subnet.prefix.address.length === bytes &&
        (subnetUuids.length === 0 || subnetUuids.includes(subnet.uuid)),
    );
    const counts = await Promise.all(subnets.map(({ subnet }) => pool.countFree(subnet, freeMax)));
    const sum = counts.reduce((total, count) => total + count, 0);
    return Math.min(sum, freeMax);
  }

  async #tick(): Promise<void> {
    if (this.#isLooking || this.#streams.size === 0) return;
    this.#isLooking = true;
    try {
      const networks = await this.look();
      if (networks.length > 0) this.#send({ networks, filling: [] });
    } catch (error) {
      // The health check says that the store cannot be read; who waits asks again by himself.
      log.debug('free addresses could not be counted', { error });
    } finally {
      this.#isLooking = false;
    }
  }

  /** A client that still takes the message before gets no space: that is said again. */
  #send(message: WatchSpaceResponse): void {
    for (const [stream, sending] of this.#streams) {
      if (sending !== undefined && message.filling.length === 0) continue;
      const sent = stream
        .write(message)
        .catch(() => undefined)
        .then(() => {
          if (this.#streams.has(stream)) this.#streams.set(stream, undefined);
        });
      this.#streams.set(stream, sent);
    }
  }
}

function keyOf({ network, family, subnetUuids }: StarvedNetwork): string {
  return `${network}/${family}/${subnetUuids.join()}`;
}
