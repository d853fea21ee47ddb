import { formatPrefix } from '@contrail/net';
import { capacityOf, layoutOf } from '@contrail/store';
import type { AddressPool, PoolUsage } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import type { NetworkSubnet } from '../translate/network-subnets';
import type { NetworkCache } from '../watch/network-cache';
import { subnetAllocated, subnetCapacity, subnetQuarantined, subnetUsage } from './metrics';

const log = logger('usage');
const intervalMs = 15_000;
/** A subnet must fall so far below the threshold before it is announced again. */
const hysteresis = 0.05;

export interface UsageMonitorOptions {
  readonly pool: AddressPool;
  readonly cache: NetworkCache;
  /** Share of a subnet, 0 to 1, from which it is announced. */
  readonly warningRatio: number;
}

/** Measures every subnet and announces those that fill up, before they are exhausted. */
export class UsageMonitor {
  readonly #options: UsageMonitorOptions;
  readonly #announced = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: UsageMonitorOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.measure().catch(() => undefined), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Sets the gauges; @returns subnets that are above the threshold. */
  async measure(): Promise<NetworkSubnet[]> {
    const { pool, cache } = this.#options;
    const subnets = cache.subnets();
    const usages = await pool.usage(subnets.map(({ subnet }) => subnet.uuid));
    for (const metric of [subnetCapacity, subnetAllocated, subnetQuarantined, subnetUsage])
      metric.reset();
    return subnets.filter((entry, i) =>
      this.#record(entry, usages[i] ?? { allocated: 0, quarantined: 0 }),
    );
  }

  #record({ subnet, owner }: NetworkSubnet, { allocated, quarantined }: PoolUsage): boolean {
    const capacity = Number(capacityOf(layoutOf(subnet)));
    const ratio = capacity === 0 ? 1 : allocated / capacity;
    const labels = { subnet: subnet.uuid, prefix: formatPrefix(subnet.prefix), owner };
    subnetCapacity.set(labels, capacity);
    subnetAllocated.set(labels, allocated);
    subnetQuarantined.set(labels, quarantined);
    subnetUsage.set(labels, ratio);
    const { warningRatio } = this.#options;
    if (ratio >= warningRatio && !this.#announced.has(subnet.uuid)) {
      this.#announced.add(subnet.uuid);
      log.warn('subnet fills up; add a subnet to its owner', { ...labels, allocated, capacity });
    }
    if (ratio < warningRatio - hysteresis) this.#announced.delete(subnet.uuid);
    return ratio >= warningRatio;
  }
}
