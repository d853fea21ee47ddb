import { setTimeout as sleep } from 'node:timers/promises';
import { ContrailError, errorText } from '@contrail/errors';

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly pollMs?: number;
}

const defaultPollMs = 500;

/**
 * Asks until there is a result.
 *
 * @param what for the error: "pod a/b is ready".
 * @param probe returns undefined, or throws why not yet.
 * @throws ContrailError DEADLINE_EXCEEDED with the last reason; CANCELLED.
 */
export async function waitFor<T>(what: string, probe: () => Promise<T | undefined>, { timeoutMs, signal, pollMs = defaultPollMs }: WaitOptions): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let reason = 'it is not';
  while (Date.now() < deadline) {
    if (signal?.aborted === true) throw new ContrailError('CANCELLED', 'interrupted');
    try {
      const found = await probe();
      if (found !== undefined) return found;
    } catch (error) {
      reason = errorText(error);
    }
    await sleep(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  }
  throw new ContrailError('DEADLINE_EXCEEDED', `${what}: not within ${Math.round(timeoutMs / 1000)} s: ${reason}`);
}
