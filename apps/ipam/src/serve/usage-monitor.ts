import type { SubnetUsage } from '@contrail/proto-gen/ipam/v1/messages';
import type { AddressPool } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import type { NetworkCache } from '../watch/network-cache';
import { subnetAllocated, subnetCapacity, subnetQuarantined, subnetUsage } from './metrics';
import { toSubnetUsage, usageRatio } from './subnet-usage';

const log = logger('usage');
const intervalMs = 15_000;
/** A subnet must fall so far below the threshold before it is announced again. */
const hysteresis = 0.05;

/** Subnets that will be exhausted before long. */
export interface FillingSubnets {
  readonly all: readonly SubnetUsage[];
  /** Those among them that were not announced yet. */
  readonly risen: readonly SubnetUsage[];
}

export interface UsageMonitorOptions {
  readonly pool: Pick<AddressPool, 'usage'>;
  readonly cache: Pick<NetworkCache, 'subnets'>;
  /** Share of a subnet, 0 to 1, from which it is announced. */
  readonly warningRatio: number;
  /** Called after each measurement. */
  readonly onFilling: (filling: FillingSubnets) => void;
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
  async measure(): Promise<SubnetUsage[]> {
    const { pool, cache, warningRatio, onFilling } = this.#options;
    const subnets = cache.subnets();
    const usages = await pool.usage(subnets.map(({ subnet }) => subnet.uuid));
    for (const metric of [subnetCapacity, subnetAllocated, subnetQuarantined, subnetUsage])
      metric.reset();
    const all = subnets.map((entry, i) => toSubnetUsage(entry, usages[i]));
    all.forEach(publish);
    const filling = all.filter((usage) => usageRatio(usage) >= warningRatio);
    const risen = filling.filter(({ subnetUuid }) => !this.#announced.has(subnetUuid));
    for (const usage of risen) this.#announce(usage);
    for (const usage of all)
      if (usageRatio(usage) < warningRatio - hysteresis) this.#announced.delete(usage.subnetUuid);
    onFilling({ all: filling, risen });
    return filling;
  }

  #announce({ subnetUuid, prefix, owner, allocated, capacity }: SubnetUsage): void {
    this.#announced.add(subnetUuid);
    const facts = { subnet: subnetUuid, prefix, owner, allocated, capacity };
    log.warn('subnet fills up; add a subnet to its owner', facts);
  }
}

function publish(usage: SubnetUsage): void {
  const labels = { subnet: usage.subnetUuid, prefix: usage.prefix, owner: usage.owner };
  subnetCapacity.set(labels, Number(usage.capacity));
  subnetAllocated.set(labels, Number(usage.allocated));
  subnetQuarantined.set(labels, Number(usage.quarantined));
  subnetUsage.set(labels, usageRatio(usage));
}
