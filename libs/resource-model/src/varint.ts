/*
 * Protobuf's variable-length integers, for code that puts messages together from parts that are encoded
 * already. Values are whole numbers from 0 to 2^53 - 1.
 */

export function varintLength(value: number): number {
  let length = 1;
  for (let left = value; left > 0x7f; left = Math.floor(left / 0x80)) length += 1;
  return length;
}

/** @returns the offset after the number. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let left = value;
  while (left > 0x7f) {
    target[at++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  target[at++] = left;
  return at;
}

/** @returns a number below 2^31, as lengths and tags are, and the offset after it; NaN for what is none. */
export function readVarint(
  bytes: Uint8Array,
  offset: number,
): { readonly value: number; readonly end: number } {
  let value = 0;
  let end = offset;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[end++];
    if (byte === undefined) break;
    value += (byte & 0x7f) << shift;
    if (byte < 0x80) return { value, end };
  }
  return { value: Number.NaN, end };
}
