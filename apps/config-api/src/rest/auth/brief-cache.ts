import type { Clock } from '@contrail/reconcile';

export interface BriefCacheOptions {
  readonly clock: Clock;
  readonly lifetimeMs: number;
  readonly entriesMax: number;
}

interface Entry<T> {
  readonly value: Promise<T>;
  readonly until: number;
}

/**
 * Answers that may be a little old. Those who ask at the same time share one question; a failure is
 * asked again. The oldest entries go first when there are too many.
 */
export class BriefCache<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #options: BriefCacheOptions;

  constructor(options: BriefCacheOptions) {
    this.#options = options;
  }

  get(key: string, ask: () => Promise<T>): Promise<T> {
    const { clock, lifetimeMs, entriesMax } = this.#options;
    const known = this.#entries.get(key);
    if (known !== undefined && known.until > clock.now()) return known.value;
    this.#entries.delete(key);
    while (this.#entries.size >= entriesMax) {
      const [oldest] = this.#entries.keys();
      if (oldest === undefined) break;
      this.#entries.delete(oldest);
    }
    const entry: Entry<T> = { value: ask(), until: clock.now() + lifetimeMs };
    this.#entries.set(key, entry);
    entry.value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return entry.value;
  }
}
