import type { Model } from '../model/model';
import type { NetworkRule, RuleEnd } from '@contrail/policy';
import type { NetworkPolicyObject, VirtualNetworkObject } from '../model/model-object';

/** A rule that passes something between two networks, and those of them to which its policy is attached. */
export interface JoiningRule {
  readonly policy: string;
  readonly policyUuid: string;
  readonly rule: string;
  readonly attachedTo: readonly string[];
}

/** Rules that name both networks in policies attached to one of them at least: those attached to both join them. */
export function joiningRules(model: Model, a: string, b: string): JoiningRule[] {
  const networks = [a, b].flatMap((uuid) => model.get('virtual-network', uuid) ?? []);
  const [first, second] = networks;
  if (first === undefined || second === undefined) return [];
  const policies = new Map<string, NetworkPolicyObject>();
  for (const uuid of networks.flatMap(({ policyUuids }) => policyUuids)) {
    const policy = model.get('network-policy', uuid);
    if (policy !== undefined) policies.set(uuid, policy);
  }
  return [...policies.values()].flatMap((policy) => {
    const attachedTo = networks.filter(({ policyUuids }) => policyUuids.includes(policy.uuid)).map(({ name }) => name);
    return policy.rules
      .filter(({ sources, destinations, verdict }) => verdict === 'pass' &&
        [[first, second], [second, first]].some(
          ([from, to]) =>
            from !== undefined && to !== undefined && isOneOf(sources, from, { model, policy }) && isOneOf(destinations, to, { model, policy }),
        ),
      )
      .map((rule) => ({ policy: policy.name, policyUuid: policy.uuid, rule: ruleText(rule), attachedTo }));
  });
}

interface Around {
  readonly model: Model;
  readonly policy: NetworkPolicyObject;
}

function isOneOf(ends: readonly RuleEnd[], network: VirtualNetworkObject, { model, policy }: Around): boolean {
  const attached = (name: string): boolean =>
    network.policyUuids.some((uuid) => model.get('network-policy', uuid)?.name === name);
  return ends.some(({ networks }) => {
    switch (networks.kind) {
      case 'any':
        return true;
      case 'local':
        return attached(policy.name);
      case 'network':
        return networks.name === network.name;
      case 'policy':
        return attached(networks.name);
      case 'address':
        return false;
    }
  });
}

function ruleText({ sources, destinations, isBothWays }: NetworkRule): string {
  return `pass ${endsText(sources)} ${isBothWays ? '<>' : '>'} ${endsText(destinations)}`;
}

function endsText(ends: readonly RuleEnd[]): string {
  return ends.map(({ networks, prefixes }) => [networksText(networks), ...prefixes].join(' ')).join(', ');
}

function networksText(networks: RuleEnd['networks']): string {
  if (networks.kind === 'policy') return `networks of policy ${networks.name}`;
  return networks.kind === 'network' ? networks.name : networks.kind;
}
