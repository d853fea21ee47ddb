import { tryParseAddress } from '@contrail/net';
import type { FirewallServiceType, Resource, Tag } from '@contrail/proto-gen/config/v1/resources';
import { dnsProblems } from './dns-rules';
import { formatProblem } from './formats';
import { firstAutomaticId } from './numeric-ids';
import { networkPolicyProblems, repeatedRuleProblems, securityGroupProblems } from './policy-rules';
import { isProtocol, protocolNames } from './protocols';
import { subnetListProblems, subnetServiceProblems } from './subnets';

/** Rules between the fields of one object that the table cannot say; texts without the object's name. */
export function ruleProblems(resource: Resource): string[] {
  return [...ownRuleProblems(resource), ...conflictProblems(resource), ...dnsProblems(resource)];
}

/** Parts of one object that contradict each other: over REST these are a conflict (409), as in the original. */
export function conflictProblems(resource: Resource): string[] {
  const kind = resource.kind;
  switch (kind?.$case) {
    case 'networkIpam':
      return subnetServiceProblems(kind.value.ipamSubnets?.subnets ?? [], 'ipam_subnets.subnets');
    case 'virtualNetwork':
      return kind.value.networkIpamRefs.flatMap((reference, i) =>
        subnetServiceProblems(
          reference.attr?.ipamSubnets ?? [],
          `network_ipam_refs[${i}].attr.ipam_subnets`,
        ),
      );
    case 'networkPolicy':
      return repeatedRuleProblems(kind.value.networkPolicyEntries, 'network_policy_entries');
    case 'securityGroup':
      return repeatedRuleProblems(kind.value.securityGroupEntries, 'security_group_entries');
    default:
      return [];
  }
}

function ownRuleProblems(resource: Resource): string[] {
  const kind = resource.kind;
  switch (kind?.$case) {
    case 'networkIpam':
      return networkIpamProblems(
        kind.value.ipamSubnetMethod,
        kind.value.ipamSubnets?.subnets ?? [],
      );
    case 'virtualNetwork':
      return kind.value.networkIpamRefs.flatMap((reference, i) =>
        subnetListProblems(
          // Without prefix an entry only repeats the identity of a flat subnet, as R21 clients send it.
          (reference.attr?.ipamSubnets ?? []).filter(({ subnet }) => subnet !== undefined),
          `network_ipam_refs[${i}].attr.ipam_subnets`,
        ),
      );
    case 'tag':
      return tagProblems(kind.value);
    case 'routeTarget':
      return routeTargetProblems(kind.value.meta?.fqName ?? []);
    case 'networkPolicy':
      return networkPolicyProblems(kind.value.networkPolicyEntries);
    case 'securityGroup':
      return [
        ...securityGroupProblems(kind.value.securityGroupEntries),
        ...configuredIdProblems(kind.value.configuredSecurityGroupId),
      ];
    case 'firewallRule':
      return serviceProblems(kind.value.service, 'service');
    case 'serviceGroup':
      return (kind.value.serviceGroupFirewallServiceList?.firewallService ?? []).flatMap((service, i) =>
        serviceProblems(service, `service_group_firewall_service_list.firewall_service[${i}]`),
      );
    case 'instanceIp':
      return familyProblems(
        kind.value.instanceIpAddress,
        kind.value.instanceIpFamily,
        'instance_ip_family',
      );
    case 'aliasIp':
      return familyProblems(
        kind.value.aliasIpAddress,
        kind.value.aliasIpAddressFamily,
        'alias_ip_address_family',
      );
    default:
      return [];
  }
}

function tagProblems({ meta, tagTypeName = '', tagValue = '' }: Tag): string[] {
  const name = meta?.fqName.at(-1) ?? '';
  const expected = `${tagTypeName}=${tagValue}`;
  if (tagTypeName === '' || tagValue === '') {
    return ['tag_type_name: is missing, as is tag_value; write both, or the name as type=value'];
  }
  if (tagTypeName.includes('='))
    return [`tag_type_name: is "${tagTypeName}", but it must be without =`];
  return name === expected
    ? []
    : [`meta.fq_name: ends in "${name}", but type and value make the name "${expected}"; write that`];
}

function networkIpamProblems(
  method: string,
  subnets: Parameters<typeof subnetListProblems>[0],
): string[] {
  const problems = subnetListProblems(subnets, 'ipam_subnets.subnets');
  if (subnets.length > 0 && method !== 'flat-subnet') {
    problems.push(
      `ipam_subnets: is set, but ipam_subnet_method is "${method}"; write flat-subnet, or put the subnets on the ` +
        'reference of the virtual network',
    );
  }
  return problems;
}

function routeTargetProblems(fqName: readonly string[]): string[] {
  const name = fqName.join(':');
  const problem = formatProblem('route-target', name);
  return problem === undefined ? [] : [`meta.fq_name: is "${name}", but it must be ${problem}`];
}

function serviceProblems(service: FirewallServiceType | undefined, path: string): string[] {
  const protocol = service?.protocol ?? '';
  if (protocol === '' || isProtocol(protocol)) return [];
  return [
    `${path}.protocol: is "${protocol}", but it must be one of ${protocolNames.join(', ')} or a number to 255`,
  ];
}

function configuredIdProblems(id: number): string[] {
  if (id < firstAutomaticId) return [];
  return [
    `configured_security_group_id: is ${id}, but it must be 1 to ${firstAutomaticId - 1}; 0 lets config-api choose`,
  ];
}

function familyProblems(address: string, family: string, field: string): string[] {
  const bytes = tryParseAddress(address);
  if (bytes === undefined || family === '') return [];
  const actual = bytes.length === 4 ? 'v4' : 'v6';
  return actual === family
    ? []
    : [`${field}: is ${family}, but ${address} is ${actual}; write ${actual}`];
}
