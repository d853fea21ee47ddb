import { randomUUID } from 'node:crypto';
import { fieldsOf, findMessage, metaOf, protocolNumber, typeOf, withFields } from '@contrail/resource-model';
import type {
  Meta,
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
  if (typeOf(wanted) === 'floating-ip' || typeOf(wanted) === 'alias-ip')
    return await ownerCompletion(store, wanted);
  return completeRules;
}

/** Levels between an address and its project: pool, network, project. */
const levelsMax = 4;

/** An address that names no project is that of its pool's project. */
async function ownerCompletion(store: ResourceStore, wanted: Resource): Promise<Completion> {
  let uuid = metaOf(wanted).parentUuid;
  for (let level = 0; level < levelsMax && uuid !== ''; level += 1) {
    const [parent] = await store.getMany([uuid]);
    if (parent === undefined) break;
    if (typeOf(parent) === 'project') return withProject(metaOf(parent));
    uuid = metaOf(parent).parentUuid;
  }
  return (resource) => resource;
}

function withProject({ uuid, fqName }: Meta): Completion {
  return (resource) => {
    const given = fieldsOf(resource)['projectRefs'];
    const isMissing = Array.isArray(given) && given.length === 0;
    return isMissing ? withFields(resource, { projectRefs: [{ uuid, fqName }] }) : resource;
  };
}

/** Every rule of a policy or a security group has a uuid, every service of a group the number of its protocol. */
function completeRules(resource: Resource): Resource {
  const services = findMessage('service-group', resource)?.serviceGroupFirewallServiceList;
  if (services !== undefined) {
    const firewallService = services.firewallService.map((service) => ({
      ...service,
      protocolId: protocolNumber(service.protocol ?? '') ?? service.protocolId,
    }));
    return withFields(resource, { serviceGroupFirewallServiceList: { ...services, firewallService } });
  }
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
