import { performance } from 'node:perf_hooks';

export interface InFlightResult {
  readonly operations: number;
  readonly seconds: number;
  /** Of each operation. */
  readonly latenciesMs: readonly number[];
}

/**
 * Keeps `count` operations running for a while, as that many patient clients would.
 * @param operation gets a number that no other operation of the run gets.
 * @throws what an operation throws, and the reason of the signal when that is aborted.
 */
export async function runInFlight(
  count: number,
  durationMs: number,
  operation: (sequence: number) => Promise<unknown>,
  signal?: AbortSignal,
): Promise<InFlightResult> {
  const latenciesMs: number[] = [];
  const start = performance.now();
  let sequence = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - start < durationMs) {
      signal?.throwIfAborted();
      const began = performance.now();
      await operation(sequence++);
      latenciesMs.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: count }, client));
  return { operations: latenciesMs.length, seconds: (performance.now() - start) / 1000, latenciesMs };
}
