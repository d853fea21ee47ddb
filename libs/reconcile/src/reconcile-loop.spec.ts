import type { ReconcileOutcome } from './reconcile-loop';
import { ReconcileLoop } from './reconcile-loop';

function loopOf(outcomes: Record<string, ReconcileOutcome | Error>): ReconcileLoop<string> {
  return new ReconcileLoop({
    reconcile: (key) => {
      const outcome = outcomes[key] ?? 'done';
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
  });
}

describe('ReconcileLoop', () => {
  it.each<[string, ReconcileOutcome | Error, object | undefined]>([
    ['a pass that ends well is Done', 'done', { state: 'Done', sentence: '' }],
    ['a pass that waits says for what', { pending: 'waits for project' }, { state: 'Pending', sentence: 'waits for project' }],
    ['a pass that throws shows the error', new Error('no such network'), { state: 'Error', sentence: 'no such network' }],
    ['an object that is gone has no status', 'gone', undefined],
  ])('%s', async (_rule, outcome, expected) => {
    const loop = loopOf({ a: outcome });
    loop.enqueue('a');
    expect(loop.statusOf('a')).toMatchObject({ state: 'Pending' });
    loop.start();
    await loop.idle();
    const status = loop.statusOf('a');
    if (expected === undefined) expect(status).toBeUndefined();
    else expect(status).toMatchObject(expected);
    await loop.stop();
  });

  it('keeps the time since when a state holds', async () => {
    let nowMs = 1000;
    const loop = new ReconcileLoop<string>({
      clock: { now: () => nowMs, sleep: () => Promise.resolve() },
      reconcile: () => Promise.resolve('done'),
    });
    loop.start();
    loop.enqueue('a');
    await loop.idle();
    nowMs = 2000;
    loop.enqueue('a');
    await loop.idle();
    expect(loop.statusOf('a')).toEqual({ state: 'Done', sinceMs: 1000, sentence: '' });
    await loop.stop();
  });

  it('counts the failures it reports and lists what is not settled', async () => {
    const reports: [string, number][] = [];
    const loop = new ReconcileLoop<string>({
      reconcile: (key) => (key === 'bad' ? Promise.reject(new Error('no')) : Promise.resolve('done')),
      onError: (key, _error, failures) => reports.push([key, failures]),
      backoff: { firstMs: 1, maxMs: 1, factor: 1, jitter: 0 },
    });
    loop.start();
    loop.enqueue('good');
    loop.enqueue('bad');
    while (reports.length < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await loop.stop();
    expect(reports.slice(0, 3)).toEqual([
      ['bad', 1],
      ['bad', 2],
      ['bad', 3],
    ]);
    expect([...loop.unsettled().keys()]).toEqual(['bad']);
  });
});
