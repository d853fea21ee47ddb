import { ContrailError } from '@contrail/errors';
import { policySetText } from './canonical-text';
import { covers, intersect, keyText, matchesEverything } from './match-key';
import type { MatchKey } from './match-key';
import { any } from './policy-set';
import type { Direction, PolicyRule, PolicySet } from './policy-set';
import { allPorts, portRangeToPrefixes } from './port-prefix';
import type { PortPrefix } from './port-prefix';
import type { DefaultVerdict, TableRule, VerdictTable } from './verdict-table';

/** Rows in one table; more would crowd the policies of other interfaces out of the datapath. */
const rulesMax = 16_384;
const protocolsWithPorts = [6, 17, 132];

interface OrderedKey {
  readonly key: MatchKey;
  readonly rule: PolicyRule;
}

/**
 * Compiles ordered policies (the first matching rule decides) into a table in which the most
 * specific row decides. Equal sets give equal tables.
 *
 * @throws ContrailError RESOURCE_EXHAUSTED when the table would have more than 16 384 rows.
 */
export function compilePolicySet(set: PolicySet): VerdictTable {
  const ordered = set.policies.flatMap((policy) => policy.rules.flatMap(toKeys));
  const keys = closeUnderIntersection(
    ordered.map(({ key }) => key),
    policySetText(set),
  );
  // All rules that match a packet cover its most specific key, so the first that covers the key is the first that matches.
  const decided = keys.flatMap((key) => {
    const first = ordered.find((candidate) => covers(candidate.key, key));
    return first === undefined ? [] : [{ key, rule: first.rule }];
  });
  return {
    name: policySetText(set),
    rules: decided.filter(({ key }) => !matchesEverything(key)).map(toTableRule),
    defaults: { ingress: defaultOf(set, decided, 'ingress'), egress: defaultOf(set, decided, 'egress') },
  };
}

function toKeys(rule: PolicyRule): OrderedKey[] {
  const prefixes: readonly PortPrefix[] = rule.ports?.flatMap(portRangeToPrefixes) ?? [allPorts];
  const protocols = rule.ports !== undefined && rule.protocol === any ? protocolsWithPorts : [rule.protocol];
  return rule.peers.flatMap((peerIdentity) =>
    protocols.flatMap((protocol) =>
      prefixes.map((ports) => ({ rule, key: { direction: rule.direction, peerIdentity, protocol, ports } })),
    ),
  );
}

function closeUnderIntersection(keys: readonly MatchKey[], name: string): MatchKey[] {
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

function toTableRule({ key, rule }: OrderedKey, index: number): TableRule {
  return { ...key, id: index + 1, verdict: rule.verdict, name: rule.name };
}

function defaultOf(set: PolicySet, decided: readonly OrderedKey[], direction: Direction): DefaultVerdict {
  const all = decided.find(({ key }) => key.direction === direction && matchesEverything(key));
  if (all === undefined) return { verdict: set.defaultVerdict[direction], name: '' };
  return { verdict: all.rule.verdict, name: all.rule.name };
}
