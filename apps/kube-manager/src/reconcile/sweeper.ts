import { systemClock } from '@contrail/reconcile';
import type { Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import type { ResourceCache } from '../watch/resource-cache';

const log = logger('sweep');

export interface SweeperOptions {
  readonly cache: ResourceCache;
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
 * Finds what a missed deletion has left: objects of this cluster whose Kubernetes object is gone. Nothing goes
 * before it was seen twice, both times with both sides in sync. (ipam does the same for addresses without object.)
 */
export class Sweeper {
  private suspects = new Set<string>();

  constructor(private readonly options: SweeperOptions) {}

  /** Sweeps until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const clock = this.options.clock ?? systemClock;
    while (!signal.aborted) {
      this.sweep();
      await clock.sleep(this.options.intervalMs, signal).catch(() => undefined);
    }
  }

  /** One observation. */
  sweep(): void {
    if (!this.options.inSync()) {
      this.suspects.clear();
      return;
    }
    const orphans = new Set<string>();
    for (const key of this.options.cache.roots()) {
      if (key.startsWith('Cluster/') || this.options.exists(key)) continue;
      orphans.add(key);
    }
    const confirmed = [...orphans].filter((key) => this.suspects.has(key));
    for (const key of confirmed) this.options.remove(key);
    if (confirmed.length > 0) {
      const examples = confirmed.slice(0, 3);
      log.info('objects without their Kubernetes object are removed', { count: confirmed.length, examples });
    }
    this.suspects = orphans;
  }
}
