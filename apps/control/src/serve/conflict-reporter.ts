import type { ObjectConflict } from '@contrail/proto-gen/config/v1/messages';
import { backoffDelayMs } from '@contrail/reconcile';
import type { BackoffPolicy, Clock } from '@contrail/reconcile';
import { logger } from '@contrail/telemetry';
import { wantedConflicts } from '../conflict/object-conflicts';
import type { ConflictSource } from '../conflict/object-conflicts';
import { SignalFlag } from '../signal-flag';
import type { Topology } from '../topology/topology';

export interface ConflictReporterOptions {
  readonly source: ConflictSource;
  readonly report: (conflicts: ObjectConflict[]) => Promise<void>;
  readonly clock: Clock;
}

/** Changes of several objects that belong together come within this time. */
const debounceMs = 200;
const conflictsPerReport = 500;
const backoff: BackoffPolicy = { firstMs: 500, maxMs: 30_000, factor: 2, jitter: 0.5 };
const log = logger('conflicts');

/**
 * Has networks and policies say what control refuses to join. All replicas find the same, so it does not matter who is first;
 * what others remove from the objects is written again.
 */
export class ConflictReporter {
  readonly #options: ConflictReporterOptions;
  readonly #flag = new SignalFlag();
  /** Whose conflicts are written; the annotations are part of what it was computed from. */
  #settled: Topology | undefined;

  constructor(options: ConflictReporterOptions) {
    this.#options = options;
  }

  /** The topology may be another one. */
  note(): void {
    if (this.#options.source.topology !== this.#settled) this.#flag.set();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    signal.addEventListener('abort', () => this.#flag.set(), { once: true });
    for (let failures = 0; ; ) {
      await this.#flag.wait();
      if (signal.aborted) return;
      const delay = failures === 0 ? debounceMs : backoffDelayMs(backoff, failures, Math.random());
      await clock.sleep(delay, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        await this.#reportAll();
        failures = 0;
      } catch (error) {
        failures += 1;
        log.warn('conflicts of networks were not reported; trying again', { error, failures });
        this.#flag.set();
      }
    }
  }

  async #reportAll(): Promise<void> {
    const { source, report } = this.#options;
    const { topology } = source;
    const conflicts = wantedConflicts(source);
    for (let i = 0; i < conflicts.length; i += conflictsPerReport) {
      await report(conflicts.slice(i, i + conflictsPerReport));
    }
    this.#settled = topology;
  }
}
