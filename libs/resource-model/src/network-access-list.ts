import { AclRuleType } from '@contrail/proto-gen/config/v1/resources';
import type { AddressType, PolicyRuleType, Resource } from '@contrail/proto-gen/config/v1/resources';
import { childMeta, toAclRules } from './derived-children';
import { findMessage, metaOf, toResource } from './resource';

const anyPort = { startPort: -1, endPort: -1 };

/**
 * The access control list of a network to which policies are attached, named like the network (R21): the rules of
 * the policies that concern it, in their order; everything within the network; nothing else between the ends of
 * those rules, either way; everything else, which routes decide. A connection between networks that exchange routes
 * passes when the lists of both pass it: what control programs. An end that names a policy stands for every network to
 * which that policy is attached, one with addresses alone for them wherever they are.
 *
 * @param policies those of the network that exist, in any order.
 * @returns undefined for a network without policies.
 */
export function networkAccessList(
  network: Resource,
  policies: readonly Resource[],
): Resource | undefined {
  const ordered = inSequence(network, policies);
  if (ordered.length === 0) return undefined;
  const { fqName } = metaOf(network);
  const own = fqName.join(':');
  const attached = new Set(ordered.map((policy) => metaOf(policy).fqName.join(':')));
  const ofPolicies = ordered
    .flatMap((policy) => findMessage('network-policy', policy)?.networkPolicyEntries?.policyRule ?? [])
    .flatMap((rule) => toAclRules(withOwnName(rule, own), rule.direction || '<>'))
    .filter(({ matchCondition }) =>
      [matchCondition?.srcAddress, matchCondition?.dstAddress].some(
        (address) => address !== undefined && mayBe(own, attached, address),
      ),
    );
  const rules = [
    ...ofPolicies,
    between(own, own, 'pass'),
    ...ofPolicies.filter(namesNetworks).map(denyOthers),
    between('any', 'any', 'pass'),
  ];
  return toResource('access-control-list', {
    meta: childMeta(network, 'access-control-list', fqName.at(-1) ?? ''),
    accessControlListEntries: { dynamic: false, aclRule: withoutRepetitions(rules) },
  });
}

/** The same whatever the policies are. */
export function networkAccessListUuid(network: Resource): string {
  return childMeta(network, 'access-control-list', metaOf(network).fqName.at(-1) ?? '').uuid;
}

/** Whether an end of a rule names the network, or any. @param attached names of its policies. */
function mayBe(own: string, attached: ReadonlySet<string>, address: AddressType): boolean {
  const { virtualNetwork, networkPolicy } = address;
  return virtualNetwork === own || virtualNetwork === 'any' || attached.has(networkPolicy) || !namesNetwork(address);
}

function namesNetwork({ virtualNetwork, networkPolicy }: AddressType): boolean {
  return virtualNetwork !== '' || networkPolicy !== '';
}

/** Rules with addresses alone join no networks: others decide what else is between those. */
function namesNetworks({ matchCondition }: AclRuleType): boolean {
  return [matchCondition?.srcAddress, matchCondition?.dstAddress].every(
    (address) => address !== undefined && namesNetwork(address),
  );
}

/** By major, then minor number of the attachment; without one last. */
function inSequence(network: Resource, policies: readonly Resource[]): Resource[] {
  const refs = findMessage('virtual-network', network)?.networkPolicyRefs ?? [];
  const found = new Map(policies.map((policy) => [metaOf(policy).uuid, policy]));
  const rank = (attr: (typeof refs)[number]['attr']): [number, number] => {
    const sequence = attr?.sequence;
    return sequence === undefined ? [Number.MAX_SAFE_INTEGER, 0] : [sequence.major, sequence.minor];
  };
  return refs
    .map(({ uuid, attr }) => ({ policy: found.get(uuid), rank: rank(attr) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .flatMap(({ policy }) => policy ?? []);
}

/** `local` is the network to which the policy is attached. */
function withOwnName(rule: PolicyRuleType, own: string): PolicyRuleType {
  const named = (address: AddressType): AddressType =>
    address.virtualNetwork === 'local' ? { ...address, virtualNetwork: own } : address;
  return {
    ...rule,
    srcAddresses: rule.srcAddresses.map(named),
    dstAddresses: rule.dstAddresses.map(named),
  };
}

function between(from: string, to: string, simpleAction: string): AclRuleType {
  return AclRuleType.fromPartial({
    matchCondition: {
      protocol: 'any',
      srcAddress: { virtualNetwork: from },
      srcPort: anyPort,
      dstAddress: { virtualNetwork: to },
      dstPort: anyPort,
    },
    actionList: { simpleAction },
    direction: '<>',
  });
}

/** What the rule does not let through between its ends stays out. */
function denyOthers({ matchCondition, ruleUuid }: AclRuleType): AclRuleType {
  const whole = (address: AddressType | undefined): AddressType | undefined =>
    address && { ...address, subnet: undefined, subnetList: [] };
  return AclRuleType.fromPartial({
    matchCondition: {
      protocol: 'any',
      srcAddress: whole(matchCondition?.srcAddress),
      srcPort: anyPort,
      dstAddress: whole(matchCondition?.dstAddress),
      dstPort: anyPort,
    },
    actionList: { simpleAction: 'deny' },
    ruleUuid,
    direction: '<>',
  });
}

function withoutRepetitions(rules: readonly AclRuleType[]): AclRuleType[] {
  const seen = new Set<string>();
  return rules.filter((rule) => {
    const bytes = AclRuleType.encode({ ...rule, ruleUuid: undefined }).finish();
    const key = Buffer.from(bytes).toString('base64');
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
