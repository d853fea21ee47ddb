import type { AddressType, DeepPartial, PolicyRuleType, VirtualNetworkPolicyType } from '@contrail/proto-gen/config/v1/resources';
import { derivedUuid } from '@contrail/resource-model';
import type { ObjectReference } from './cluster';
import { managedPolicies, managedRules } from './managed-entries';

/** The rules of a network policy of ours, and the annotation that says which ones are ours. */
export interface PolicyRules {
  readonly rules: DeepPartial<PolicyRuleType>[];
  readonly annotations: Record<string, string>;
}

export function policyRules(rules: DeepPartial<PolicyRuleType>[]): PolicyRules {
  return { rules, annotations: managedRules(rules.flatMap(({ ruleUuid }) => ruleUuid ?? [])) };
}

/**
 * Every protocol and port, both ways.
 *
 * @param index tells the rules of one policy apart; the first has none.
 */
export function passRule(
  policy: ObjectReference,
  [source, destination]: readonly [AddressType, AddressType],
  index?: string,
): DeepPartial<PolicyRuleType> {
  const anyPort = [{ startPort: -1, endPort: -1 }];
  return {
    ruleUuid:
      index === undefined
        ? derivedUuid(policy.uuid, 'policy-rule', policy.uuid)
        : derivedUuid(policy.uuid, 'policy-rule', policy.uuid, index),
    direction: '<>',
    protocol: 'any',
    srcAddresses: [source],
    srcPorts: anyPort,
    dstAddresses: [destination],
    dstPorts: anyPort,
    actionList: { simpleAction: 'pass' },
  };
}

/** As the end of a rule, a policy stands for every network to which it is attached. */
export function policyEnd(policy: ObjectReference): AddressType {
  return { ...emptyEnd, networkPolicy: policy.fqName.join(':') };
}

export function networkEnd(fqName: readonly string[]): AddressType {
  return { ...emptyEnd, virtualNetwork: fqName.join(':') };
}

const emptyEnd: AddressType = {
  subnet: undefined,
  virtualNetwork: '',
  securityGroup: '',
  networkPolicy: '',
  subnetList: [],
};

/** Attachments of a network, and the annotation that says which ones are ours. */
export interface Attachments {
  readonly networkPolicyRefs: { uuid: string; fqName: string[]; attr: VirtualNetworkPolicyType }[];
  readonly annotations: Record<string, string>;
}

export function attachPolicies(policies: readonly ObjectReference[]): Attachments {
  return {
    networkPolicyRefs: policies.map(({ uuid, fqName }) => ({
      uuid,
      fqName: [...fqName],
      attr: { sequence: { major: 0, minor: 0 }, timer: undefined },
    })),
    annotations: managedPolicies(policies.map(({ uuid }) => uuid)),
  };
}
