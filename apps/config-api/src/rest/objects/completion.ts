import { randomUUID } from 'node:crypto';
import { findMessage, withFields } from '@contrail/resource-model';
import type {
  PolicyEntriesType,
  Resource,
} from '@contrail/proto-gen/config/v1/resources';
import type { ResourceStore } from '@contrail/store';
import { firewallRuleCompletion } from './firewall-rule-completion';

/** Adds to an object what the original's server adds to what a client sends. */
export type Completion = (resource: Resource) => Resource;

/**
 * What has to be added to an object; whatever must be looked up for it, is looked up here.
 * @throws RestError 404 for a tag or an address group that a rule names and that does not exist.
 */
export async function completionOf(store: ResourceStore, wanted: Resource): Promise<Completion> {
  if (findMessage('firewall-rule', wanted) !== undefined)
    return await firewallRuleCompletion(store, wanted);
  return completeRules;
}

/** Every rule of a policy or a security group has a uuid. */
function completeRules(resource: Resource): Resource {
  const policy = findMessage('network-policy', resource);
  if (policy !== undefined)
    return withFields(resource, { networkPolicyEntries: withRuleUuids(policy.networkPolicyEntries) });
  const group = findMessage('security-group', resource);
  if (group === undefined) return resource;
  return withFields(resource, { securityGroupEntries: withRuleUuids(group.securityGroupEntries) });
}

function withRuleUuids(entries: PolicyEntriesType | undefined): PolicyEntriesType | undefined {
  return (
    entries && {
      ...entries,
      policyRule: entries.policyRule.map((rule) =>
        rule.ruleUuid === undefined || rule.ruleUuid === ''
          ? { ...rule, ruleUuid: randomUUID() }
          : rule,
      ),
    }
  );
}
