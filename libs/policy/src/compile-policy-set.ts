import { policySetText } from './canonical-text';
import { covers, matchesEverything } from './match-key';
import type { MatchKey } from './match-key';
import { closeUnderIntersection, toKeys } from './match-keys';
import type { Direction, PolicyRule, PolicySet } from './policy-set';
import type { DefaultVerdict, TableRule, VerdictTable } from './verdict-table';

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
  const ordered = set.policies.flatMap((policy) => policy.rules.flatMap(toOrderedKeys));
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

function toOrderedKeys(rule: PolicyRule): OrderedKey[] {
  return toKeys(rule).map((key) => ({ key, rule }));
}

function toTableRule({ key, rule }: OrderedKey, index: number): TableRule {
  return { ...key, id: index + 1, verdict: rule.verdict, name: rule.name };
}

function defaultOf(set: PolicySet, decided: readonly OrderedKey[], direction: Direction): DefaultVerdict {
  const all = decided.find(({ key }) => key.direction === direction && matchesEverything(key));
  if (all === undefined) return { verdict: set.defaultVerdict[direction], name: '' };
  return { verdict: all.rule.verdict, name: all.rule.name };
}
