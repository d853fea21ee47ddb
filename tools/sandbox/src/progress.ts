const started = Date.now();
const heartbeatMs = 15_000;

/** Prints one line of progress to standard error, with the seconds since the command began. */
export function say(message: string): void {
  const seconds = ((Date.now() - started) / 1000).toFixed(1).padStart(6);
  process.stderr.write(`${seconds}s  ${message}\n`);
}

/**
 * Runs a step that may be long: says what begins, that it still runs every 15 s, and how long it
 * took.
 */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const from = Date.now();
  const seconds = (): string => ((Date.now() - from) / 1000).toFixed(0);
  say(title);
  const heartbeat = setInterval(() => {
    say(`${title}: still working, ${seconds()} s`);
  }, heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    if (Date.now() - from > heartbeatMs) say(`${title}: ended after ${seconds()} s`);
  }
}

/**
 * Asks again and again until the answer is yes.
 *
 * @param probe returns true when done; an exception counts as no.
 * @returns false when the deadline passed.
 */
export async function waitUntil(
  probe: () => Promise<boolean>,
  timeoutMs: number,
  pauseMs = 100,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    if (await probe().catch(() => false)) return true;
    if (Date.now() >= deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
