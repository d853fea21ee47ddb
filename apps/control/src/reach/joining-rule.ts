import type { Model } from '../model/model';
import type { NetworkPolicyObject, PolicyEnd, VirtualNetworkObject } from '../model/model-object';

/** A rule that passes something between two networks, and those of them to which its policy is attached. */
export interface JoiningRule {
  readonly policy: string;
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
    return policy.passRules
      .filter(({ sources, destinations }) =>
        [[first, second], [second, first]].some(
          ([from, to]) =>
            from !== undefined && to !== undefined && isOneOf(sources, from, { model, policy }) && isOneOf(destinations, to, { model, policy }),
        ),
      )
      .map(({ sources, destinations }) => ({ policy: policy.name, rule: `pass ${endsText(sources)} <> ${endsText(destinations)}`, attachedTo }));
  });
}

interface Around {
  readonly model: Model;
  readonly policy: NetworkPolicyObject;
}

function isOneOf(ends: readonly PolicyEnd[], network: VirtualNetworkObject, { model, policy }: Around): boolean {
  const attached = (name: string): boolean =>
    network.policyUuids.some((uuid) => model.get('network-policy', uuid)?.name === name);
  return ends.some((end) => {
    if (end.kind === 'policy') return attached(end.name);
    return end.name === 'any' || end.name === network.name || (end.name === 'local' && attached(policy.name));
  });
}

function endsText(ends: readonly PolicyEnd[]): string {
  return ends.map(({ kind, name }) => (kind === 'policy' ? `networks of policy ${name}` : name)).join(', ');
}
