import { median, pairedRatios, quantile, spreadOf } from './statistics';

test.each([
  { values: [3, 1, 2], q: 0.5, want: 2 },
  { values: [4, 1, 3, 2], q: 0.5, want: 2.5 },
  { values: [10, 20], q: 0.25, want: 12.5 },
  { values: [7], q: 0.99, want: 7 },
  { values: [1, 2, 3], q: 0, want: 1 },
  { values: [1, 2, 3], q: 1, want: 3 },
])('quantile $q of $values is $want', ({ values, q, want }) => {
  expect(quantile(values, q)).toBeCloseTo(want);
});

test('no values have no median', () => {
  expect(median([])).toBeNaN();
});

test('values stay in their order', () => {
  const values = [3, 1, 2];
  spreadOf(values);
  expect(values).toEqual([3, 1, 2]);
});

test('the spread is the quartiles', () => {
  expect(spreadOf([1, 2, 3, 4, 5])).toEqual({ median: 3, low: 2, high: 4, count: 5 });
});

test('ratios are of the same round; rounds in which one failed, or the base did nothing, do not count', () => {
  expect(pairedRatios([10, undefined, 30, 40, 50], [20, 20, undefined, 20, 0])).toEqual([0.5, 2]);
});
