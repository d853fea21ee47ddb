export interface BackoffPolicy {
  /** Delay after the first failure. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Each further failure multiplies the delay by this. */
  readonly factor: number;
  /** Share of the delay that is random, 0 to 1, so that many keys do not come back together. */
  readonly jitter: number;
  /**
   * The first `failures` wait at most `maxMs`, so that processes that start together find one another soon. The delay
   * grows further from there.
   */
  readonly eager?: { readonly failures: number; readonly maxMs: number };
}

/** About half a minute of attempts, each second or sooner: as long as a cluster takes to start. */
export const eagerStart = { failures: 40, maxMs: 1_000 } as const;

export const defaultBackoff: BackoffPolicy = { firstMs: 50, maxMs: 60_000, factor: 2, jitter: 0.5 };

/**
 * Delay before the next attempt.
 *
 * @param failures consecutive failures so far, at least 1.
 * @param random a number from 0 to 1, 1 excluded.
 * @returns milliseconds between `(1 - jitter) * d` and `d`, where d grows from `firstMs` to `maxMs`, at first as `eager`
 *   says.
 */
export function backoffDelayMs(policy: BackoffPolicy, failures: number, random: number): number {
  return Math.round(fullDelayMs(policy, failures) * (1 - policy.jitter * random));
}

function fullDelayMs({ firstMs, maxMs, factor, eager }: BackoffPolicy, failures: number): number {
  const grown = (startMs: number, times: number): number => startMs * factor ** Math.min(Math.max(times, 0), 64);
  if (eager === undefined) return Math.min(maxMs, grown(firstMs, failures - 1));
  if (failures <= eager.failures) return Math.min(maxMs, eager.maxMs, grown(firstMs, failures - 1));
  return Math.min(maxMs, grown(eager.maxMs, failures - eager.failures));
}
