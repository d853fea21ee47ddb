import { formatPrefix } from '@contrail/net';
import { any, protocolsWithPorts } from '@contrail/policy';
import type { EndNetworks, NetworkRule, PortRange, RuleEnd } from '@contrail/policy';
import type {
  AddressType,
  Meta,
  NetworkPolicy,
  PolicyRuleType,
  PortType,
  VirtualNetwork,
} from '@contrail/proto-gen/config/v1/resources';
import { routeConflictKey, tryToPrefix } from '@contrail/resource-model';
import type { NetworkPolicyObject } from './model-object';

const protocols: ReadonlyMap<string, number> = new Map([
  ['', any],
  ['any', any],
  ['icmp', 1],
  ['tcp', 6],
  ['udp', 17],
  ['icmp6', 58],
  ['sctp', 132],
]);
const lastPort = 65_535;

/** Rules that can never match an IPv4 packet, or whose protocol or ports mean nothing, are left out. */
export function toNetworkPolicy(meta: Meta, policy: NetworkPolicy): NetworkPolicyObject {
  const name = meta.fqName.join(':');
  const rules = policy.networkPolicyEntries?.policyRule ?? [];
  return {
    type: 'network-policy',
    uuid: meta.uuid,
    name,
    conflict: meta.annotations[routeConflictKey] ?? '',
    rules: rules.flatMap((rule, i) => toRule(rule, `${name} rule ${i + 1}`) ?? []),
  };
}

/** By major, then minor number of the attachment, those without one last; else in the order in which they are attached. */
export function attachedPolicies({ networkPolicyRefs }: VirtualNetwork): string[] {
  const rank = ({ attr }: (typeof networkPolicyRefs)[number]): [number, number] =>
    attr?.sequence === undefined ? [Number.MAX_SAFE_INTEGER, 0] : [attr.sequence.major, attr.sequence.minor];
  return networkPolicyRefs
    .map((reference) => ({ uuid: reference.uuid, rank: rank(reference) }))
    .sort((a, b) => a.rank[0] - b.rank[0] || a.rank[1] - b.rank[1])
    .map(({ uuid }) => uuid);
}

function toRule(rule: PolicyRuleType, name: string): NetworkRule | undefined {
  const protocol = toProtocol(rule.protocol);
  if (protocol === undefined || rule.ethertype === 'IPv6') return undefined;
  const hasPorts = protocol === any || protocolsWithPorts.includes(protocol);
  const [sourcePorts, ports] = [rule.srcPorts, rule.dstPorts].map((list) => (hasPorts ? toRanges(list) : undefined));
  if (sourcePorts?.length === 0 || ports?.length === 0) return undefined;
  const action = rule.actionList?.simpleAction ?? '';
  return {
    name,
    isBothWays: rule.direction !== '>',
    sources: rule.srcAddresses.flatMap(toEnds),
    destinations: rule.dstAddresses.flatMap(toEnds),
    protocol,
    sourcePorts,
    ports,
    verdict: action === '' || action === 'pass' ? 'pass' : 'deny',
  };
}

function toProtocol(text: string): number | undefined {
  const known = protocols.get(text.toLowerCase());
  if (known !== undefined) return known;
  const number = Number(text);
  return Number.isInteger(number) && number > 0 && number <= 255 ? number : undefined;
}

/** Undefined: every port. */
function toRanges(ports: readonly PortType[]): PortRange[] | undefined {
  const isAll = ({ startPort, endPort }: PortType): boolean =>
    startPort === -1 || endPort === -1 || (startPort === 0 && endPort === lastPort);
  if (ports.length === 0 || ports.some(isAll)) return undefined;
  return ports
    .map(({ startPort, endPort }) => ({ first: startPort, last: endPort }))
    .filter(({ first, last }) => first >= 0 && first <= last && last <= lastPort);
}

function toEnds(address: AddressType): RuleEnd[] {
  const subnets = [...(address.subnet === undefined ? [] : [address.subnet]), ...address.subnetList];
  const parsed = subnets.flatMap((subnet) => tryToPrefix(subnet) ?? []);
  // Nothing that was written as a limit may become "everywhere".
  if (subnets.length > 0 && parsed.length === 0) return [];
  const prefixes = parsed.some(({ length }) => length === 0) ? [] : parsed.map(formatPrefix);
  const ends: EndNetworks[] = [];
  if (address.virtualNetwork !== '') ends.push(toNetworks(address.virtualNetwork));
  if (address.networkPolicy !== '') ends.push({ kind: 'policy', name: address.networkPolicy });
  if (ends.length === 0 && subnets.length > 0) ends.push({ kind: 'address' });
  return ends.map((networks) => ({ networks, prefixes }));
}

function toNetworks(name: string): EndNetworks {
  return name === 'any' || name === 'local' ? { kind: name } : { kind: 'network', name };
}
