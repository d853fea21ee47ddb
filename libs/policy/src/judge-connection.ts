import type { Connection, NetworkPart, PolicyNetwork } from './network-policy';
import type { Verdict } from './policy-set';
import { any, protocolsWithPorts } from './policy-set';
import { rulesBetween } from './rules-between';
import type { DirectedRule } from './rules-between';

export interface ConnectionVerdict {
  readonly verdict: Verdict;
  /** Name of the rule that decided, or the sentence that says why none did; empty for traffic within a network. */
  readonly name: string;
}

/**
 * Whether contrailNetworkPolicies let a connection begin: the policies of both networks must pass it. Within one network
 * everything passes unless a rule says otherwise; between networks nothing does.
 */
export function judgeConnection(from: NetworkPart, to: NetworkPart, connection: Connection): ConnectionVerdict {
  const verdicts = judgingNetworks(from, to).map((at) => judgeAt(at, { from, to }, connection));
  return verdicts.find(({ verdict }) => verdict === 'deny') ?? verdicts[0] ?? withoutRule(from.network, from, to);
}

/** The networks whose policies judge: both, or the one. */
export function judgingNetworks(from: NetworkPart, to: NetworkPart): PolicyNetwork[] {
  return from.network.name === to.network.name ? [from.network] : [from.network, to.network];
}

/** What holds where no rule of a network matches. */
export function withoutRule(at: PolicyNetwork, from: NetworkPart, to: NetworkPart): ConnectionVerdict {
  if (from.network.name === to.network.name) return { verdict: 'pass', name: '' };
  return { verdict: 'deny', name: `no rule of ${at.name} from ${from.network.name} to ${to.network.name}` };
}

function judgeAt(
  at: PolicyNetwork,
  { from, to }: { readonly from: NetworkPart; readonly to: NetworkPart },
  connection: Connection,
): ConnectionVerdict {
  const rule = rulesBetween(at, from, to).find((candidate) => matchesConnection(candidate, connection));
  return rule === undefined ? withoutRule(at, from, to) : { verdict: rule.verdict, name: rule.name };
}

function matchesConnection(rule: DirectedRule, { protocol, port }: Connection): boolean {
  if (rule.protocol !== any && rule.protocol !== protocol) return false;
  if (rule.ports === undefined) return true;
  return protocolsWithPorts.includes(protocol) && rule.ports.some(({ first, last }) => first <= port && port <= last);
}
