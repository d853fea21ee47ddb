import { judgingNetworks, withoutRule } from './judge-connection';
import type { ConnectionVerdict } from './judge-connection';
import { covers, matches } from './match-key';
import type { MatchKey } from './match-key';
import { closeUnderIntersection, toKeys } from './match-keys';
import type { Connection, NetworkPart } from './network-policy';
import { any } from './policy-set';
import type { Verdict } from './policy-set';
import { allPorts } from './port-prefix';
import type { PortPrefix } from './port-prefix';
import { rulesBetween } from './rules-between';
import type { DirectedRule } from './rules-between';

/** One row of what policies say of connections from one part of a network to another; the most specific row decides. */
export interface ConnectionRow {
  /** IP protocol number, or `any`. */
  readonly protocol: number;
  readonly ports: PortPrefix;
  readonly verdict: Verdict;
  readonly name: string;
}

/**
 * Verdicts of `judgeConnection` for every connection; the first row is for whatever no other matches. A single row when
 * ports and protocols make no difference.
 *
 * @throws ContrailError RESOURCE_EXHAUSTED for more than 16 384 rows.
 */
export function compileConnections(from: NetworkPart, to: NetworkPart): ConnectionRow[] {
  const stages = judgingNetworks(from, to).map((at) => {
    const rules = rulesBetween(at, from, to).flatMap((rule) => toOrderedKeys(rule));
    return { rules, otherwise: withoutRule(at, from, to) };
  });
  const given = stages.flatMap(({ rules }) => rules.map(({ key }) => key));
  const keys = closeUnderIntersection([everything, ...given], `from ${from.network.name} to ${to.network.name}`);
  const rows = keys.map(({ protocol, ports, ...key }) => ({ protocol, ports, ...decide({ protocol, ports, ...key }, stages) }));
  return withoutRepetitions(rows.sort((a, b) => breadth(a) - breadth(b)));
}

/** The row that decides. */
export function findConnectionRow(rows: readonly ConnectionRow[], connection: Connection): ConnectionRow | undefined {
  return rows.findLast((row) => matches(toKey(row), { ...direction, peerIdentity: any, ...connection }));
}

/** Whether at least one connection passes. */
export function passesAny(rows: readonly ConnectionRow[]): boolean {
  return rows.some(({ verdict }) => verdict === 'pass');
}

export function passesAll(rows: readonly ConnectionRow[]): boolean {
  return rows.every(({ verdict }) => verdict === 'pass');
}

/** Rows are compared by protocol and port alone. */
const direction = { direction: 'egress' } as const;
const everything: MatchKey = { ...direction, peerIdentity: any, protocol: any, ports: allPorts };

interface Stage {
  readonly rules: readonly { readonly key: MatchKey; readonly rule: DirectedRule }[];
  readonly otherwise: ConnectionVerdict;
}

function toOrderedKeys(rule: DirectedRule): Stage['rules'] {
  const { protocol, ports } = rule;
  return toKeys({ ...direction, peers: [any], protocol, ports }).map((key) => ({ key, rule }));
}

/** All rules that match a packet cover its most specific key: the first that covers the key is the first that matches. */
function decide(key: MatchKey, stages: readonly Stage[]): { verdict: Verdict; name: string } {
  const verdicts = stages.map(({ rules, otherwise }) => {
    const { verdict, name } = rules.find((candidate) => covers(candidate.key, key))?.rule ?? otherwise;
    return { verdict, name };
  });
  const [first] = verdicts;
  return verdicts.find(({ verdict }) => verdict === 'deny') ?? first ?? { verdict: 'deny', name: '' };
}

function toKey({ protocol, ports }: Pick<ConnectionRow, 'protocol' | 'ports'>): MatchKey {
  return { ...direction, peerIdentity: any, protocol, ports };
}

/** Wide rows first: each comes after all that cover it. */
function breadth({ protocol, ports }: ConnectionRow): number {
  return (protocol === any ? 0 : 17) + ports.length;
}

/** Without rows that say what the narrowest row around them says. */
function withoutRepetitions(rows: readonly ConnectionRow[]): ConnectionRow[] {
  const kept: ConnectionRow[] = [];
  for (const row of rows) {
    const around = kept.findLast((wider) => covers(toKey(wider), toKey(row)));
    if (around?.verdict !== row.verdict || around.name !== row.name) kept.push(row);
  }
  return kept;
}
