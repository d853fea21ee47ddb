import { parseTimes } from './cni-run';

test('reads a time for each attachment', () => {
  expect(parseTimes('7.125 0\n8.000 0\n')).toEqual([7.125, 8]);
});

test.each([
  ['7.125 1\n', 'a plugin ended with 1'],
  ['cnirun: oops\n', 'is no time and status'],
])('%j is refused', (output, says) => {
  expect(() => parseTimes(output)).toThrow(says);
});
