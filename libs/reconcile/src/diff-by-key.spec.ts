import { diffByKey } from './diff-by-key';

describe('diffByKey', () => {
  const of = (entries: Record<string, number>): Map<string, number> => new Map(Object.entries(entries));
  const same = (a: number, b: number): boolean => a === b;

  it.each([
    ['nothing to do when equal', { a: 1 }, { a: 1 }, [], []],
    ['absent is written', { a: 1, b: 2 }, { a: 1 }, [2], []],
    ['different is written', { a: 1 }, { a: 3 }, [1], []],
    ['not desired is removed', {}, { a: 3 }, [], [3]],
    ['orders are kept', { b: 1, a: 2 }, { d: 3, c: 4 }, [1, 2], [3, 4]],
  ])('%s', (_rule, desired, actual, upserts, removals) => {
    expect(diffByKey(of(desired), of(actual), same)).toEqual({ upserts, removals });
  });
});
