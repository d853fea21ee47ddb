import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { Compiled } from '../../testing/compiled';
import { clusterResources, nodeResource, podResources, podUuids, serviceResources, uuids } from '../../testing/cluster';
import { PacketWalk } from '../../testing/packet-walk';
import type { Sender } from '../../testing/packet-walk';
import { customNetwork, customUuid, isolatedNamespaces, namespaceUuids } from '../../testing/tenants';

/**
 * The matrix of the contract, from a model with the policies that kube-manager makes. Two of each kind, on two nodes: N not
 * isolated, I isolated, L isolated with its services for everybody, C1 and C2 custom networks with equal addresses.
 */
const namespaces = [
  { n: 1, name: 'i1', isLifted: false },
  { n: 2, name: 'i2', isLifted: false },
  { n: 3, name: 'l1', isLifted: true },
  { n: 4, name: 'l2', isLifted: true },
] as const;

interface Place {
  readonly name: string;
  readonly podNetwork: string;
  readonly serviceNetwork: string;
  /** Numbers of its two pods. */
  readonly pods: readonly [number, number];
  /** Their addresses in the network. */
  readonly addresses: readonly [string, string];
  readonly aliases?: readonly [string, string];
}

const places: readonly Place[] = [
  { name: 'N', podNetwork: uuids.podNetwork, serviceNetwork: uuids.serviceNetwork, pods: [1, 2], addresses: ['10.32.0.1', '10.32.0.2'] },
  ...namespaces.map(({ n, name }): Place => {
    const { pods, services } = namespaceUuids({ n });
    const own = 10 * n;
    return { name, podNetwork: pods, serviceNetwork: services, pods: [own, own + 1], addresses: [`10.32.0.${own}`, `10.32.0.${own + 1}`] };
  }),
  ...[1, 2].map((n): Place => ({
    name: `C${n}`,
    podNetwork: customUuid(n),
    serviceNetwork: uuids.serviceNetwork,
    pods: [100 * n, 100 * n + 1],
    addresses: ['198.51.100.1', '198.51.100.2'],
    aliases: [`10.40.${n}.1`, `10.40.${n}.2`],
  })),
];

function resourcesOf({ podNetwork, serviceNetwork, pods, addresses, aliases }: Place): Resource[] {
  const own = [0, 1].flatMap((i) => {
    const [n, address, alias] = [pods[i] ?? 0, addresses[i] ?? '', aliases?.[i]];
    return podResources({ n, node: `node${i + 1}`, address, networkUuid: podNetwork, ...(alias === undefined ? {} : { alias }) });
  });
  const member = { address: aliases?.[1] ?? addresses[1], pod: pods[1] };
  return [...own, ...serviceResources({ n: pods[0], clusterIp: clusterIp(pods[0]), port: 80, targetPort: 8080, members: [member], networkUuid: serviceNetwork })];
}

function clusterIp(n: number): string {
  return `10.96.${n >> 8}.${n & 255}`;
}

const compiled = new Compiled([
  ...isolatedNamespaces(clusterResources(), namespaces),
  ...[1, 2].flatMap((n) => customNetwork(n, { prefix: '198.51.100.0', length: 24 })),
  nodeResource(1),
  nodeResource(2),
  ...places.flatMap(resourcesOf),
  // Essential, with a pod of N behind it.
  ...serviceResources({ n: 999, clusterIp: '10.96.255.253', port: 53, targetPort: 53, name: 'kube-system/kube-dns', members: [{ address: '10.32.0.1', pod: 1 }] }),
]);
const walk = new PacketWalk(compiled);

function placeNamed(name: string): Place {
  const found = places.find((place) => place.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
}

const [tcp, udp, icmp] = [6, 17, 1];

/** "yes" or "no", when all addresses and protocols of the destination agree. */
function cell(from: Sender, to: string): string {
  const [kind = '', name = ''] = to.split(' ');
  const answers = new Set(probes(kind, name).map((packet) => (walk.send(from, packet) === 'pass' ? 'yes' : 'no')));
  return [...answers].sort().join(' and ');
}

function probes(kind: string, name: string): { address: string; protocol: number; port: number }[] {
  if (kind === 'node') return [tcp, udp, icmp].map((protocol) => ({ address: '192.0.2.2', protocol, port: protocol === icmp ? 0 : 22 }));
  const place = placeNamed(name);
  if (kind === 'svc') return [{ address: clusterIp(place.pods[0]), protocol: tcp, port: 80 }];
  // Within its network a pod has its own address; elsewhere, if anywhere, its alias.
  const address = kind === 'own' ? place.addresses[1] : (place.aliases ?? place.addresses)[1];
  return [tcp, udp, icmp].map((protocol) => ({ address, protocol, port: protocol === icmp ? 0 : 8080 }));
}

const senderOf = (name: string): Sender =>
  name === 'node' ? { node: 'node1' } : { interfaceUuid: podUuids.interface(placeNamed(name).pods[0]) };

const columns = ['pod N', 'svc N', 'own pod', 'own svc', 'pod I', 'svc I', 'pod L', 'svc L', 'pod C', 'svc C', 'node'] as const;

const [yes, no] = ['yes', 'no'];
const matrix: readonly (readonly [string, readonly string[]])[] = [
  ['N', [yes, yes, yes, yes, no, no, no, yes, no, yes, yes]],
  ['i1', [no, yes, yes, yes, no, no, no, yes, no, yes, yes]],
  ['l1', [no, yes, yes, yes, no, no, no, yes, no, yes, yes]],
  ['C1', [no, no, yes, yes, no, no, no, no, no, no, no]],
  ['node', [yes, yes, yes, yes, yes, yes, yes, yes, yes, yes, yes]],
];

/** The other place of a kind, as seen by a sender. */
function destination(from: string, column: (typeof columns)[number]): string {
  const own = from === 'node' ? 'N' : from;
  switch (column) {
    case 'own pod':
      return `${from === 'node' ? 'pod' : 'own'} ${own}`;
    case 'own svc':
      return `svc ${own}`;
    case 'pod N':
      return from === 'N' ? 'own N' : column;
    case 'pod I':
    case 'svc I':
      return column.replace('I', from === 'i1' ? 'i2' : 'i1');
    case 'pod L':
    case 'svc L':
      return column.replace('L', from === 'l1' ? 'l2' : 'l1');
    case 'pod C':
    case 'svc C':
      return column.replace('C', 'C2');
    case 'svc N':
    case 'node':
      return column;
  }
}

describe('the reachability matrix', () => {
  it.each(matrix)('from %s', (from, want) => {
    const got = columns.map((column) => `${column}: ${cell(senderOf(from), destination(from, column))}`);
    expect(got).toEqual(columns.map((column, i) => `${column}: ${want[i] ?? ''}`));
  });

  it('has cluster DNS in every row', () => {
    const packet = { address: '10.96.255.253', protocol: tcp, port: 53 };
    for (const [from] of matrix) expect([from, walk.send(senderOf(from), packet)]).toEqual([from, 'pass']);
  });

  it('needs no verdicts: everybody has the one table that allows all', () => {
    expect(compiled.find('policy').map(({ rules }) => rules)).toEqual([[]]);
  });

  it.each(['N', 'i1', 'C1'])('leads out of the cluster only from N: %s', (from) => {
    const want = from === 'N' ? 'outside' : 'no route';
    expect(walk.send(senderOf(from), { address: '203.0.113.9', protocol: tcp, port: 443 })).toBe(want);
  });
});
