import { ContrailError } from '@contrail/errors';
import { intersect, keyText } from './match-key';
import type { MatchKey } from './match-key';
import { any, protocolsWithPorts } from './policy-set';
import type { PolicyRule } from './policy-set';
import { allPorts, portRangeToPrefixes } from './port-prefix';
import type { PortPrefix } from './port-prefix';

/** Rows in one table; more would crowd the policies of other interfaces out of the datapath. */
export const rulesMax = 16_384;

/** What one rule matches. */
export function toKeys({ direction, peers, protocol, ports }: Omit<PolicyRule, 'name' | 'verdict'>): MatchKey[] {
  const prefixes: readonly PortPrefix[] = ports?.flatMap(portRangeToPrefixes) ?? [allPorts];
  const protocols = ports !== undefined && protocol === any ? protocolsWithPorts : [protocol];
  return peers.flatMap((peerIdentity) =>
    protocols.flatMap((number) => prefixes.map((prefix) => ({ direction, peerIdentity, protocol: number, ports: prefix }))),
  );
}

/**
 * The keys and whatever several of them have in common, sorted: the most specific one of those that match a packet is
 * covered by all others that do.
 *
 * @param name of the policy set, for people.
 * @throws ContrailError RESOURCE_EXHAUSTED for more than 16 384 keys.
 */
export function closeUnderIntersection(keys: readonly MatchKey[], name: string): MatchKey[] {
  const closed = new Map<string, MatchKey>();
  const queue = [...keys];
  for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
    const text = keyText(key);
    if (closed.has(text)) continue;
    if (closed.size >= rulesMax) {
      throw new ContrailError(
        'RESOURCE_EXHAUSTED',
        `policy set ${name}: needs more than ${rulesMax} verdicts; use fewer overlapping rules or wider port ranges`,
      );
    }
    closed.set(text, key);
    // With the given keys only: what several of them have in common is found one after the other.
    for (const other of keys) {
      const common = intersect(key, other);
      if (common !== undefined && !closed.has(keyText(common))) queue.push(common);
    }
  }
  return [...closed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, key]) => key);
}
