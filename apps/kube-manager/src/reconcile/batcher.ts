import { AsyncResource } from 'node:async_hooks';
import { annotateSpan, currentTraceparent } from '@contrail/telemetry';

export interface BatcherOptions<Item, Result> {
  /** Results in the order of the items. A rejection is the answer to all of them. */
  readonly send: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Sends at the same time. While fewer run, an item goes at once and alone; later ones go together. */
  readonly concurrency: number;
  /** Sum of the weights in one send. */
  readonly weightMax: number;
  readonly weightOf?: (item: Item) => number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly weight: number;
  readonly resolve: (answer: Answer<Result>) => void;
  readonly reject: (error: unknown) => void;
  /** Trace context of who waits. */
  readonly scope: AsyncResource;
}

interface Answer<Result> {
  readonly result: Result;
  readonly traceparent: string;
  readonly size: number;
}

/**
 * Many small calls as few large ones, only under load: an item that finds a free slot goes alone, so it has the
 * latency of one call and a trace of its own; items that must wait share the next call.
 */
export class Batcher<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private running = 0;

  constructor(private readonly options: BatcherOptions<Item, Result>) {}

  async add(item: Item): Promise<Result> {
    const weight = this.options.weightOf?.(item) ?? 1;
    const answer = await new Promise<Answer<Result>>((resolve, reject) => {
      this.waiting.push({ item, weight, resolve, reject, scope: new AsyncResource('Batcher') });
      this.pump();
    });
    if (answer.size > 1) {
      annotateSpan({ 'contrail.batch.size': answer.size, 'contrail.batch.traceparent': answer.traceparent });
    }
    return answer.result;
  }

  private pump(): void {
    while (this.running < this.options.concurrency && this.waiting.length > 0) {
      const batch = this.take();
      const [first] = batch;
      if (first === undefined) return;
      this.running += 1;
      void first.scope.runInAsyncScope(() => this.run(batch));
    }
  }

  private take(): Waiting<Item, Result>[] {
    let weight = 0;
    let count = 0;
    for (const entry of this.waiting) {
      weight += entry.weight;
      if (count > 0 && weight > this.options.weightMax) break;
      count += 1;
    }
    return this.waiting.splice(0, count);
  }

  private async run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    const traceparent = currentTraceparent();
    try {
      const results = await this.options.send(batch.map(({ item }) => item));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result === undefined) reject(new Error(`${batch.length} items were sent, ${results.length} answers came`));
        else resolve({ result, traceparent, size: batch.length });
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.running -= 1;
      this.pump();
    }
  }
}
