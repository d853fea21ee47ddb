export interface BackoffPolicy {
  /** Delay after the first failure. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** Each further failure multiplies the delay by this. */
  readonly factor: number;
  /** Share of the delay that is random, 0 to 1, so that many keys do not come back together. */
  readonly jitter: number;
}

export const defaultBackoff: BackoffPolicy = { firstMs: 50, maxMs: 60_000, factor: 2, jitter: 0.5 };

/**
 * Delay before the next attempt.
 *
 * @param failures consecutive failures so far, at least 1.
 * @param random a number from 0 to 1, 1 excluded.
 * @returns milliseconds between `(1 - jitter) * d` and `d`, where d grows from `firstMs` to `maxMs`.
 */
export function backoffDelayMs(policy: BackoffPolicy, failures: number, random: number): number {
  const exponent = Math.min(Math.max(failures - 1, 0), 64);
  const full = Math.min(policy.maxMs, policy.firstMs * policy.factor ** exponent);
  return Math.round(full * (1 - policy.jitter * random));
}
