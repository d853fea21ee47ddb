import type { Datapath, DropEvent } from '../datapath/port';

/** Events that wait for one slow watcher; older ones are lost then. */
const queuedMax = 10_000;

/** Fans the datapath's drop events out to those who watch. */
export class DropFeed {
  readonly #watchers = new Set<(event: DropEvent) => void>();

  constructor(datapath: Datapath) {
    datapath.onDrop((event) => {
      for (const watcher of this.#watchers) watcher(event);
    });
  }

  /** Events from now on, in groups as they come, until the signal is aborted. */
  async *watch(signal: AbortSignal): AsyncGenerator<DropEvent[], void, undefined> {
    let queue: DropEvent[] = [];
    let wake: () => void = () => undefined;
    const watcher = (event: DropEvent): void => {
      queue.push(event);
      if (queue.length > queuedMax) queue.shift();
      wake();
    };
    const stop = (): void => wake();
    this.#watchers.add(watcher);
    signal.addEventListener('abort', stop);
    try {
      while (!signal.aborted) {
        if (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        const events = queue;
        queue = [];
        if (events.length > 0) yield events;
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', stop);
    }
  }
}
