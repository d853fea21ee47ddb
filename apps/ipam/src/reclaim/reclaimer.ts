import { addressKey } from '@contrail/net';
import type { Clock } from '@contrail/reconcile';
import type { AddressPool, HeldAddress } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { reclaimedAddresses } from '../serve/metrics';
import type { NetworkCache } from '../watch/network-cache';

const log = logger('reclaim');

export interface ReclaimerOptions {
  readonly pool: Pick<AddressPool, 'networks' | 'list' | 'reclaim'>;
  readonly cache: Pick<NetworkCache, 'isCurrent' | 'hasOwner'>;
  readonly clock: Clock;
  /** Between two observations. */
  readonly intervalMs: number;
}

/**
 * Takes back addresses of which the owner is gone, because a release was lost. An owner is gone when two
 * observations in a row, both with config-api in view, did not find it, and it did not ask for its address in
 * between. Addresses without owner type belong to no resource and stay.
 */
export class Reclaimer {
  readonly #options: ReclaimerOptions;
  /** Found without owner at the last observation: address and when it was asked for. */
  #suspects = new Map<string, bigint>();

  constructor(options: ReclaimerOptions) {
    this.#options = options;
  }

  /** Observes until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, intervalMs } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(intervalMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.observe().catch((error: unknown) => {
        this.#suspects.clear();
        log.warn('addresses without owner could not be looked for', { error });
      });
    }
  }

  /** One observation. @returns how many addresses were taken back. */
  async observe(): Promise<number> {
    const { pool } = this.#options;
    const suspects = new Map<string, bigint>();
    let reclaimed = 0;
    for (const network of await pool.networks()) {
      let after = '';
      do {
        const page = await pool.list(network, after);
        const orphans = page.addresses.filter((held) => this.#isOrphan(held));
        for (const held of orphans) suspects.set(keyOf(held), held.askedAtMs);
        reclaimed += await this.#reclaim(orphans);
        after = page.next;
      } while (after !== '');
    }
    // An observation in which config-api was out of view does not count.
    this.#suspects = this.#options.cache.isCurrent ? suspects : new Map();
    return reclaimed;
  }

  #isOrphan({ owner, ownerType }: HeldAddress): boolean {
    return ownerType !== '' && !this.#options.cache.hasOwner(owner);
  }

  async #reclaim(orphans: readonly HeldAddress[]): Promise<number> {
    const confirmed = orphans.filter((held) => this.#suspects.get(keyOf(held)) === held.askedAtMs);
    if (confirmed.length === 0 || !this.#options.cache.isCurrent) return 0;
    const count = await this.#options.pool.reclaim(confirmed);
    reclaimedAddresses.inc(count);
    const examples = confirmed.slice(0, 3).map(({ description, owner }) => description || owner);
    if (count > 0) log.info('addresses without owner are taken back', { count, examples });
    return count;
  }
}

function keyOf({ network, subnetUuid, address, owner }: HeldAddress): string {
  return `${network}/${owner}/${subnetUuid}/${addressKey(address)}`;
}
