/**
 * How records of one layout become records of another: fields of the same name are the same. A field
 * whose meaning changes therefore gets another name. Pure.
 */
import type { BtfField } from '../bpf/btf';

/** Both sizes and every place of a key and a value. */
export interface RecordLayout {
  readonly keySize: number;
  readonly valueSize: number;
  readonly key: readonly BtfField[];
  readonly value: readonly BtfField[];
}

/** A byte that nothing is copied to: it is 0. */
export const noSource = 0xffff;

/** For each byte of `to`: the byte of `from` that it is copied from. Numbers are little-endian. */
export function gather(from: readonly BtfField[], to: readonly BtfField[], size: number): Uint16Array {
  const sources = new Uint16Array(size).fill(noSource);
  const places = new Map(from.map((field) => [field.path, field]));
  for (const { path, offset, size: length } of to) {
    const source = places.get(path);
    for (let i = 0; i < Math.min(length, source?.size ?? 0); i += 1) {
      if (offset + i < size) sources[offset + i] = (source?.offset ?? 0) + i;
    }
  }
  return sources;
}

export function convertBytes(bytes: Buffer, sources: Uint16Array): Buffer {
  const result = Buffer.alloc(sources.length);
  sources.forEach((source, i) => {
    if (source !== noSource) result[i] = bytes[source] ?? 0;
  });
  return result;
}

const keySizeMax = 64;
const valueSizeMax = 256;

/** struct converter of bpf/adopt.h: what the programs need to take a record over. */
export function encodeConverter(older: RecordLayout, own: RecordLayout): Buffer {
  const buffer = Buffer.alloc(4 + 2 * (keySizeMax + valueSizeMax), 0xff);
  buffer.writeUInt16LE(older.keySize, 0);
  buffer.writeUInt16LE(older.valueSize, 2);
  const tables = [
    { at: 4, sources: gather(own.key, older.key, older.keySize) },
    { at: 4 + 2 * keySizeMax, sources: gather(older.value, own.value, own.valueSize) },
  ];
  for (const { at, sources } of tables) {
    sources.forEach((source, i) => buffer.writeUInt16LE(source, at + 2 * i));
  }
  return buffer;
}

/** False: the older records are too big for the programs; the agent copies them all the same. */
export function fitsConverter(layout: RecordLayout): boolean {
  return layout.keySize <= keySizeMax && layout.valueSize <= valueSizeMax;
}
