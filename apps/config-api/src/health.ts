import type { ResourceStore } from '@contrail/store';
import { logger } from '@contrail/telemetry';
import { storeUp } from './serve/metrics';

const log = logger('health');
const probeMs = 2_000;

/** Knows whether the store can be read and written, by trying every two seconds. */
export class StoreHealth {
  #problems: readonly string[] = ['the store was not tried yet'];
  #said: 'usable' | 'unusable' | undefined;
  readonly #store: ResourceStore;
  readonly #timer: NodeJS.Timeout;

  constructor(store: ResourceStore) {
    this.#store = store;
    void this.#probe();
    this.#timer = setInterval(() => void this.#probe(), probeMs);
  }

  /** Sentences; empty while the store works. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #probe(): Promise<void> {
    this.#problems = await this.#store.problems();
    const state = this.#problems.length > 0 ? 'unusable' : 'usable';
    storeUp.set(state === 'usable' ? 1 : 0);
    if (state === this.#said) return;
    this.#said = state;
    if (state === 'usable') log.info('the store can be used');
    else log.error('the store cannot be used', { problems: this.#problems });
  }
}
