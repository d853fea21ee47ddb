import { AsyncLocalStorage } from 'node:async_hooks';
import { Batcher } from './batcher';

/** Sends that are answered when the test says so. */
function gated(concurrency: number, weightMax = 10): { batcher: Batcher<number, number>; sent: number[][]; answer: () => Promise<void> } {
  const sent: number[][] = [];
  const gates: (() => void)[] = [];
  const batcher = new Batcher<number, number>({
    concurrency,
    weightMax,
    weightOf: (item) => item,
    send: (items) => {
      sent.push([...items]);
      return new Promise((resolve) => gates.push(() => resolve(items.map((item) => item * 10))));
    },
  });
  const answer = async (): Promise<void> => {
    for (const gate of gates.splice(0)) gate();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { batcher, sent, answer };
}

describe('Batcher', () => {
  it('sends at once and alone while there is room, together what has to wait', async () => {
    const { batcher, sent, answer } = gated(2);
    const results = Promise.all([1, 2, 3, 4].map((item) => batcher.add(item)));
    expect(sent).toEqual([[1], [2]]);
    await answer();
    expect(sent).toEqual([[1], [2], [3, 4]]);
    await answer();
    expect(await results).toEqual([10, 20, 30, 40]);
  });

  it('keeps to the weight, but sends an item that is heavier alone', async () => {
    const { batcher, sent, answer } = gated(1);
    const results = Promise.all([1, 6, 4, 1, 99, 1].map((item) => batcher.add(item)));
    for (let round = 0; round < 5; round += 1) await answer();
    expect(sent).toEqual([[1], [6, 4], [1], [99], [1]]);
    expect(await results).toHaveLength(6);
  });

  it('gives a failure to everybody who shared it, and goes on', async () => {
    let calls = 0;
    const batcher = new Batcher<string, string>({
      concurrency: 1,
      weightMax: 10,
      send: (items) => {
        calls += 1;
        return calls === 2 ? Promise.reject(new Error('down')) : Promise.resolve([...items]);
      },
    });
    const results = await Promise.allSettled(['a', 'b', 'c'].map((item) => batcher.add(item)));
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(await batcher.add('d')).toBe('d');
  });

  it('refuses an answer that is too short', async () => {
    const batcher = new Batcher<string, string>({ concurrency: 1, weightMax: 10, send: () => Promise.resolve([]) });
    await expect(batcher.add('a')).rejects.toThrow('0 answers');
  });

  it('sends in the context of the first item, so that the call belongs to its trace', async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batcher = new Batcher<string, string>({
      concurrency: 1,
      weightMax: 10,
      send: async (items) => {
        seen.push(context.getStore());
        await new Promise((resolve) => setImmediate(resolve));
        return [...items];
      },
    });
    await Promise.all(['a', 'b', 'c'].map((item) => context.run(item, () => batcher.add(item))));
    expect(seen).toEqual(['a', 'b']);
  });
});
