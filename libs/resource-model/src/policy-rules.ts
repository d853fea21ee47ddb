import { PolicyRuleType } from '@contrail/proto-gen/config/v1/resources';
import type {
  AddressType,
  PolicyEntriesType,
  PortType,
} from '@contrail/proto-gen/config/v1/resources';
import { isProtocol, protocolNames } from './protocols';
import { tryToPrefix } from './subnets';

/** What is wrong with the rules of a NetworkPolicy; texts without the object's name. */
export function networkPolicyProblems(entries: PolicyEntriesType | undefined): string[] {
  return eachRule(entries, 'network_policy_entries', (rule, here) => [
    ...commonProblems(rule, here),
    ...(rule.actionList === undefined
      ? [`${here}.action_list: is missing; write {"simple_action": "pass"} or "deny"`]
      : []),
    ...addressesOf(rule, here).flatMap(([{ securityGroup }, path]) =>
      securityGroup === ''
        ? []
        : [`${path}.security_group: is "${securityGroup}", but a network policy cannot name a security group; write virtual_network or subnet`],
    ),
  ]);
}

/** What is wrong with the rules of a SecurityGroup. */
export function securityGroupProblems(entries: PolicyEntriesType | undefined): string[] {
  return eachRule(entries, 'security_group_entries', (rule, here) => {
    const addresses = addressesOf(rule, here);
    const hasLocal = addresses.some(([{ securityGroup }]) => securityGroup === 'local');
    return [
      ...commonProblems(rule, here),
      ...(hasLocal
        ? []
        : [`${here}: at least one of src_addresses and dst_addresses must be {"security_group": "local"}, the protected interface`]),
      ...addresses.flatMap(([address, path]) => familyProblems(rule, address, path)),
    ];
  });
}

/** Rules that say the same as one before, whatever their uuids are. */
export function repeatedRuleProblems(
  entries: PolicyEntriesType | undefined,
  path: string,
): string[] {
  const first = new Map<string, { readonly index: number; readonly uuid: string }>();
  return (entries?.policyRule ?? []).flatMap((rule, index) => {
    const content = PolicyRuleType.encode({ ...rule, ruleUuid: '', created: '', lastModified: '' });
    const key = Buffer.from(content.finish()).toString('base64');
    const known = first.get(key);
    if (known === undefined) {
      first.set(key, { index, uuid: rule.ruleUuid });
      return [];
    }
    return [
      `${path}.policy_rule[${index}]: Rule already exists : ${known.uuid || `policy_rule[${known.index}]`}; remove one of them`,
    ];
  });
}

function eachRule(
  entries: PolicyEntriesType | undefined,
  path: string,
  problemsOf: (rule: PolicyRuleType, here: string) => string[],
): string[] {
  return (entries?.policyRule ?? []).flatMap((rule, i) =>
    problemsOf(rule, `${path}.policy_rule[${i}]`),
  );
}

function commonProblems({ protocol, srcPorts, dstPorts }: PolicyRuleType, here: string): string[] {
  const problems = [
    ...srcPorts.flatMap((ports, j) => portProblems(ports, `${here}.src_ports[${j}]`)),
    ...dstPorts.flatMap((ports, j) => portProblems(ports, `${here}.dst_ports[${j}]`)),
  ];
  if (protocol === '' || isProtocol(protocol)) return problems;
  return [
    ...problems,
    `${here}.protocol: is "${protocol}", but it must be one of ${protocolNames.join(', ')} or a number to 255`,
  ];
}

function portProblems(ports: PortType, path: string): string[] {
  if (ports.startPort <= ports.endPort) return [];
  return [
    `${path}: start_port ${ports.startPort} is after end_port ${ports.endPort}; exchange them`,
  ];
}

function addressesOf(rule: PolicyRuleType, here: string): [AddressType, string][] {
  const named = (side: string) => (address: AddressType, i: number): [AddressType, string] => [
    address,
    `${here}.${side}[${i}]`,
  ];
  return [
    ...rule.srcAddresses.map(named('src_addresses')),
    ...rule.dstAddresses.map(named('dst_addresses')),
  ];
}

function familyProblems({ ethertype }: PolicyRuleType, address: AddressType, path: string): string[] {
  const prefix = tryToPrefix(address.subnet);
  if (prefix === undefined || ethertype === '') return [];
  const family = prefix.address.length === 4 ? 'IPv4' : 'IPv6';
  if (family === ethertype) return [];
  const text = `${address.subnet?.ipPrefix ?? ''}/${prefix.length}`;
  return [`${path}.subnet: ${text} does not match ethertype ${ethertype}; write ${family}`];
}
