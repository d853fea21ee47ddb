import fc from 'fast-check';
import { portPrefixContains, portPrefixToRange, portRangeToPrefixes } from './port-prefix';

const port = fc.integer({ min: 0, max: 65_535 });
const range = fc.tuple(port, port).map(([a, b]) => ({ first: Math.min(a, b), last: Math.max(a, b) }));

describe('portRangeToPrefixes', () => {
  it.each([
    [0, 65_535, [[0, 0]]],
    [80, 80, [[80, 16]]],
    [8000, 8001, [[8000, 15]]],
    [8001, 8002, [[8001, 16], [8002, 16]]],
    [0, 1023, [[0, 6]]],
    [1024, 65_535, [[1024, 6], [2048, 5], [4096, 4], [8192, 3], [16_384, 2], [32_768, 1]]],
  ])('covers %i-%i', (first, last, want) => {
    const got = portRangeToPrefixes({ first, last }).map(({ port: start, length }) => [start, length]);
    expect(got).toEqual(want);
  });

  it('needs 30 prefixes for the worst range', () => {
    expect(portRangeToPrefixes({ first: 1, last: 65_534 })).toHaveLength(30);
  });

  it('refuses a range that is upside down or too long', () => {
    expect(() => portRangeToPrefixes({ first: 2, last: 1 })).toThrow('2-1');
    expect(() => portRangeToPrefixes({ first: 0, last: 65_536 })).toThrow('0-65536');
  });

  it('covers exactly the range, without overlap, in order', () => {
    fc.assert(
      fc.property(range, ({ first, last }) => {
        let next = first;
        for (const prefix of portRangeToPrefixes({ first, last })) {
          const part = portPrefixToRange(prefix);
          expect(part.first).toBe(next);
          next = part.last + 1;
        }
        expect(next).toBe(last + 1);
      }),
    );
  });

  it('agrees with the range on every port', () => {
    fc.assert(
      fc.property(range, port, ({ first, last }, probe) => {
        const covered = portRangeToPrefixes({ first, last }).some((prefix) => portPrefixContains(prefix, probe));
        expect(covered).toBe(first <= probe && probe <= last);
      }),
    );
  });

  it('cannot be done with fewer: no two prefixes merge', () => {
    fc.assert(
      fc.property(range, (ports) => {
        const prefixes = portRangeToPrefixes(ports);
        for (const [i, prefix] of prefixes.entries()) {
          const next = prefixes[i + 1];
          const merged = next?.length === prefix.length && prefix.port % 2 ** (17 - prefix.length) === 0;
          expect(merged).toBe(false);
        }
      }),
    );
  });
});
