import { ContrailError } from '@contrail/errors';
import { backoffDelayMs, eagerStart } from '@contrail/reconcile';
import type { BackoffPolicy, Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import { idKinds } from '../compile/numeric-ids';
import type { IdKind } from '../compile/numeric-ids';
import { SignalFlag } from '../signal-flag';
import type { LearntId } from './compiler';
import type { WantedId } from './wanted-ids';

/** Gives numbers to keys: the same key has the same number for ever and for everybody. */
export interface IdSource {
  /** @param keys at most 1000. @returns numbers in the order of the keys. */
  allot(kind: IdKind, keys: readonly string[]): Promise<readonly number[]>;
}

export interface IdAllotterOptions {
  readonly source: IdSource;
  readonly clock: Clock;
  readonly deliver: (learnt: readonly LearntId[]) => void;
}

const keysMax = 1_000;
const backoff: BackoffPolicy = { firstMs: 100, maxMs: 5_000, factor: 2, jitter: 0.5, eager: eagerStart };
const log = logger('ids');

/** Asks for missing numbers until there are none. What is wanted may change at any time; only the latest counts. */
export class IdAllotter {
  readonly #options: IdAllotterOptions;
  readonly #flag = new SignalFlag();
  #wanted: readonly WantedId[] = [];

  constructor(options: IdAllotterOptions) {
    this.#options = options;
  }

  want(wanted: readonly WantedId[]): void {
    this.#wanted = wanted;
    if (wanted.length > 0) this.#flag.set();
  }

  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#flag.set(), { once: true });
    for (let failures = 0; ; ) {
      await this.#flag.wait();
      if (signal.aborted) return;
      try {
        const wanted = this.#wanted;
        if (wanted.length > 0) this.#options.deliver(await this.#allot(wanted));
        failures = 0;
      } catch (error) {
        failures += 1;
        log.warn('numbers were not allotted; trying again', { error, failures, wanted: this.#wanted.length });
        await this.#options.clock.sleep(backoffDelayMs(backoff, failures, Math.random()), signal).catch(() => undefined);
        this.#flag.set();
      }
    }
  }

  async #allot(wanted: readonly WantedId[]): Promise<LearntId[]> {
    const learnt: LearntId[] = [];
    for (const kind of idKinds) {
      const ids = wanted.filter((id) => id.kind === kind);
      for (let i = 0; i < ids.length; i += keysMax) {
        const part = ids.slice(i, i + keysMax);
        const numbers = await this.#options.source.allot(kind, part.map(({ key }) => key));
        for (const [j, id] of part.entries()) learnt.push({ wanted: id, id: checked(numbers[j], id) });
      }
    }
    return learnt;
  }
}

function checked(id: number | undefined, { kind, key }: WantedId): number {
  if (id !== undefined && id > 0) return id;
  throw new ContrailError('INTERNAL', `config-api allotted ${id ?? 'nothing'} for ${kind} "${key}"; check its version`);
}
