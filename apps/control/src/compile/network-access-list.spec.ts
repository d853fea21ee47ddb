import { prefixContains, parseAddress } from '@contrail/net';
import type { AclRuleType, AddressType, DeepPartial, PolicyRuleType, PortType, Resource } from '@contrail/proto-gen/config/v1/resources';
import { fromResource, metaOf, networkAccessList, tryToPrefix } from '@contrail/resource-model';
import { Compiled } from '../../testing/compiled';
import { clusterResources, nodeResource, podResources, podUuids, testUuid } from '../../testing/cluster';
import { PacketWalk } from '../../testing/packet-walk';
import { customName, customNetwork, customUuid, networkPolicy, policyRule } from '../../testing/tenants';

/** AccessControlLists of networks, which administrators read, against what control programs, for random policies. */
const [tcp, udp, icmp] = [6, 17, 1];
const policyUuids = [testUuid(3, 60), testUuid(3, 61)] as const;
const policyName = (i: number): string[] => ['default-domain', 'k8s-default', `policy-${i}`];
const networkNumbers = [1, 2, 3] as const;
const names = networkNumbers.map((n) => customName(n).join(':'));
const prefixes = ['198.51.100.0', '203.0.113.0', '192.0.2.0'];
const packets: readonly (readonly [number, number])[] = [[tcp, 80], [tcp, 443], [udp, 80], [icmp, 0]];
const protocols = new Map<string | undefined, number>([['tcp', tcp], ['udp', udp], ['icmp', icmp]]);
/** Of a client; no rule below names it. */
const clientPort = 40_000;

interface Pod {
  readonly n: number;
  readonly network: number;
  readonly address: string;
}

/** In each network one pod in the lower half of the subnet, and one in the upper. */
const pods: readonly Pod[] = networkNumbers.flatMap((network, i) =>
  [1, 200].map((host, j) => ({ n: 2 * i + j + 1, network, address: (prefixes[i] ?? '').replace(/0$/, String(host)) })),
);

function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

function randomRule(random: (below: number) => number): DeepPartial<PolicyRuleType> {
  const pick = (values: readonly string[]): string => values[random(values.length)] ?? '';
  const end = (): string => {
    const i = random(3);
    const half = `${(prefixes[i] ?? '').replace(/0$/, pick(['0', '128']))}/25`;
    return pick([names[i] ?? '', names[i] ?? '', `${names[i] ?? ''}@${half}`, 'any', 'local', `policy:${policyName(random(2)).join(':')}`, half]);
  };
  const traffic = pick(['any', 'tcp', 'tcp 80', 'udp', 'udp 80', 'icmp', 'any 80']);
  return policyRule(`${end()} ${pick(['>', '<>'])} ${end()} ${traffic}`, { verdict: random(4) === 0 ? 'deny' : 'pass' });
}

interface World {
  readonly policies: readonly Resource[];
  /** The VirtualNetworks. */
  readonly networks: readonly Resource[];
  readonly compiled: Compiled;
}

function randomWorld(seed: number): World {
  const random = seeded(seed);
  const policies = policyUuids.map((uuid, i) => networkPolicy(uuid, policyName(i), Array.from({ length: 1 + random(4) }, () => randomRule(random))));
  const attachments = networkNumbers.map(() => (random(5) === 0 ? [] : random(2) === 0 ? [...policyUuids] : [policyUuids[random(2)] ?? '']));
  const made = networkNumbers.flatMap((n, i) => customNetwork(n, { prefix: prefixes[i] ?? '', length: 24, policies: attachments[i] ?? [] }));
  const ends = pods.flatMap(({ n, network, address }) => podResources({ n, node: 'node1', address, networkUuid: customUuid(network) }));
  const compiled = new Compiled([...clusterResources(), nodeResource(1), ...policies, ...made, ...ends]);
  return { policies, networks: made.filter(({ kind }) => kind?.$case === 'virtualNetwork'), compiled };
}

describe('the access control lists of networks', () => {
  it('say what control programs, for every connection between networks that exchange routes and within one', () => {
    const count = { pass: 0, deny: 0 };
    for (let seed = 1; seed <= 60; seed += 1) compareWorld(seed, randomWorld(seed), count);
    // The policies are such that both happen often.
    expect(count.pass).toBeGreaterThan(400);
    expect(count.deny).toBeGreaterThan(200);
  });
});

function compareWorld(seed: number, { policies, networks, compiled }: World, count: { pass: number; deny: number }): void {
  const lists = networks.map((network) => rulesOf(network, policies));
  const walk = new PacketWalk(compiled);
  for (const from of pods) {
    for (const to of pods) {
      const isJoined = compiled.topology.networks.get(customUuid(from.network))?.joined.has(customUuid(to.network)) === true;
      if (from === to || (from.network !== to.network && !isJoined)) continue;
      for (const [protocol, port] of packets) {
        const programmed = walk.send({ interfaceUuid: podUuids.interface(from.n) }, { address: to.address, protocol, port });
        const listed = [lists[from.network - 1], lists[to.network - 1]].every((rules) => verdictOf(rules ?? [], networks, policies, { from, to, protocol, port }) === 'pass');
        const texts = policies.map((policy) => JSON.stringify(fromResource('network-policy', policy).networkPolicyEntries));
        const what = `seed ${seed}: ${from.address} to ${to.address} ${protocol}/${port}: ${programmed}`;
        if ((programmed === 'pass') !== listed) throw new Error(`${what}, but the lists say ${String(listed)}\n${texts.join('\n')}`);
        count[listed ? 'pass' : 'deny'] += 1;
      }
    }
  }
}

function rulesOf(network: Resource, policies: readonly Resource[]): readonly AclRuleType[] {
  const list = networkAccessList(network, policies);
  return list === undefined ? [] : (fromResource('access-control-list', list).accessControlListEntries?.aclRule ?? []);
}

interface Tried {
  readonly from: Pod;
  readonly to: Pod;
  readonly protocol: number;
  readonly port: number;
}

/** The first rule that matches; a network without list passes everything. */
function verdictOf(rules: readonly AclRuleType[], networks: readonly Resource[], policies: readonly Resource[], { from, to, protocol, port }: Tried): string {
  const attached = (pod: Pod, policy: string): boolean => {
    const uuid = policies.map(metaOf).find(({ fqName }) => fqName.join(':') === policy)?.uuid;
    const network = networks.find((candidate) => metaOf(candidate).uuid === customUuid(pod.network));
    return network !== undefined && fromResource('virtual-network', network).networkPolicyRefs.some((reference) => reference.uuid === uuid);
  };
  const isEnd = (address: AddressType | undefined, pod: Pod): boolean => {
    if (address === undefined) return false;
    const { virtualNetwork, networkPolicy: policy, subnet, subnetList } = address;
    const limits = [...(subnet === undefined ? [] : [subnet]), ...subnetList].flatMap((limit) => tryToPrefix(limit) ?? []);
    if (limits.length > 0 && !limits.some((prefix) => prefixContains(prefix, parseAddress(pod.address)))) return false;
    if (policy !== '') return attached(pod, policy);
    return virtualNetwork === '' || virtualNetwork === 'any' || virtualNetwork === names[pod.network - 1];
  };
  const found = rules.find(({ matchCondition: match, direction }) => {
    if (match === undefined || (match.protocol !== 'any' && protocols.get(match.protocol) !== protocol)) return false;
    const hasPorts = protocol === tcp || protocol === udp;
    const isPort = (range: PortType | undefined, value: number): boolean =>
      range === undefined || range.startPort === -1 || (range.startPort === 0 && range.endPort === 65_535) || (hasPorts && range.startPort <= value && value <= range.endPort);
    const forward = isEnd(match.srcAddress, from) && isEnd(match.dstAddress, to) && isPort(match.srcPort, clientPort) && isPort(match.dstPort, port);
    const back = isEnd(match.srcAddress, to) && isEnd(match.dstAddress, from) && isPort(match.srcPort, port) && isPort(match.dstPort, clientPort);
    return forward || (direction === '<>' && back);
  });
  return found?.actionList?.simpleAction ?? 'pass';
}
