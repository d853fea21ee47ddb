import { invariant } from '@contrail/errors';
import type { PortRange } from './policy-set';

/** Ports that agree with `port` in the first `length` of 16 bits; the other bits of `port` are 0. */
export interface PortPrefix {
  readonly port: number;
  /** 0 (all ports) to 16 (one port). */
  readonly length: number;
}

export const allPorts: PortPrefix = { port: 0, length: 0 };

/** The fewest prefixes that cover exactly the range, at most 30, ascending. */
export function portRangeToPrefixes(range: PortRange): PortPrefix[] {
  const { first, last } = range;
  invariant(0 <= first && first <= last && last <= 65_535, `port range ${first}-${last} is in 0-65535`);
  const prefixes: PortPrefix[] = [];
  let port = first;
  while (port <= last) {
    let bits = 0;
    // Grow while the block stays aligned and inside the range.
    while (bits < 16 && port % 2 ** (bits + 1) === 0 && port + 2 ** (bits + 1) - 1 <= last) bits += 1;
    prefixes.push({ port, length: 16 - bits });
    port += 2 ** bits;
  }
  return prefixes;
}

export function portPrefixToRange(prefix: PortPrefix): PortRange {
  return { first: prefix.port, last: prefix.port + 2 ** (16 - prefix.length) - 1 };
}

export function portPrefixContains(prefix: PortPrefix, port: number): boolean {
  return port >> (16 - prefix.length) === prefix.port >> (16 - prefix.length);
}
