import { tryParseAddress } from '@contrail/net';
import type {
  PolicyEntriesType,
  PortType,
  Resource,
  Tag,
} from '@contrail/proto-gen/config/v1/resources';
import { formatProblem } from './formats';
import { firstAutomaticId } from './numeric-ids';
import { subnetListProblems } from './subnets';

const protocolNames = ['any', 'tcp', 'udp', 'sctp', 'icmp', 'icmp6', 'ospf'];

/** Rules between the fields of one object that the table cannot say; texts without the object's name. */
export function ruleProblems(resource: Resource): string[] {
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
      return policyProblems(kind.value.networkPolicyEntries, 'network_policy_entries');
    case 'securityGroup':
      return [
        ...policyProblems(kind.value.securityGroupEntries, 'security_group_entries'),
        ...configuredIdProblems(kind.value.configuredSecurityGroupId),
      ];
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

function policyProblems(entries: PolicyEntriesType | undefined, path: string): string[] {
  return (entries?.policyRule ?? []).flatMap((rule, i) => {
    const here = `${path}.policy_rule[${i}]`;
    const problems = [
      ...rule.srcPorts.flatMap((ports, j) => portProblems(ports, `${here}.src_ports[${j}]`)),
      ...rule.dstPorts.flatMap((ports, j) => portProblems(ports, `${here}.dst_ports[${j}]`)),
    ];
    const numeric = /^\d{1,3}$/.test(rule.protocol) && Number(rule.protocol) <= 255;
    if (rule.protocol !== '' && !numeric && !protocolNames.includes(rule.protocol.toLowerCase())) {
      problems.push(
        `${here}.protocol: is "${rule.protocol}", but it must be one of ${protocolNames.join(', ')} or a number to 255`,
      );
    }
    return problems;
  });
}

function portProblems(ports: PortType, path: string): string[] {
  if (ports.startPort <= ports.endPort) return [];
  return [
    `${path}: start_port ${ports.startPort} is after end_port ${ports.endPort}; exchange them`,
  ];
}
