import { setTimeout as sleep } from 'node:timers/promises';
import { runInFlight } from './in-flight';

test('runs as many at once as it is told, each with its own number', async () => {
  let running = 0;
  let most = 0;
  const sequences: number[] = [];
  const result = await runInFlight(3, 30, async (sequence) => {
    sequences.push(sequence);
    running += 1;
    most = Math.max(most, running);
    await sleep(2);
    running -= 1;
  });
  expect(most).toBe(3);
  expect(running).toBe(0);
  expect(new Set(sequences).size).toBe(sequences.length);
  expect(result.operations).toBe(sequences.length);
  expect(result.latenciesMs).toHaveLength(sequences.length);
});

test('ends when it is told to', async () => {
  const stopping = new AbortController();
  const run = runInFlight(2, 10_000, () => sleep(1), stopping.signal);
  stopping.abort(new Error('enough'));
  await expect(run).rejects.toThrow('enough');
});

test('an operation that fails ends the run', async () => {
  await expect(runInFlight(2, 10_000, () => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});
