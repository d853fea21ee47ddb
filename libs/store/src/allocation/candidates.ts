import {
  addressFromBigInt,
  addressKey,
  addressToBigInt,
  formatAddress,
  formatPrefix,
  lastAddress,
  networkAddress,
  prefixesOverlap,
} from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';

/** A subnet as far as allocation is concerned. */
export interface PoolSubnet {
  readonly uuid: string;
  readonly prefix: Prefix;
  /** Never allocated, like the DNS address; undefined in a subnet of one or two addresses. */
  readonly gateway: Address | undefined;
  readonly dns: Address | undefined;
  /** False: downward from the top (R21). */
  readonly fromStart: boolean;
  /** Addresses that may be allocated; empty: the whole subnet. */
  readonly pools: readonly { readonly start: Address; readonly end: Address }[];
  readonly exclusions: readonly Prefix[];
  /** Addresses in one allocation, a power of two. */
  readonly unit: number;
}

/** Both ends included. */
export interface AddressRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** What a subnet has to give, in the order in which it is given. */
export interface PoolLayout {
  readonly ranges: readonly AddressRange[];
  readonly fromStart: boolean;
  readonly unit: bigint;
  /** 4 or 16. */
  readonly byteLength: number;
  /** Changes with everything above; a saved position counts only for the same definition. */
  readonly definition: string;
}

/**
 * Ranges that can be allocated: pools (or all usable addresses) without exclusions, gateway and DNS
 * address. Network and broadcast addresses are usable only in subnets of one or two addresses (RFC 3021).
 */
export function layoutOf(subnet: PoolSubnet): PoolLayout {
  const byteLength = subnet.prefix.address.length;
  const usable = usableRange(subnet.prefix);
  const pools = subnet.pools.map(({ start, end }) => ({
    low: addressToBigInt(start),
    high: addressToBigInt(end),
  }));
  const holes = [
    ...subnet.exclusions
      .filter((exclusion) => prefixesOverlap(exclusion, subnet.prefix))
      .map(wholeRange),
    ...[subnet.gateway, subnet.dns].flatMap((address) => {
      if (address === undefined) return [];
      const value = addressToBigInt(address);
      return [{ low: value, high: value }];
    }),
  ];
  const unit = BigInt(Math.max(1, subnet.unit));
  const ranges = merge(pools.length === 0 ? [usable] : pools.map((pool) => intersect(pool, usable)))
    .flatMap((range) =>
      holes.reduce((parts, hole) => parts.flatMap((part) => subtract(part, hole)), [range]),
    )
    .map((range) => align(range, unit))
    .filter(({ low, high }) => low <= high);
  if (!subnet.fromStart) ranges.reverse();
  const text = ranges.map(({ low, high }) => `${low.toString(16)}-${high.toString(16)}`).join(',');
  return {
    ranges,
    fromStart: subnet.fromStart,
    unit,
    byteLength,
    definition: `${subnet.fromStart ? 'up' : 'down'}/${unit}/${text}`,
  };
}

/** How many allocations the subnet can hold at once. */
export function capacityOf({ ranges, unit }: PoolLayout): bigint {
  return ranges.reduce((sum, { low, high }) => sum + (high - low + 1n) / unit, 0n);
}

/**
 * The next addresses in order of allocation.
 * @param after the last one that was handed out (hexadecimal); undefined: from the beginning.
 * @returns hexadecimal texts; `complete` when the subnet has no address after them.
 */
export function candidatesAfter(
  layout: PoolLayout,
  after: string | undefined,
  count: number,
): { readonly addresses: string[]; readonly complete: boolean } {
  const { ranges, fromStart, unit, byteLength } = layout;
  const position = after === undefined ? undefined : BigInt(`0x${after}`);
  const addresses: string[] = [];
  for (const { low, high } of ranges) {
    let next = fromStart ? low : high - unit + 1n;
    if (position !== undefined) {
      const beyond = fromStart ? position + unit : position - unit;
      if (fromStart ? beyond > next : beyond < next) next = beyond;
    }
    while (next >= low && next <= high) {
      if (addresses.length === count) return { addresses, complete: false };
      addresses.push(next.toString(16).padStart(2 * byteLength, '0'));
      next += fromStart ? unit : -unit;
    }
  }
  return { addresses, complete: true };
}

/** Whether the address (hexadecimal) is one that the subnet gives. */
export function isInRanges({ ranges }: PoolLayout, address: string): boolean {
  const value = BigInt(`0x${address}`);
  return ranges.some(({ low, high }) => value >= low && value <= high);
}

/** Ranges as the store compares them: pairs of hexadecimal texts. */
export function rangeKeys({ ranges, byteLength }: PoolLayout): [string, string][] {
  return ranges.map(({ low, high }) => [
    addressKey(addressFromBigInt(low, byteLength)),
    addressKey(addressFromBigInt(high, byteLength)),
  ]);
}

/** `10.32.0.0/12 (gateway 10.47.255.254)`, for error texts. */
export function describeSubnet({ prefix, gateway }: PoolSubnet): string {
  return (
    formatPrefix(prefix) + (gateway === undefined ? '' : ` (gateway ${formatAddress(gateway)})`)
  );
}

function wholeRange(prefix: Prefix): AddressRange {
  return {
    low: addressToBigInt(networkAddress(prefix)),
    high: addressToBigInt(lastAddress(prefix)),
  };
}

function usableRange(prefix: Prefix): AddressRange {
  const { low, high } = wholeRange(prefix);
  return high - low < 2n ? { low, high } : { low: low + 1n, high: high - 1n };
}

function intersect(a: AddressRange, b: AddressRange): AddressRange {
  return { low: a.low > b.low ? a.low : b.low, high: a.high < b.high ? a.high : b.high };
}

function subtract(range: AddressRange, hole: AddressRange): AddressRange[] {
  if (hole.high < range.low || hole.low > range.high) return [range];
  return [
    { low: range.low, high: hole.low - 1n },
    { low: hole.high + 1n, high: range.high },
  ].filter(({ low, high }) => low <= high);
}

/** Ascending; what overlaps or touches is one. */
function merge(ranges: readonly AddressRange[]): AddressRange[] {
  const sorted = ranges
    .filter(({ low, high }) => low <= high)
    .sort((a, b) => (a.low < b.low ? -1 : 1));
  const merged: AddressRange[] = [];
  for (const range of sorted) {
    const last = merged.at(-1);
    if (last === undefined || range.low > last.high + 1n) merged.push(range);
    else if (range.high > last.high)
      merged[merged.length - 1] = { low: last.low, high: range.high };
  }
  return merged;
}

/** Whole units only. */
function align({ low, high }: AddressRange, unit: bigint): AddressRange {
  const from = ((low + unit - 1n) / unit) * unit;
  return { low: from, high: ((high + 1n) / unit) * unit - 1n };
}
