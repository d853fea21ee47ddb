import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import { podNetwork, serviceNetwork } from '../translate/cluster';
import type { Cluster } from '../translate/cluster';
import { parseRootKey } from '../translate/ownership';
import type { ResourceCache } from '../watch/resource-cache';
import { descriptionLengthMax } from './address-book';
import type { AddressBook } from './address-book';

const log = logger('sweep');

export interface SweeperOptions {
  readonly cluster: Cluster;
  readonly cache: ResourceCache;
  readonly addresses: Pick<AddressBook, 'list' | 'release'>;
  /** Whether Kubernetes has the root object now. */
  readonly exists: (key: string) => boolean;
  /** Both sides are complete and up to date. */
  readonly inSync: () => boolean;
  /** The root object is gone for good: everything of it may go. */
  readonly remove: (key: string) => void;
  readonly intervalMs: number;
  readonly clock?: Clock;
}

/**
 * Finds what a missed deletion has left: objects of this cluster whose Kubernetes object is gone, and addresses
 * without an object. Nothing goes before it was seen twice, both times with both sides in sync.
 */
export class Sweeper {
  private suspectRoots = new Set<string>();
  private suspectAddresses = new Set<string>();

  constructor(private readonly options: SweeperOptions) {}

  /** Sweeps until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const clock = this.options.clock ?? systemClock;
    while (!signal.aborted) {
      await this.sweep().catch((error: unknown) => log.warn('a sweep failed and is repeated', { error }));
      await clock.sleep(this.options.intervalMs, signal).catch(() => undefined);
    }
  }

  /** One observation. */
  async sweep(): Promise<void> {
    if (!this.options.inSync()) {
      this.suspectRoots.clear();
      this.suspectAddresses.clear();
      return;
    }
    this.sweepRoots();
    await this.sweepAddresses();
  }

  private sweepRoots(): void {
    const orphans = new Set<string>();
    for (const key of this.options.cache.roots()) {
      if (key.startsWith('Cluster/') || this.options.exists(key)) continue;
      orphans.add(key);
    }
    const confirmed = [...orphans].filter((key) => this.suspectRoots.has(key));
    for (const key of confirmed) this.options.remove(key);
    if (confirmed.length > 0) {
      const examples = confirmed.slice(0, 3);
      log.info('objects without their Kubernetes object are removed', { count: confirmed.length, examples });
    }
    this.suspectRoots = orphans;
  }

  private async sweepAddresses(): Promise<void> {
    const { cluster, cache, addresses } = this.options;
    const orphans = new Set<string>();
    for (const { uuid: network } of [podNetwork(cluster), serviceNetwork(cluster)]) {
      if (!cache.has(network)) continue;
      for await (const { ownerUuid, address, description } of addresses.list(network)) {
        if (cache.has(ownerUuid) || !this.isOurs(description)) continue;
        const key = `${network}/${ownerUuid}`;
        orphans.add(key);
        if (!this.suspectAddresses.has(key) || !this.options.inSync()) continue;
        log.info('an address without its object is released', { owner: description });
        await addresses.release(network, ownerUuid, address);
      }
    }
    this.suspectAddresses = orphans;
  }

  /** Asked for by this app, for a pod or service that Kubernetes no longer has. */
  private isOurs(description: string): boolean {
    if (description.length >= descriptionLengthMax) return false;
    const root = parseRootKey(description);
    if (root === undefined || (root.kind !== 'Pod' && root.kind !== 'Service')) return false;
    return !this.options.exists(description);
  }
}
