import { errorText } from '@contrail/errors';
import { systemClock } from './clock';
import type { Clock } from './clock';
import { WorkQueue } from './work-queue';
import type { WorkQueueOptions } from './work-queue';

export type ReconcileState = 'Pending' | 'Done' | 'Error';

/** Where an object stands on its way from desired to actual. */
export interface ReconcileStatus {
  readonly state: ReconcileState;
  /** When this state and sentence began, in milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  /** What is being waited for, or what went wrong; empty when done. */
  readonly sentence: string;
}

/** What one pass over an object came to. `gone`: the object exists no more, its status is dropped. A failure is thrown. */
export type ReconcileOutcome = 'done' | 'gone' | ReconcilePending;

export interface ReconcilePending {
  /** What the object waits for. */
  readonly pending: string;
  /** Look again after this time; absent: only when the key is added again. */
  readonly retryAfterMs?: number;
}

export interface ReconcileLoopOptions<K> extends Omit<WorkQueueOptions<K>, 'process'> {
  /** Reads what it needs, writes the difference; idempotent. */
  readonly reconcile: (key: K, signal: AbortSignal) => Promise<ReconcileOutcome>;
  /** Told of each failed pass; the key is retried anyway. */
  readonly onError?: (key: K, error: unknown, failures: number) => void;
}

/** A work queue that knows how each of its objects is doing. */
export class ReconcileLoop<K> {
  private readonly queue: WorkQueue<K>;
  private readonly statuses = new Map<K, ReconcileStatus>();
  private readonly clock: Clock;

  constructor(private readonly options: ReconcileLoopOptions<K>) {
    this.clock = options.clock ?? systemClock;
    this.queue = new WorkQueue<K>({ ...options, process: (key, signal) => this.pass(key, signal) });
  }

  start(): void {
    this.queue.start();
  }

  stop(): Promise<void> {
    return this.queue.stop();
  }

  /** Marks the object dirty. False: the queue is full, `onRoom` will say when to come back. */
  enqueue(key: K): boolean {
    if (!this.statuses.has(key)) this.setStatus(key, 'Pending', 'waits for its first pass');
    return this.queue.add(key);
  }

  statusOf(key: K): ReconcileStatus | undefined {
    return this.statuses.get(key);
  }

  /** Objects that are not done, with their status. */
  unsettled(): ReadonlyMap<K, ReconcileStatus> {
    return new Map([...this.statuses].filter(([, status]) => status.state !== 'Done'));
  }

  get depth(): number {
    return this.queue.depth;
  }

  /** Resolves when every enqueued object had its pass; retries that wait do not count. */
  idle(): Promise<void> {
    return this.queue.idle();
  }

  private async pass(key: K, signal: AbortSignal): Promise<void> {
    try {
      const outcome = await this.options.reconcile(key, signal);
      if (outcome === 'done') this.setStatus(key, 'Done', '');
      else if (outcome === 'gone') this.statuses.delete(key);
      else {
        this.setStatus(key, 'Pending', outcome.pending);
        if (outcome.retryAfterMs !== undefined) this.queue.addAfter(key, outcome.retryAfterMs);
      }
    } catch (error) {
      if (!signal.aborted) {
        this.setStatus(key, 'Error', errorText(error));
        this.options.onError?.(key, error, this.queue.failuresOf(key) + 1);
      }
      throw error;
    }
  }

  private setStatus(key: K, state: ReconcileState, sentence: string): void {
    const before = this.statuses.get(key);
    if (before?.state === state && before.sentence === sentence) return;
    this.statuses.set(key, { state, sinceMs: this.clock.now(), sentence });
  }
}
