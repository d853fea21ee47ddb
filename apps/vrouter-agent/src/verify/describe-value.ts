import { formatAddress, formatMac, formatUuid } from '@contrail/net';

/** A key or value of a table as people read it: "vrf=5 address=10.32.0.1", "7". */
export function describeValue(value: unknown): string {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return describeField('', value);
  return Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .map(([name, field]) => `${name}=${describeField(name, field)}`)
    .join(' ');
}

function describeField(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return describeBytes(name, value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (isPrefix(value)) return `${describeBytes('', value.address)}/${value.length}`;
  return `{${describeValue(value)}}`;
}

function isPrefix(value: object): value is { address: Uint8Array; length: number } {
  return 'address' in value && value.address instanceof Uint8Array && 'length' in value;
}

function describeBytes(name: string, bytes: Uint8Array): string {
  if (name === 'uuid' && bytes.length === 16) return formatUuid(bytes);
  if (bytes.length === 4 || bytes.length === 16) return formatAddress(bytes);
  if (bytes.length === 6) return formatMac(bytes);
  return Buffer.from(bytes).toString('hex');
}

/** Fields that both have and that differ, as they are in `a`; "nextHop=4". Whole values when they are no objects. */
export function describeDifference(a: unknown, b: unknown): string {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return describeValue(a);
  const others = new Map<string, unknown>(Object.entries(b));
  const differing = Object.entries(a).filter(([name, field]) => others.has(name) && describeField(name, field) !== describeField(name, others.get(name)));
  return differing.length === 0 ? describeValue(a) : describeValue(Object.fromEntries(differing));
}
