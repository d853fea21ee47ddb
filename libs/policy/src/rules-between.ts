import type { NetworkPart, NetworkPolicy, NetworkRule, PolicyNetwork, RuleEnd } from './network-policy';
import type { PortRange, Verdict } from './policy-set';

/** A rule as it applies to connections from one part of a network to another. */
export interface DirectedRule {
  readonly name: string;
  readonly verdict: Verdict;
  readonly protocol: number;
  /** Ports on the receiving side; undefined means all. */
  readonly ports: readonly PortRange[] | undefined;
  /** Both ends name networks, so that a pass joins them. */
  readonly joins: boolean;
}

/**
 * What the policies of one network say of connections from one part to another, of which at least one is its own; in their
 * order, the first that matches decides.
 *
 * The source port of a connection is not judged: a rule that passes only some source ports passes nothing, one that denies
 * some denies all. The exchanged half of a `<>` rule with ports speaks of packets *from* those ports, which are the answers
 * of connections that the first half passed; answers need no rule.
 */
export function rulesBetween(at: PolicyNetwork, from: NetworkPart, to: NetworkPart): DirectedRule[] {
  return at.policies.flatMap((policy) =>
    rulesNaming(policy, from.network.name).flatMap((rule) => directed(rule, { at, from, to })),
  );
}

interface Ends {
  readonly at: PolicyNetwork;
  readonly from: NetworkPart;
  readonly to: NetworkPart;
}

function directed(rule: NetworkRule, { at, from, to }: Ends): DirectedRule[] {
  const { name, verdict, protocol, sourcePorts, ports, sources, destinations } = rule;
  const found: DirectedRule[] = [];
  const matching = (first: readonly RuleEnd[], second: readonly RuleEnd[]): { joins: boolean } | undefined => {
    const [a, b] = [first.filter((end) => isAt(end, at, from)), second.filter((end) => isAt(end, at, to))];
    return a.length === 0 || b.length === 0 ? undefined : { joins: a.some(namesNetworks) && b.some(namesNetworks) };
  };
  const forward = matching(sources, destinations);
  if (forward !== undefined && (sourcePorts === undefined || verdict === 'deny')) {
    found.push({ name, verdict, protocol, ports, ...forward });
  }
  const exchanged = rule.isBothWays && ports === undefined ? matching(destinations, sources) : undefined;
  if (exchanged !== undefined) found.push({ name, verdict, protocol, ports: sourcePorts, ...exchanged });
  return found;
}

function namesNetworks({ networks }: RuleEnd): boolean {
  return networks.kind !== 'address';
}

function isAt({ networks, prefixes }: RuleEnd, at: PolicyNetwork, part: NetworkPart): boolean {
  if (prefixes.length > 0 && !prefixes.some((prefix) => part.prefixes.includes(prefix))) return false;
  switch (networks.kind) {
    case 'any':
    case 'address':
      return true;
    case 'local':
      return part.network.name === at.name;
    case 'network':
      return part.network.name === networks.name;
    case 'policy':
      return part.network.policies.some(({ name }) => name === networks.name);
  }
}

interface RuleIndex {
  /** Positions of rules that name a network, by its name. */
  readonly byName: ReadonlyMap<string, readonly number[]>;
  /** Positions of rules with an end that may be any network. */
  readonly open: readonly number[];
}

/** Policies have hundreds of rules for as many networks; a pair of networks concerns a few of them. */
const indexes = new WeakMap<NetworkPolicy, RuleIndex>();

/** The rules of a policy that may have the network at an end, in their order. */
export function rulesNaming(policy: NetworkPolicy, network: string): NetworkRule[] {
  const { byName, open } = indexOf(policy);
  const positions = new Set([...(byName.get(network) ?? []), ...open]);
  return [...positions].sort((a, b) => a - b).flatMap((position) => policy.rules[position] ?? []);
}

function indexOf(policy: NetworkPolicy): RuleIndex {
  const known = indexes.get(policy);
  if (known !== undefined) return known;
  const byName = new Map<string, number[]>();
  const open: number[] = [];
  for (const [position, { sources, destinations }] of policy.rules.entries()) {
    for (const { networks } of [...sources, ...destinations]) {
      if (networks.kind !== 'network') open.push(position);
      else if (byName.get(networks.name)?.push(position) === undefined) byName.set(networks.name, [position]);
    }
  }
  const index = { byName, open };
  indexes.set(policy, index);
  return index;
}
