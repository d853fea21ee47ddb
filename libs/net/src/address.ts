import { ContrailError } from '@contrail/errors';

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address in network byte order. */
export type Address = Uint8Array;

/** @returns undefined when the text is not an address; leading zeros in IPv4 are refused. */
export function tryParseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

/** @throws ContrailError INVALID_ARGUMENT */
export function parseAddress(text: string): Address {
  const address = tryParseAddress(text);
  if (!address) {
    throw new ContrailError('INVALID_ARGUMENT', `"${text}" is not an IP address; write 192.0.2.1 or 2001:db8::1`);
  }
  return address;
}

function parseV4(text: string): Address | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  const out = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return undefined;
    const value = Number(part);
    if (value > 255) return undefined;
    out[i] = value;
  }
  return out;
}

function parseV6(text: string): Address | undefined {
  let body = text;
  let tail: number[] = [];
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (dotted) {
    const v4 = parseV4(dotted[2] ?? '');
    if (!v4) return undefined;
    body = dotted[1] ?? '';
    // "::" before the dotted part keeps both colons; a single colon separates.
    if (!body.endsWith('::')) body = body.slice(0, -1);
    tail = [...v4];
  }
  const halves = body.split('::');
  if (halves.length > 2) return undefined;
  const head = groups(halves[0] ?? '');
  const rest = halves.length === 2 ? groups(halves[1] ?? '') : [];
  if (!head || !rest) return undefined;
  const length = head.length + rest.length + tail.length;
  if (halves.length === 1 ? length !== 16 : length > 14) return undefined;
  const out = new Uint8Array(16);
  out.set(head, 0);
  out.set([...rest, ...tail], 16 - rest.length - tail.length);
  return out;
}

function groups(text: string): number[] | undefined {
  if (text === '') return [];
  const out: number[] = [];
  for (const group of text.split(':')) {
    if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
    const value = Number.parseInt(group, 16);
    out.push(value >> 8, value & 0xff);
  }
  return out;
}

/** Text form; IPv6 as in RFC 5952. */
export function formatAddress(address: Address): string {
  if (address.length === 4) return address.join('.');
  if (address.length !== 16) {
    throw new ContrailError('INVALID_ARGUMENT', `an address has 4 or 16 bytes, not ${address.length}`);
  }
  const words = Array.from({ length: 8 }, (_, i) => ((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0));
  const run = longestZeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (run.length < 2) return hex.join(':');
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start += 1) {
    let length = 0;
    while (words[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** Hexadecimal text: equal addresses, equal keys. */
export function addressKey(address: Address): string {
  return Buffer.from(address.buffer, address.byteOffset, address.length).toString('hex');
}

export function addressEquals(a: Address, b: Address): boolean {
  return compareAddresses(a, b) === 0;
}

/** IPv4 before IPv6, then numerically. */
export function compareAddresses(a: Address, b: Address): number {
  return a.length - b.length || Buffer.compare(a, b);
}

export function addressToBigInt(address: Address): bigint {
  return BigInt(`0x${addressKey(address)}`);
}

/** @param byteLength 4 or 16. @throws ContrailError OUT_OF_RANGE when the value does not fit. */
export function addressFromBigInt(value: bigint, byteLength: number): Address {
  if (value < 0n || value >> BigInt(8 * byteLength) !== 0n) {
    throw new ContrailError('OUT_OF_RANGE', `${value} does not fit an address of ${byteLength} bytes`);
  }
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * byteLength, '0'), 'hex'));
}

/** False for unspecified, loopback, link-local, multicast and broadcast addresses. */
export function isUsableUnicast(address: Address): boolean {
  const first = address[0] ?? 0;
  const second = address[1] ?? 0;
  if (address.length === 4) {
    return first !== 0 && first !== 127 && first < 224 && !(first === 169 && second === 254);
  }
  if (address.length !== 16) return false;
  const value = addressToBigInt(address);
  return value > 1n && first !== 0xff && !(first === 0xfe && (second & 0xc0) === 0x80);
}
