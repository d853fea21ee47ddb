import {
  conflictProblems,
  describe,
  dnsProblems,
  fieldsOf,
  findMessage,
  metaOf,
  typeOf,
} from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { RestError } from '../http/rest-error';

/** Fields of addresses, which belong to their objects as long as those live. */
const addressFields: readonly (readonly [field: string, name: string])[] = [
  ['instanceIpAddress', 'instance_ip_address'],
  ['floatingIpAddress', 'floating_ip_address'],
  ['aliasIpAddress', 'alias_ip_address'],
];

/**
 * Refuses what the original's server refuses with another status than 400, or only over this API.
 * @throws RestError 409 for parts that contradict each other, 403 for DNS.
 */
export function checkObject(resource: Resource): void {
  refuse(409, resource, conflictProblems(resource));
  refuse(403, resource, dnsProblems(resource));
  checkFirewallRule(resource);
}

/** Refuses changes of what never changes. @throws RestError 400 */
export function checkChange(before: Resource, after: Resource): void {
  checkObject(after);
  const was = fieldsOf(before);
  const is = fieldsOf(after);
  for (const [field, name] of addressFields) {
    if (was[field] === undefined || was[field] === '' || was[field] === is[field]) continue;
    refuse(400, after, [
      `${name}: is ${String(is[field])}, but the address ${String(was[field])} never changes; make another object`,
    ]);
  }
  if (typeOf(after) !== 'tag' && typeOf(after) !== 'tag-type') return;
  const [oldName, newName] = [before, after].map((resource) => metaOf(resource).displayName);
  if (newName !== oldName)
    refuse(400, after, [`display_name: is "${newName ?? ''}", but the name of a tag never changes; leave it out`]);
}

/** A rule names one kind of thing at each end, and either a service or service groups. @throws RestError 400 */
function checkFirewallRule(resource: Resource): void {
  const rule = findMessage('firewall-rule', resource);
  if (rule === undefined) return;
  const problems: string[] = [];
  for (const [name, end] of [['endpoint_1', rule.endpoint1], ['endpoint_2', rule.endpoint2]] as const) {
    if (end === undefined) continue;
    const kinds = [
      ...(end.tags.length > 0 ? ['tags'] : []),
      ...(end.addressGroup ? ['address_group'] : []),
      ...(end.virtualNetwork ? ['virtual_network'] : []),
      ...(end.subnet === undefined ? [] : ['subnet']),
      ...(end.any === true ? ['any'] : []),
    ];
    if (kinds.length > 1)
      problems.push(`${name}: has ${kinds.join(' and ')}, but an end point is of one kind; keep one`);
  }
  const hasService = rule.service !== undefined;
  if (hasService === rule.serviceGroupRefs.length > 0)
    problems.push(
      `service: a rule needs ${hasService ? 'either a service or service_group_refs; keep one' : 'a service or service_group_refs'}`,
    );
  if (rule.matchTags?.tagList.some((name) => name.toLowerCase() === 'label') === true)
    problems.push('match_tags: has label, but labels cannot be matched; use another tag type');
  refuse(400, resource, problems);
}

function refuse(status: number, resource: Resource, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new RestError(status, problems.map((problem) => `${describe(resource)} ${problem}`).join('\n'));
}
