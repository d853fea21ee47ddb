import type { Clock } from './clock';
import { WorkQueue } from './work-queue';

/** Time that moves only when told to; sleepers wake in order of their due time. */
class ManualClock implements Clock {
  private nowMs = 0;
  private sleepers: { dueMs: number; wake: () => void }[] = [];

  now(): number {
    return this.nowMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const sleeper = { dueMs: this.nowMs + ms, wake: resolve };
      this.sleepers.push(sleeper);
      signal?.addEventListener('abort', () => {
        this.sleepers = this.sleepers.filter((other) => other !== sleeper);
        reject(new Error('aborted'));
      });
    });
  }

  /** Delays of everybody who sleeps now. */
  delays(): number[] {
    return this.sleepers.map((sleeper) => sleeper.dueMs - this.nowMs);
  }

  async advance(ms: number): Promise<void> {
    this.nowMs += ms;
    const due = this.sleepers.filter((sleeper) => sleeper.dueMs <= this.nowMs);
    this.sleepers = this.sleepers.filter((sleeper) => sleeper.dueMs > this.nowMs);
    for (const sleeper of due) sleeper.wake();
    await settle();
  }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A process function whose runs end when the test says so. */
function gated(): { process: (key: string) => Promise<void>; open: () => Promise<void>; started: string[] } {
  const started: string[] = [];
  const gates: (() => void)[] = [];
  return {
    started,
    process: (key) => {
      started.push(key);
      return new Promise((resolve) => gates.push(resolve));
    },
    open: async () => {
      for (const gate of gates.splice(0)) gate();
      await settle();
    },
  };
}

describe('WorkQueue', () => {
  let queue: WorkQueue<string> | undefined;
  afterEach(() => queue?.stop());

  it('runs a key once however often it was added before', async () => {
    const seen: string[] = [];
    queue = new WorkQueue({ process: (key) => Promise.resolve(void seen.push(key)) });
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    queue.start();
    await queue.idle();
    expect(seen).toEqual(['a', 'b']);
  });

  it('runs a key once more when it was added during its run, and never twice at once', async () => {
    const gate = gated();
    queue = new WorkQueue({ process: gate.process, concurrency: 4 });
    queue.start();
    queue.add('a');
    await settle();
    queue.add('a');
    queue.add('a');
    await settle();
    expect(gate.started).toEqual(['a']);
    await gate.open();
    expect(gate.started).toEqual(['a', 'a']);
    await gate.open();
    expect(gate.started).toEqual(['a', 'a']);
  });

  it('keeps to its concurrency', async () => {
    const gate = gated();
    queue = new WorkQueue({ process: gate.process, concurrency: 2 });
    queue.start();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settle();
    expect(gate.started).toEqual(['a', 'b']);
    await gate.open();
    expect(gate.started).toEqual(['a', 'b', 'c']);
    await gate.open();
  });

  it('retries a failing key after a growing delay of its own, and starts over after a success', async () => {
    const clock = new ManualClock();
    let fails = true;
    queue = new WorkQueue({
      clock,
      random: () => 0,
      backoff: { firstMs: 100, maxMs: 300, factor: 2, jitter: 0.5 },
      process: (key) => (key === 'bad' && fails ? Promise.reject(new Error('no')) : Promise.resolve()),
    });
    queue.start();
    queue.add('bad');
    queue.add('good');
    await settle();
    const delays: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const [delay = 0] = clock.delays();
      delays.push(delay);
      await clock.advance(delay);
    }
    expect(delays).toEqual([100, 200, 300, 300]);
    expect(queue.failuresOf('bad')).toBe(5);
    fails = false;
    await clock.advance(300);
    expect(queue.failuresOf('bad')).toBe(0);
    expect(clock.delays()).toEqual([]);
  });

  it('draws the jitter off the delay', async () => {
    const clock = new ManualClock();
    queue = new WorkQueue({
      clock,
      random: () => 0.5,
      backoff: { firstMs: 100, maxMs: 1000, factor: 2, jitter: 0.5 },
      process: () => Promise.reject(new Error('no')),
    });
    queue.start();
    queue.add('a');
    await settle();
    expect(clock.delays()).toEqual([75]);
  });

  it('runs a key that waits for a retry at once when it is added', async () => {
    const clock = new ManualClock();
    const runs: string[] = [];
    queue = new WorkQueue({
      clock,
      process: (key) => {
        runs.push(key);
        return runs.length === 1 ? Promise.reject(new Error('no')) : Promise.resolve();
      },
    });
    queue.start();
    queue.add('a');
    await settle();
    queue.add('a');
    await settle();
    expect(runs).toEqual(['a', 'a']);
    expect(clock.delays()).toEqual([]);
  });

  it('keeps the earlier of two delays', async () => {
    const clock = new ManualClock();
    queue = new WorkQueue({ clock, process: () => Promise.resolve() });
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    expect(clock.delays()).toEqual([100]);
    await queue.stop();
    expect(clock.delays()).toEqual([]);
  });

  it('refuses keys beyond its capacity and says when there is room again', async () => {
    let rooms = 0;
    const seen: string[] = [];
    queue = new WorkQueue({
      process: (key) => Promise.resolve(void seen.push(key)),
      capacity: 2,
      concurrency: 1,
      onRoom: () => {
        rooms += 1;
      },
    });
    expect(['a', 'b', 'c'].map((key) => queue?.add(key))).toEqual([true, true, false]);
    expect(queue.add('a')).toBe(true);
    queue.start();
    await queue.idle();
    expect(seen).toEqual(['a', 'b']);
    expect(rooms).toBe(1);
  });

  it('aborts the running keys on stop and takes no more', async () => {
    let aborted = false;
    queue = new WorkQueue({
      process: (_key, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve();
          });
        }),
    });
    queue.start();
    queue.add('a');
    await settle();
    await queue.stop();
    expect(aborted).toBe(true);
    expect(queue.add('b')).toBe(false);
    await queue.idle();
  });
});
