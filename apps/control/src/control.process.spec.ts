import { findMessage, metaOf, setMeta } from '@contrail/resource-model';
import { ControlServiceClient } from '@contrail/proto-gen/control/v1/control_service';
import type { ReachEnd, ReachResponse } from '@contrail/proto-gen/control/v1/reach';
import { callUnary, closeClient, createClient, staticTls } from '@contrail/rpc';
import type { TlsSource } from '@contrail/rpc';
import { startTelemetry } from '@contrail/telemetry';
import type { Telemetry } from '@contrail/telemetry';
import { testPki } from '@contrail/testing';
import type { TestPki } from '@contrail/testing';
import {
  clusterResources,
  network,
  nodeResource,
  podResources,
  podUuids,
  serviceResources,
  testUuid,
  uuids,
} from '../testing/cluster';
import { testSettings } from '../testing/compiled';
import { eventually } from '../testing/eventually';
import { FakeConfigApi } from '../testing/fake-config-api';
import { customName, customNetwork, networkPolicy, policyRule } from '../testing/tenants';
import { TestAgent } from '../testing/test-agent';
import { connectConfigApi } from './config-api-client';
import { startControl } from './start-control';
import type { RunningControl } from './start-control';

jest.setTimeout(30_000);

const blue = testUuid(2, 10);
const pod = (n: number, node: string): ReturnType<typeof podResources> =>
  podResources({ n, node, address: `10.47.${Math.floor(n / 250)}.${n % 250}` });

let pki: TestPki;
let tls: (service: string, node?: string) => TlsSource;
let api: FakeConfigApi;
let apiPort: number;
let control: RunningControl;
let agents: TestAgent[];

let telemetry: Telemetry;

beforeAll(() => {
  telemetry = startTelemetry('control', {});
  pki = testPki();
  const cache = new Map<string, TlsSource>();
  tls = (service, node) => {
    const name = `${service} ${node ?? ''}`;
    const known = cache.get(name) ?? staticTls(pki.issue(service, node === undefined ? {} : { node }));
    cache.set(name, known);
    return known;
  };
});

afterAll(() => telemetry.stop());

async function start(options: { pendingMax?: number; orphanGraceMs?: number } = {}): Promise<void> {
  api = new FakeConfigApi();
  agents = [];
  api.transact([...clusterResources(), nodeResource(1), nodeResource(2), ...pod(1, 'node1'), ...pod(2, 'node2')]);
  apiPort = await api.listen('127.0.0.1:0', tls('config-api'));
  control = await startReplica(options);
}

function startReplica({ pendingMax = 100_000, orphanGraceMs }: { pendingMax?: number; orphanGraceMs?: number } = {}): Promise<RunningControl> {
  return startControl({
    listenAddress: '127.0.0.1:0',
    tls: tls('control'),
    configApi: connectConfigApi(`127.0.0.1:${apiPort}`, tls('control')),
    settings: testSettings,
    pendingMax,
    ...(orphanGraceMs === undefined ? {} : { orphanGraceMs }),
  });
}

async function connect(node: string, options: { certificateNode?: string; protocolVersion?: number; port?: number } = {}): Promise<TestAgent> {
  const { certificateNode = node, port = control.port, ...rest } = options;
  const agent = new TestAgent({ port, tls: tls('vrouter-agent', certificateNode), node, ...rest });
  agents.push(agent);
  await eventually(() => expect(agent.inSyncs > 0 || agent.error !== undefined).toBe(true));
  return agent;
}

afterEach(async () => {
  for (const agent of agents) await agent.close();
  await control.stop();
  await api.stop();
});

function podEnd(n: number): ReachEnd {
  return { kind: { $case: 'pod', value: { namespace: 'default', name: `pod-${n}` } } };
}

describe('reach', () => {
  const ask = async (service: string): Promise<ReachResponse> => {
    const client = createClient(ControlServiceClient, { address: `127.0.0.1:${control.port}`, service: 'control', tls: tls(service) });
    try {
      return await callUnary(client, 'reach', { from: podEnd(1), to: podEnd(2), protocol: 0, port: 80 });
    } finally {
      closeClient(client);
    }
  };

  it('answers contrailctl as of the newest revision', async () => {
    await start();
    expect(await ask('contrailctl')).toMatchObject({ reachable: true, revision: api.revision, answers: [{ from: { name: 'pod default/pod-1' }, to: { node: 'node2' } }] });
  });

  it('is for contrailctl alone', async () => {
    await start();
    await expect(ask('vrouter-agent')).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});

it('stops while changes come', async () => {
  await start();
  const other = await startReplica();
  const coming = setInterval(() => api.transact(pod(3, 'node1')), 1);
  try {
    await eventually(() => expect(other.problems()).toEqual([]));
    await other.stop();
  } finally {
    clearInterval(coming);
  }
});

it('two replicas move an interface when the agents of both know its new place', async () => {
  await start();
  const other = await startReplica();
  try {
    const [one, two] = [await connect('node1'), await connect('node2', { port: other.port })];
    const vrfOf = (): number | undefined => one.find('interface').find(({ uuid }) => uuid === podUuids.interface(1))?.vrf;
    api.transact(network(blue, ['default-domain', 'k8s-default', 'blue'], { vni: 9, ipams: [uuids.podIpam], policies: [uuids.fabricPolicy] }));
    const before = vrfOf();
    two.pause();
    const revision = api.transact(podResources({ n: 1, node: 'node1', address: '10.47.0.1', networkUuid: blue }));
    setTimeout(() => two.resume(), 300);
    await eventually(() => expect(vrfOf()).not.toBe(before));
    expect(api.progress.get('node2')?.madeRevision).toBe(revision);
    await eventually(() => expect([...api.progress.values()].map((node) => [node.revision, node.movedRevision])).toEqual([[revision, revision], [revision, revision]]));
  } finally {
    await other.stop();
  }
});

const interfacesOf = (agent: TestAgent): string[] => agent.find('interface').map(({ uuid }) => uuid).sort();

describe('an agent', () => {
  it('gets a snapshot of its node, InSync, then deltas', async () => {
    await start();
    const agent = await connect('node1');
    expect(agent.batches.map(({ revision }) => revision)).toEqual(agent.batches.map(() => 0n));
    expect(agent.revision).toBe(api.revision);
    expect(interfacesOf(agent)).toEqual([podUuids.interface(1)]);
    expect(agent.find('node').map(({ name }) => name).sort()).toEqual(['node1', 'node2']);
    expect(agent.find('route').length).toBeGreaterThan(4);

    const revision = api.transact(pod(3, 'node1'));
    await eventually(() => expect(agent.revision).toBe(revision));
    expect(interfacesOf(agent)).toEqual([podUuids.interface(1), podUuids.interface(3)]);

    const routes = agent.find('route').length;
    api.transact([], { deletions: pod(3, 'node1') });
    await eventually(() => expect(interfacesOf(agent)).toEqual([podUuids.interface(1)]));
    expect(agent.find('route').length).toBe(routes - 2);
    expect(agent.inSyncs).toBe(1);
  });

  it('gets entries before what refers to them', async () => {
    await start();
    const agent = await connect('node1');
    const order = agent.batches.flatMap(({ entries }) => entries.map(({ kind }) => kind?.$case ?? ''));
    const first = (kind: (typeof order)[number]): number => order.indexOf(kind);
    expect(first('vrf')).toBeLessThan(first('interface'));
    expect(first('policy')).toBeLessThan(first('interface'));
    expect(first('interface')).toBeLessThan(first('route'));
  });

  it('of another node gets the same routes and other interfaces', async () => {
    await start();
    const [one, two] = [await connect('node1'), await connect('node2')];
    expect(interfacesOf(two)).toEqual([podUuids.interface(2)]);
    const routes = (agent: TestAgent): unknown[] => agent.find('route').map((route) => JSON.stringify(route)).sort();
    expect(routes(two)).toEqual(routes(one));
  });

  it('gets the VRF of a network with its first interface there, and loses it with the last', async () => {
    await start();
    api.transact(network(blue, ['default-domain', 'k8s-default', 'blue'], { vni: 9 }));
    const agent = await connect('node1');
    const vrfs = (): string[] => agent.find('vrf').map(({ virtualNetworkUuid }) => virtualNetworkUuid);
    expect(vrfs()).not.toContain(blue);
    const resources = podResources({ n: 5, node: 'node1', address: '10.0.0.5', networkUuid: blue });
    api.transact(resources);
    await eventually(() => expect(vrfs()).toContain(blue));
    const vrf = agent.find('vrf').find(({ virtualNetworkUuid }) => virtualNetworkUuid === blue);
    expect(agent.find('route').some(({ key }) => key?.vrf === vrf?.id)).toBe(true);
    api.transact([], { deletions: resources });
    await eventually(() => expect(vrfs()).not.toContain(blue));
    expect(agent.find('route').some(({ key }) => key?.vrf === vrf?.id)).toBe(false);
  });

  it('continues the trace of a change', async () => {
    await start();
    const agent = await connect('node1');
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const revision = api.transact(pod(4, 'node1'), { traceparent });
    await eventually(() => expect(agent.revision).toBe(revision));
    const traced = agent.batches.flatMap((batch) => batch.traced);
    expect(traced.map(({ type }) => type).sort()).toEqual(['instance-ip', 'virtual-machine', 'virtual-machine-interface']);
    for (const trace of traced) {
      // The same trace, and control's own span in it.
      expect(trace.traceparent).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/);
      expect(trace.traceparent).not.toBe(traceparent);
      expect(trace.revision).toBe(revision);
    }
  });

  it('that does not read gets the latest state, not every change', async () => {
    await start();
    const agent = await connect('node1');
    agent.pause();
    // More messages than the transport holds, so that control has to hold the rest.
    const rounds = 100;
    let revision = 0n;
    for (let round = 0; round < rounds; round += 1) {
      const members = Array.from({ length: 20 }, (_, i) => ({ address: `10.47.0.${i + 1}` }));
      const service = { n: 1, clusterIp: '10.96.0.1', port: 80, targetPort: 1000 + round, members };
      revision = api.transact(serviceResources(service));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    agent.resume();
    await eventually(() => expect(agent.revision).toBe(revision));
    const ports = new Set(agent.find('service').flatMap(({ backends }) => backends.map(({ port }) => port)));
    expect([...ports]).toEqual([1099]);
    expect(agent.batches.length).toBeLessThan(rounds);
  });

  it('that has too much to read is cut and begins again', async () => {
    await start({ pendingMax: 1_000 });
    const agent = await connect('node1');
    api.transact(Array.from({ length: 600 }, (_, i) => pod(10 + i, 'node2')).flat());
    await eventually(() => expect(agent.error).toMatchObject({ code: 'UNAVAILABLE' }));
    const again = await connect('node1');
    expect(again.find('route').length).toBeGreaterThan(2 * 600);
  });

  it('is served by one stream: a second one ends the first', async () => {
    await start();
    const first = await connect('node1');
    const second = await connect('node1');
    await eventually(() => expect(first.error).toMatchObject({ code: 'ABORTED' }));
    const revision = api.transact(pod(3, 'node1'));
    await eventually(() => expect(second.revision).toBe(revision));
  });

  it.each([
    ['of another node', { certificateNode: 'node2' }, 'PERMISSION_DENIED'],
    ['of another release', { protocolVersion: 7 }, 'FAILED_PRECONDITION'],
  ])('%s is refused', async (_name, options, code) => {
    await start();
    const agent = await connect('node1', options);
    expect(agent.error).toMatchObject({ code });
    expect(agent.entries.size).toBe(0);
  });

  it('is refused when it is no agent', async () => {
    await start();
    const agent = new TestAgent({ port: control.port, tls: tls('kube-manager'), node: 'node1' });
    agents.push(agent);
    await eventually(() => expect(agent.error).toMatchObject({ code: 'PERMISSION_DENIED' }));
  });
});

describe('an object that cannot be compiled', () => {
  it('is left out, and the others go on', async () => {
    await start();
    const agent = await connect('node1');
    const broken = pod(6, 'node1').map((resource) => {
      const vmi = findMessage('virtual-machine-interface', resource);
      if (vmi !== undefined) vmi.virtualMachineInterfaceMacAddresses = { macAddress: ['no mac'] };
      return resource;
    });
    const revision = api.transact([...broken, ...pod(3, 'node1')]);
    await eventually(() => expect(agent.revision).toBe(revision));
    expect(interfacesOf(agent)).toEqual([podUuids.interface(1), podUuids.interface(3)]);
  });
});

describe('progress', () => {
  it('is what the agent acknowledged, and follows when nothing else concerns its node', async () => {
    await start();
    const agent = await connect('node1');
    await eventually(() => expect(api.progress.get('node1')?.revision).toBe(agent.revision));
    agent.acknowledges = false;
    const before = agent.revision;
    const revision = api.transact(pod(3, 'node1'));
    await eventually(() => expect(agent.revision).toBe(revision));
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect(api.progress.get('node1')?.revision).toBe(before);
    await agent.ack(revision);
    await eventually(() => expect(api.progress.get('node1')?.revision).toBe(revision));
    // A change that concerns no node at all.
    const later = api.transact(network(blue, ['default-domain', 'k8s-default', 'x'], { vni: 9 }).slice(0, 1));
    await eventually(() => expect(api.progress.get('node1')?.revision).toBe(later));
  });

  it('names what the agent could not program', async () => {
    await start();
    const agent = await connect('node1');
    agent.acknowledges = false;
    await agent.ack(agent.revision, [{ key: `interface/${podUuids.interface(1)}`, reason: 'no device' }]);
    await eventually(() =>
      expect(api.progress.get('node1')?.exceptions).toEqual([
        { type: 'virtual-machine-interface', uuid: podUuids.interface(1), reason: 'no device' },
      ]),
    );
  });
});

describe('config-api', () => {
  it('may break the watch: it is resumed, and agents notice nothing', async () => {
    await start();
    const agent = await connect('node1');
    api.endWatches();
    await eventually(() => expect(api.watches).toHaveLength(2));
    expect(api.watches[1]?.resume?.revision).toBe(api.revision);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const revision = api.transact(pod(3, 'node1'));
    await eventually(() => expect(agent.revision).toBe(revision));
    expect(agent.inSyncs).toBe(1);
  });

  it('may ask for a resync: agents keep their streams and get the difference', async () => {
    await start();
    const agent = await connect('node1');
    const batches = agent.batches.length;
    for (const resource of pod(1, 'node1')) api.forget(resource);
    api.restore('epoch-2', api.revision + 5n);
    await eventually(() => expect(interfacesOf(agent)).toEqual([]));
    expect(agent.inSyncs).toBe(1);
    expect(agent.batches.length - batches).toBeLessThan(3);
    expect(agent.error).toBeUndefined();
  });

  it('may go back to an older revision: agents begin again', async () => {
    await start();
    const agent = await connect('node1');
    api.transact(pod(3, 'node1'));
    api.restore('epoch-2', 1n);
    await eventually(() => expect(agent.error).toMatchObject({ code: 'UNAVAILABLE' }));
    const again = await connect('node1');
    expect(again.revision).toBe(1n);
  });

  it('may lose its content: what it lost stays in force until it had time to be written again', async () => {
    await start({ orphanGraceMs: 3000 });
    await connect('node1');
    for (const resource of [...pod(1, 'node1'), ...pod(2, 'node2'), nodeResource(1)]) api.forget(resource);
    api.restore('epoch-2', 0n);
    await eventually(() => expect(agents[0]?.error).toMatchObject({ code: 'UNAVAILABLE' }));
    const again = await connect('node1');
    expect(interfacesOf(again)).toEqual([podUuids.interface(1)]);
    // Its maker writes one of the two again; nobody the other.
    const route = (n: number): boolean => again.find('route').some(({ key }) => key?.prefix?.address.equals(Buffer.from([10, 47, 0, n])) === true);
    expect([route(1), route(2)]).toEqual([true, true]);
    api.transact([...pod(1, 'node1'), nodeResource(1)]);
    await eventually(() => expect(route(2)).toBe(false));
    expect(interfacesOf(again)).toEqual([podUuids.interface(1)]);
    expect(route(1)).toBe(true);
  });

  it('may fail to allot: pods go on, revisions wait for the numbers', async () => {
    await start();
    const agent = await connect('node1');
    const before = agent.revision;
    api.allotsFail = true;
    api.transact(network(blue, ['default-domain', 'k8s-default', 'blue'], { vni: 9 }));
    const revision = api.transact(pod(3, 'node1'));
    await eventually(() => expect(interfacesOf(agent)).toContain(podUuids.interface(3)));
    expect(agent.revision).toBe(before);
    api.allotsFail = false;
    await eventually(() => expect(agent.revision).toBe(revision));
    await eventually(() => expect(api.progress.get('node1')?.revision).toBe(revision));
  });

  it('is asked for numbers once, in batches, and not for a pod', async () => {
    await start();
    await connect('node1');
    // One call for VRFs, identities and the policy, one for the labels.
    expect(api.allotments).toHaveLength(4);
    const agent = await connect('node2');
    const revision = api.transact(pod(3, 'node1'));
    await eventually(() => expect(agent.revision).toBe(revision));
    expect(api.allotments).toHaveLength(4);
  });
});

it('is not ready before the first complete configuration', async () => {
  await start();
  expect(control.problems()[0]).toContain('no complete configuration yet');
  await connect('node1');
  expect(control.problems()).toEqual([]);
});

it('writes on networks and their policy that they are not joined, again when somebody removes it, and removes it when it is over', async () => {
  await start();
  const [web] = [testUuid(3, 50)];
  const [red, blueName] = [1, 2].map((n) => customName(n).join(':'));
  const policy = networkPolicy(web, ['default-domain', 'k8s-default', 'web'], [policyRule(`${red} <> ${blueName}`)]);
  const left = customNetwork(1, { prefix: '198.51.100.0', length: 24, policies: [web] });
  const right = (prefix: string): ReturnType<typeof customNetwork> => customNetwork(2, { prefix, length: 25, policies: [web] });
  const told = (): Record<string, string> =>
    Object.fromEntries(api.conflictReports.flat().map(({ type, uuid, text }) => [`${type}/${uuid}`, text]));
  const objects = [policy, ...left, ...right('198.51.100.128')].filter((resource) => resource.kind?.$case !== 'routingInstance');
  const keys = objects.map(({ kind }) => `${kind?.$case === 'networkPolicy' ? 'network-policy' : 'virtual-network'}/${kind?.value.meta?.uuid ?? ''}`);
  api.transact([policy, ...left, ...right('198.51.100.128')]);
  const sentence =
    `network ${red} is not joined with network ${blueName}, although default-domain:k8s-default:web says so: 198.51.100.0/24 of ${red} ` +
    `overlaps 198.51.100.128/25 of ${blueName}; give one of them other subnets, detach the policy from one, or offer a service instead`;
  await eventually(() => expect(told()).toEqual(Object.fromEntries(keys.map((key) => [key, sentence]))));
  api.conflictReports.length = 0;
  api.transact([setMeta(policy, { ...metaOf(policy), annotations: {} })]);
  await eventually(() => expect(told()).toEqual({ [`network-policy/${web}`]: sentence }));
  api.conflictReports.length = 0;
  api.transact(right('203.0.113.0').map((resource) => setMeta(resource, { ...metaOf(resource), annotations: { route_conflict: sentence } })));
  await eventually(() => expect(told()).toEqual(Object.fromEntries(keys.map((key) => [key, '']))));
});
