import type { BtfField } from '../bpf/btf';
import { convertBytes, encodeConverter, fitsConverter, gather, noSource } from './record-converter';

const field = (path: string, offset: number, size: number): BtfField => ({ path, offset, size });
const older = [field('kind', 0, 1), field('port', 2, 2), field('count', 4, 4), field('gone', 8, 8)];
const newer = [field('kind', 0, 2), field('added', 4, 4), field('count', 8, 8), field('port', 16, 2)];
const record = Buffer.from([7, 99, 0x1f, 0x90, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9]);

describe('gather', () => {
  it.each([
    ['a field that moved', 16, [0x1f, 0x90]],
    ['a number that grew keeps its value', 8, [1, 2, 3, 4, 0, 0, 0, 0]],
    ['a byte that grew takes no padding along', 0, [7, 0]],
    ['a field that the other side lacks is 0', 4, [0, 0, 0, 0]],
  ])('%s', (_what, offset, bytes) => {
    const converted = convertBytes(record, gather(older, newer, 20));
    expect([...converted.subarray(offset, offset + bytes.length)]).toEqual(bytes);
  });

  it('goes the other way: what is too long is cut to its low bytes', () => {
    const up = convertBytes(record, gather(older, newer, 20));
    const down = convertBytes(up, gather(newer, older, 16));
    expect([...down]).toEqual([7, 0, 0x1f, 0x90, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('is the identity between equal layouts, padding aside', () => {
    expect([...gather(older, older, 16)].slice(2)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
    expect(gather(older, older, 16)[1]).toBe(noSource);
  });
});

describe('encodeConverter', () => {
  const own = { keySize: 4, valueSize: 20, key: [field('zone', 0, 4)], value: newer };
  const other = { keySize: 8, valueSize: 16, key: [field('extra', 0, 4), field('zone', 4, 4)], value: older };

  it('tells programs the sizes, and the source of each byte of their key and our value', () => {
    const bytes = encodeConverter(other, own);
    const words = Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readUInt16LE(2 * i));
    expect(words.slice(0, 2)).toEqual([8, 16]);
    expect(words.slice(2, 2 + 9)).toEqual([noSource, noSource, noSource, noSource, 0, 1, 2, 3, noSource]);
    expect(words.slice(2 + 64, 2 + 64 + 20)).toEqual([...gather(older, newer, 20)]);
  });

  it('knows what is too big for the programs', () => {
    expect(fitsConverter(other)).toBe(true);
    expect(fitsConverter({ ...other, valueSize: 257 })).toBe(false);
    expect(fitsConverter({ ...other, keySize: 65 })).toBe(false);
  });
});
