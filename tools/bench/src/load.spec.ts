import { parseLoadResult, valueOf } from './load';

const line = '{"seconds":0.250107,"bytes":156316875,"operations":500,"p50Us":20.75,"p99Us":51.00,"errors":0}\n';

test('reads what netload prints', () => {
  expect(parseLoadResult(line)).toEqual({
    seconds: 0.250107,
    bytes: 156_316_875,
    operations: 500,
    p50Us: 20.75,
    p99Us: 51,
    errors: 0,
  });
});

test.each([
  ['an empty answer', ''],
  ['a message', 'netload: connect: Connection refused'],
  ['no object', '7'],
  ['a missing number', '{"seconds":1,"bytes":2,"operations":3,"p50Us":4,"p99Us":5}'],
  ['a text for a number', line.replace('500', '"500"')],
])('refuses %s', (_, text) => {
  expect(() => parseLoadResult(text)).toThrow();
});

test('a stream counts in Gbit/s, everything else in operations a second', () => {
  const result = { seconds: 0.5, bytes: 125_000_000, operations: 1000, p50Us: 0, p99Us: 0, errors: 0 };
  expect(valueOf('stream', result)).toBeCloseTo(2);
  expect(valueOf('crr', result)).toBeCloseTo(2000);
});
