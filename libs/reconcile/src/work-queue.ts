import { backoffDelayMs, defaultBackoff } from './backoff';
import type { BackoffPolicy } from './backoff';
import { systemClock } from './clock';
import type { Clock } from './clock';

export interface WorkQueueOptions<K> {
  /** Called for one key at a time; never twice at once for the same key. A throw means "again, later". */
  readonly process: (key: K, signal: AbortSignal) => Promise<void>;
  /** Keys in process at the same time; default 8. */
  readonly concurrency?: number;
  /** Distinct keys waiting at the same time; default 1 000 000. */
  readonly capacity?: number;
  /**
   * Keys were refused because the queue was full, and it has room again: add everything that may be dirty.
   */
  readonly onRoom?: () => void;
  readonly backoff?: BackoffPolicy;
  readonly clock?: Clock;
  /** 0 to 1, for jitter. */
  readonly random?: () => number;
}

interface Waiting {
  readonly timer: AbortController;
  readonly dueMs: number;
}

/**
 * Keys to work on. Adding a key that already waits changes nothing; adding one that is in process
 * makes it run once more afterwards. A key whose processing fails comes back after its own, growing delay.
 * K is compared by identity: use strings.
 */
export class WorkQueue<K> {
  private readonly ready = new Set<K>();
  private readonly running = new Set<K>();
  private readonly again = new Set<K>();
  private readonly delayed = new Map<K, Waiting>();
  private readonly failures = new Map<K, number>();
  private readonly takers: (() => void)[] = [];
  private readonly idlers: (() => void)[] = [];
  private readonly stopping = new AbortController();
  private workers: Promise<void>[] = [];
  private refused = false;
  private readonly options: Required<WorkQueueOptions<K>>;

  constructor(options: WorkQueueOptions<K>) {
    this.options = {
      concurrency: 8,
      capacity: 1_000_000,
      onRoom: () => undefined,
      backoff: defaultBackoff,
      clock: systemClock,
      random: Math.random,
      ...options,
    };
  }

  /** Keys may be added before; they wait. */
  start(): void {
    if (this.workers.length > 0) return;
    this.workers = Array.from({ length: this.options.concurrency }, () => this.work());
  }

  /** Marks the key dirty: it runs as soon as a worker is free, also when it was waiting for a retry. */
  add(key: K): boolean {
    if (this.stopping.signal.aborted) return false;
    if (this.running.has(key)) {
      this.again.add(key);
      return true;
    }
    if (!this.ready.has(key) && this.ready.size >= this.options.capacity) {
      this.refused = true;
      return false;
    }
    this.cancelDelay(key);
    this.ready.add(key);
    this.takers.shift()?.();
    return true;
  }

  /** Makes the key run after `ms`, unless it is added or due earlier. */
  addAfter(key: K, ms: number): void {
    if (this.stopping.signal.aborted || this.ready.has(key)) return;
    const dueMs = this.options.clock.now() + ms;
    const waiting = this.delayed.get(key);
    if (waiting !== undefined && waiting.dueMs <= dueMs) return;
    this.cancelDelay(key);
    const timer = new AbortController();
    this.delayed.set(key, { timer, dueMs });
    void this.options.clock.sleep(ms, timer.signal).then(
      () => {
        if (this.delayed.get(key)?.timer !== timer) return;
        this.delayed.delete(key);
        this.add(key);
      },
      () => undefined,
    );
  }

  /** Consecutive failures of the key. */
  failuresOf(key: K): number {
    return this.failures.get(key) ?? 0;
  }

  /** Keys that wait for a worker; those that wait for a retry are not counted. */
  get depth(): number {
    return this.ready.size;
  }

  /** Resolves when no key is ready or in process; keys that wait for a retry do not count. */
  async idle(): Promise<void> {
    while (this.ready.size > 0 || this.running.size > 0) {
      await new Promise<void>((resolve) => this.idlers.push(resolve));
    }
  }

  /** Takes no more keys, aborts the signal given to those in process and waits for them. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the work queue is stopping'));
    for (const key of [...this.delayed.keys()]) this.cancelDelay(key);
    for (const taker of this.takers.splice(0)) taker();
    await Promise.all(this.workers);
    this.ready.clear();
    this.wakeIdlers();
  }

  private async work(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const next = this.ready.values().next();
      if (next.done === true) {
        await new Promise<void>((resolve) => this.takers.push(resolve));
        continue;
      }
      this.ready.delete(next.value);
      await this.run(next.value);
      this.offerRoom();
    }
  }

  private async run(key: K): Promise<void> {
    this.running.add(key);
    let failed = false;
    try {
      await this.options.process(key, this.stopping.signal);
      this.failures.delete(key);
    } catch {
      // The processor has reported it; here it only means a retry.
      failed = true;
    }
    this.running.delete(key);
    if (this.again.delete(key)) this.add(key);
    else if (failed) this.retryLater(key);
    if (failed) this.failures.set(key, this.failuresOf(key) + 1);
    if (this.ready.size === 0 && this.running.size === 0) this.wakeIdlers();
  }

  private retryLater(key: K): void {
    const { backoff, random } = this.options;
    this.addAfter(key, backoffDelayMs(backoff, this.failuresOf(key) + 1, random()));
  }

  private cancelDelay(key: K): void {
    const waiting = this.delayed.get(key);
    this.delayed.delete(key);
    waiting?.timer.abort(new Error('the key was added'));
  }

  private offerRoom(): void {
    if (!this.refused || this.ready.size > this.options.capacity / 2) return;
    this.refused = false;
    this.options.onRoom();
  }

  private wakeIdlers(): void {
    for (const idler of this.idlers.splice(0)) idler();
  }
}
