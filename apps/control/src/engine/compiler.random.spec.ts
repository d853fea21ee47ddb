import fc from 'fast-check';
import { ipFabricNetworkUuid, metaOf } from '@contrail/resource-model';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import {
  clusterResources,
  network,
  nodeResource,
  podResources,
  podUuids,
  policy,
  serviceResources,
  testUuid,
  uuids,
} from '../../testing/cluster';
import { createdObject, testSettings } from '../../testing/compiled';
import { fullCompile } from '../../testing/full-compile';
import { drain, settle, TestIds } from '../../testing/settle';
import { networkPolicy, policyRule } from '../../testing/tenants';
import { Compiler } from './compiler';
import type { ObjectChange } from './compiler';
import { EntryTable } from './entry-table';

const fabricName = 'default-domain:default-project:ip-fabric';
const clusterPods = 'default-domain:k8s-default:k8s-default-pod-network';
const clusterServices = 'default-domain:k8s-default:k8s-default-service-network';
const policyName = ['default-domain', 'k8s-default', 'k8s-default-pod-service-np'];
const blue = { uuid: testUuid(2, 10), fqName: ['default-domain', 'k8s-default', 'blue'] };

function deleted(resource: Resource): ObjectChange {
  return { ...createdObject(resource), object: undefined };
}

/** Every state that some object may have; a random walk sets and deletes them in any order. */
const variants: Resource[] = [
  ...clusterResources(),
  // The cluster's networks with fewer policies, other subnets or no SNAT.
  ...network(ipFabricNetworkUuid, fabricName.split(':'), { vni: 1 }),
  ...network(uuids.podNetwork, ['default-domain', 'k8s-default', 'k8s-default-pod-network'], {
    vni: 2,
    ipams: [uuids.podIpam, uuids.serviceIpam],
    policies: [uuids.podServicePolicy],
  }),
  // A tenant's network that is joined with the service network only, or with nothing.
  ...network(blue.uuid, blue.fqName, { vni: 9, ipams: [uuids.podIpam], policies: [uuids.servicePolicy] }),
  ...network(blue.uuid, blue.fqName, { vni: 9 }),
  ...network(blue.uuid, blue.fqName, { vni: 9, fabricSnat: true }),
  ...network(blue.uuid, blue.fqName, { vni: 9, policies: [uuids.fabricPolicy, uuids.servicePolicy], fabricSnat: true }),
  // A policy that joins nothing any more.
  policy(uuids.servicePolicy, 'k8s-default-service-np', {
    from: { virtualNetwork: 'default-domain:x:y' },
    to: { virtualNetwork: 'any' },
  }),
  policy(uuids.podServicePolicy, 'k8s-default-pod-service-np', {
    from: { virtualNetwork: 'any' },
    to: { virtualNetwork: blue.fqName.join(':') },
  }),
  // Rules with direction, ports, prefixes and verdicts, between the tenant's network, cluster pods and services.
  networkPolicy(uuids.podServicePolicy, policyName, [
    policyRule(`${clusterPods} > ${blue.fqName.join(':')} tcp 80`),
    policyRule(`${clusterPods} <> ${clusterServices} tcp`, { ports: [80, 81] }),
  ]),
  networkPolicy(uuids.podServicePolicy, policyName, [
    policyRule('10.47.255.250/32 > any tcp', { verdict: 'deny' }),
    policyRule(`${clusterPods}@10.47.255.248/31 <> any`),
    policyRule('local <> any udp'),
  ]),
  ...network(blue.uuid, blue.fqName, { vni: 9, ipams: [uuids.podIpam], policies: [uuids.podServicePolicy, uuids.fabricPolicy] }),
  nodeResource(1),
  nodeResource(2),
  ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' }),
  ...podResources({ n: 1, node: 'node2', address: '10.47.255.250' }),
  ...podResources({ n: 2, node: 'node2', address: '10.47.255.249', networkUuid: blue.uuid }),
  ...podResources({ n: 2, node: '', address: '10.47.255.249' }),
  // The address of pod 1 again, in another network, and addresses of the network and of a node.
  ...podResources({ n: 3, node: 'node1', address: '10.47.255.250', networkUuid: blue.uuid }),
  ...podResources({ n: 3, node: 'node1', address: '10.47.255.253' }),
  // A custom pod with an alias, which may move to another interface's network or to the address of a node.
  ...podResources({ n: 5, node: 'node2', address: '10.0.0.5', networkUuid: blue.uuid, alias: '10.47.255.240' }),
  ...podResources({ n: 5, node: 'node2', address: '10.47.255.248', alias: '192.0.2.1' }),
  ...podResources({ n: 4, node: 'node1', address: '192.0.2.2', networkUuid: uuids.serviceNetwork }),
  ...serviceResources({
    n: 1,
    clusterIp: '10.96.0.10',
    port: 80,
    targetPort: 8080,
    members: [
      { address: '10.47.255.250', pod: 1, node: 'node1' },
      { address: '10.47.255.249', pod: 2 },
      { address: '192.0.2.1', node: 'node1' },
    ],
  }),
  ...serviceResources({
    n: 1,
    clusterIp: '10.96.0.11',
    port: 81,
    targetPort: 8080,
    members: [{ address: '10.47.255.250', pod: 3, ready: false }],
  }),
  // One for everybody, and one whose backends are on one network, unless the admitted ones change.
  ...serviceResources({
    n: 3,
    clusterIp: '10.96.0.1',
    port: 443,
    targetPort: 6443,
    members: [{ address: '192.0.2.1', node: 'node1' }],
    name: 'default/kubernetes',
  }),
  ...serviceResources({
    n: 4,
    clusterIp: '10.96.0.44',
    port: 80,
    targetPort: 80,
    members: [{ address: '10.47.255.240', pod: 5 }, { address: '10.47.255.250', pod: 1, refused: 'isolated' }],
  }),
  ...serviceResources({ n: 4, clusterIp: '10.96.0.44', port: 80, targetPort: 80, members: [{ address: '10.0.0.5', pod: 5 }, { address: '10.47.255.250', pod: 1 }] }),
  ...serviceResources({ n: 2, clusterIp: '10.96.0.10', port: 80, targetPort: 9090, members: [] }),
];

const anyStep = fc.record({
  index: fc.integer({ min: 0, max: variants.length - 1 }),
  isDeletion: fc.boolean(),
});
const anyWalk = fc.record({
  startsFull: fc.boolean(),
  passes: fc.array(fc.array(anyStep, { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 12 }),
});

function toChange({ index, isDeletion }: { index: number; isDeletion: boolean }): ObjectChange {
  const resource = variants[index];
  if (resource === undefined) throw new Error(`no variant ${index}`);
  return isDeletion ? deleted(resource) : createdObject(resource);
}

function contents(records: Iterable<{ key: string; scope: string; bytes: Uint8Array }>): Record<string, string> {
  const sorted = [...records].sort((a, b) => (a.key < b.key ? -1 : 1));
  return Object.fromEntries(sorted.map(({ key, scope, bytes }) => [key, `${scope} ${Buffer.from(bytes).toString('hex')}`]));
}

describe('incremental compilation', () => {
  it('gives what a full compilation gives, after every pass of any walk', () => {
    fc.assert(
      fc.property(anyWalk, ({ startsFull, passes }) => {
        const table = new EntryTable();
        const compiler = new Compiler(testSettings, table);
        const ids = new TestIds();
        if (startsFull) settle(compiler, table, { changes: variants.map(createdObject), ids });
        for (const pass of passes) {
          settle(compiler, table, { changes: pass.map(toChange), ids });
          const full = fullCompile(compiler.model, compiler.ids, testSettings);
          expect(contents(table.values())).toEqual(contents(full.values()));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('gives the same in whatever order objects come', () => {
    const run = (resources: readonly Resource[]): Record<string, string> => {
      const table = new EntryTable();
      const compiler = new Compiler(testSettings, table);
      const ids = new TestIds();
      // The numbers are the same whoever asks first.
      for (const kind of ['vrf', 'identity', 'policy', 'label']) ids.allot(kind, '');
      settle(compiler, table, { changes: resources.map(createdObject), ids });
      return contents([...table.values()].map(({ key, scope }) => ({ key, scope, bytes: new Uint8Array() })));
    };
    const cluster = [...clusterResources(), nodeResource(1), ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' })];
    expect(run([...cluster].reverse())).toEqual(run(cluster));
  });

  it('keeps the interface of a pod that moves until the new network has its numbers', () => {
    const table = new EntryTable();
    const compiler = new Compiler(testSettings, table);
    const ids = new TestIds();
    const pod = { n: 1, node: 'node1', address: '10.47.255.250' };
    settle(compiler, table, { changes: [...clusterResources(), ...podResources(pod)].map(createdObject), ids });
    const key = `interface/${podUuids.interface(1)}`;
    const before = table.get(key);
    const moved = [...network(blue.uuid, blue.fqName, { vni: 9 }), ...podResources({ ...pod, networkUuid: blue.uuid })];
    for (const resource of moved) compiler.apply(createdObject(resource));
    const { updates, missingIds } = drain(compiler.compile());
    expect(updates.map((update) => (update.before ?? update.after)?.key)).not.toContain(key);
    for (const update of updates) table.apply(update);
    compiler.learn(ids.learn(missingIds));
    settle(compiler, table, { changes: [], ids });
    expect(before?.interest?.lookup).toBeDefined();
    expect(table.get(key)?.interest?.lookup).toBe(compiler.topology.networks.get(blue.uuid)?.instance);
    expect(table.get(key)?.interest?.lookup).not.toBe(before?.interest?.lookup);
  });

  it('changes verdicts alone when policies let something else through between networks that they join', () => {
    const table = new EntryTable();
    const compiler = new Compiler(testSettings, table);
    const ids = new TestIds();
    const joining = [uuids.podServicePolicy, uuids.fabricPolicy];
    const rule = (port: number): ObjectChange =>
      createdObject(networkPolicy(uuids.podServicePolicy, policyName, [policyRule(`${clusterPods} > ${blue.fqName.join(':')} tcp ${port}`)]));
    const tenant = [
      ...network(blue.uuid, blue.fqName, { vni: 9, policies: joining }),
      ...podResources({ n: 1, node: 'node1', address: '10.47.255.250' }),
      ...podResources({ n: 2, node: 'node1', address: '198.51.100.2', networkUuid: blue.uuid, alias: '10.47.255.249' }),
    ];
    settle(compiler, table, { changes: [...[...clusterResources(), ...tenant].map(createdObject), rule(80)], ids });
    compiler.apply(rule(81));
    const { updates, connectivityChanged, missingIds } = drain(compiler.compile());
    expect([...new Set(updates.map(({ before }) => before?.kind))]).toEqual(['policy']);
    expect([connectivityChanged, missingIds]).toEqual([false, []]);
  });

  it('compiles nothing for a change of what forwarding does not use', () => {
    const table = new EntryTable();
    const compiler = new Compiler(testSettings, table);
    settle(compiler, table, { changes: clusterResources().map(createdObject), ids: new TestIds() });
    const [ipamResource] = clusterResources();
    if (ipamResource === undefined) throw new Error('the cluster has an ipam');
    metaOf(ipamResource).displayName = 'another';
    expect(compiler.apply(createdObject(ipamResource))).toBe(false);
    expect(compiler.isDirty).toBe(false);
  });
});
