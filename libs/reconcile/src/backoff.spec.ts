import { backoffDelayMs, eagerStart } from './backoff';

describe('backoffDelayMs', () => {
  const plain = { firstMs: 100, maxMs: 10_000, factor: 2, jitter: 0.5 };
  const eager = { ...plain, eager: eagerStart };

  it.each([
    { failures: 1, random: 0, delayMs: 100 },
    { failures: 4, random: 0, delayMs: 800 },
    { failures: 4, random: 0.5, delayMs: 600 },
    { failures: 8, random: 0, delayMs: 10_000 },
    { failures: 10_000, random: 0, delayMs: 10_000 },
  ])('waits $delayMs ms after $failures failures', ({ failures, random, delayMs }) => {
    expect(backoffDelayMs(plain, failures, random)).toBe(delayMs);
  });

  it.each([
    { failures: 4, delayMs: 800 },
    { failures: 5, delayMs: 1_000 },
    { failures: 40, delayMs: 1_000 },
    { failures: 41, delayMs: 2_000 },
    { failures: 44, delayMs: 10_000 },
  ])('an eager start waits $delayMs ms after $failures failures', ({ failures, delayMs }) => {
    expect(backoffDelayMs(eager, failures, 0)).toBe(delayMs);
  });

  it('an eager start never waits longer than the policy allows', () => {
    expect(backoffDelayMs({ ...eager, maxMs: 300 }, 40, 0)).toBe(300);
  });
});
