/** The part of ASN.1 DER that certificates need. Source: X.690; RFC 5280 for the structures. */

export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content, as they stand in the input. */
  readonly raw: Buffer;
}

export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
  generalizedTime: 0x18,
} as const;

/** The values inside a constructed value, or those that follow each other. @throws RangeError on broken input */
export function parseDer(bytes: Buffer): DerValue[] {
  const values: DerValue[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const value = parseOne(bytes, offset);
    values.push(value);
    offset += value.raw.length;
  }
  return values;
}

function parseOne(bytes: Buffer, offset: number): DerValue {
  const tag = bytes.readUInt8(offset);
  let length = bytes.readUInt8(offset + 1);
  let start = offset + 2;
  if (length >= 0x80) {
    const lengthBytes = length & 0x7f;
    if (lengthBytes === 0 || lengthBytes > 3)
      throw new RangeError('DER length is indefinite or too large');
    length = bytes.readUIntBE(start, lengthBytes);
    start += lengthBytes;
  }
  const end = start + length;
  if (end > bytes.length) throw new RangeError('DER value is cut off');
  return { tag, content: bytes.subarray(start, end), raw: bytes.subarray(offset, end) };
}

export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content]);
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  const encoded = Buffer.alloc(1 + bytes, 0x80 | bytes);
  encoded.writeUIntBE(length, 1, bytes);
  return encoded;
}

export function derSequence(...values: readonly Uint8Array[]): Buffer {
  return encodeDer(derTag.sequence, ...values);
}

/** @param bytes unsigned, big endian. */
export function derInteger(bytes: Uint8Array): Buffer {
  const negative = (bytes[0] ?? 0) >= 0x80;
  return encodeDer(derTag.integer, negative ? Buffer.from([0]) : Buffer.alloc(0), bytes);
}

/** @param text dotted numbers, `1.2.840.10045.4.3.2`. */
export function derObjectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return encodeDer(derTag.objectId, Buffer.from(bytes));
}

/** Whole bytes, or with unused bits at the end. */
export function derBitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return encodeDer(derTag.bitString, Buffer.from([unusedBits]), bytes);
}

/** UTCTime until 2049, GeneralizedTime after, as RFC 5280 wants it. */
export function derTime(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  return date.getUTCFullYear() < 2050
    ? encodeDer(derTag.utcTime, Buffer.from(`${digits.slice(2)}Z`, 'ascii'))
    : encodeDer(derTag.generalizedTime, Buffer.from(`${digits}Z`, 'ascii'));
}

/** `[number]` around a value; constructed for EXPLICIT, primitive for an IMPLICIT text. */
export function derContext(number: number, content: Uint8Array, constructed: boolean): Buffer {
  return encodeDer(0x80 | (constructed ? 0x20 : 0) | number, content);
}
