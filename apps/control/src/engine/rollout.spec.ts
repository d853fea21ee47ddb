import { formatAddress, parseAddress } from '@contrail/net';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { ipFabricNetworkUuid } from '@contrail/resource-model';
import { clusterResources, network, nodeResource, podResources, podUuids, serviceResources, testUuid, uuids } from '../../testing/cluster';
import type { NodeElsewhere } from './agent-barrier';
import { StagedControl } from '../../testing/staged-control';
import type { LateAgent } from '../../testing/staged-control';

const blue = testUuid(2, 30);
const green = testUuid(2, 31);
const isolated = (uuid: string, name: string): Resource[] =>
  network(uuid, ['default-domain', 'k8s-default', name], { vni: 9, ipams: [uuids.podIpam], policies: [uuids.fabricPolicy, uuids.servicePolicy] });
const pod = (n: number, node: string, networkUuid = uuids.podNetwork): Resource[] =>
  podResources({ n, node, address: `10.47.0.${n}`, networkUuid });
/** Called by everybody; its backend is pod 1. */
const service = (): Resource[] =>
  serviceResources({ n: 1, clusterIp: '10.96.0.10', port: 80, targetPort: 8080, members: [{ address: '10.47.0.1', pod: 1 }] });

const world = (): Resource[] => [
  ...clusterResources(),
  ...isolated(blue, 'blue'),
  ...isolated(green, 'green'),
  ...[nodeResource(1), nodeResource(2), ...pod(1, 'node1'), ...pod(2, 'node2'), ...pod(3, 'node2'), ...service()],
];

let control: StagedControl;
let one: LateAgent;
let two: LateAgent;

beforeEach(async () => {
  control = new StagedControl();
  await control.put(world());
  [one, two] = [await control.connect('node1'), await control.connect('node2')];
});

afterEach(() => control.rollout.stop());

/** VRFs from which an agent has a route to a pod, each with the VRF in which the route says that it is. */
function routesTo(agent: LateAgent, n: number): Record<string, string> {
  const names = new Map([uuids.podNetwork, blue, green, ipFabricNetworkUuid].map((uuid) => [control.vrf(uuid), nameOf(uuid)]));
  const address = formatAddress(parseAddress(`10.47.0.${n}`));
  return Object.fromEntries(
    agent.find('route').flatMap(({ key, paths }) => {
      const hop = paths[0]?.nextHop;
      if (key?.prefix === undefined || hop?.$case !== 'interface' || formatAddress(key.prefix.address) !== address) return [];
      return [[names.get(key.vrf) ?? '?', names.get(hop.value.vrf) ?? '?']];
    }),
  );
}

function nameOf(uuid: string): string {
  return { [uuids.podNetwork]: 'cluster', [blue]: 'blue', [green]: 'green' }[uuid] ?? 'fabric';
}

function vrfOf(agent: LateAgent, n: number): string {
  const found = agent.find('interface').find(({ uuid }) => uuid === podUuids.interface(n));
  return [uuids.podNetwork, blue, green].filter((uuid) => control.vrf(uuid) === found?.vrf).map(nameOf).join();
}

async function acknowledge(...agents: LateAgent[]): Promise<void> {
  for (const agent of agents) agent.acknowledge();
  await new Promise((resolve) => setImmediate(resolve));
}

const before = { routes: { cluster: 'cluster', fabric: 'cluster' }, home: 'cluster' };
const made = { routes: { cluster: 'cluster', fabric: 'cluster', blue: 'blue' }, home: 'cluster' };
const moved = { routes: { cluster: 'cluster', fabric: 'blue', blue: 'blue' }, home: 'blue' };
const after = { routes: { fabric: 'blue', blue: 'blue' }, home: 'blue' };
/** What agents have of pod 1: routes of the other node, the interface of its own. */
const view = (n = 1): { routes: Record<string, string>; home: string } => ({
  routes: routesTo(n === 1 ? two : one, n),
  home: vrfOf(n === 1 ? one : two, n),
});

describe('a pod that moves to another network', () => {
  it('is known there everywhere before it moves, and forgotten here when it has moved', async () => {
    const { revision } = one;
    expect(view()).toEqual(before);
    await control.put(pod(1, 'node1', blue));
    expect(view()).toEqual(made);
    await acknowledge(one);
    expect(view()).toEqual(made);
    await acknowledge(two);
    expect(view()).toEqual(moved);
    await acknowledge(two);
    expect(view()).toEqual(moved);
    expect([one.revision, two.revision, control.hub.published.revision]).toEqual([revision, revision, revision]);
    await acknowledge(one);
    expect(view()).toEqual(after);
    expect([one.revision, two.revision]).toEqual([control.revision, control.revision]);
    expect(control.rollout.isUnderWay).toBe(false);
  });

  it('goes back in the same stages', async () => {
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one, two);
    await acknowledge(one, two);
    await control.put(pod(1, 'node1'));
    expect(view()).toEqual({ ...after, routes: { ...after.routes, cluster: 'cluster' } });
    await acknowledge(one, two);
    expect(view()).toEqual({ routes: { cluster: 'cluster', fabric: 'cluster', blue: 'blue' }, home: 'cluster' });
    await acknowledge(one, two);
    expect(view()).toEqual(before);
  });

  it('takes its services with it only when it moves', async () => {
    const backend = (): number | undefined =>
      two.find('service').find(({ key }) => key?.vrf === control.vrf(uuids.podNetwork))?.backends[0]?.vrf;
    await control.put(pod(1, 'node1', blue));
    expect(backend()).toBe(control.vrf(uuids.podNetwork));
    await acknowledge(one, two);
    expect(backend()).toBe(control.vrf(blue));
  });

  it('waits for the numbers of labels, and until agents have these labels', async () => {
    const senders = (agent: LateAgent): number => agent.find('label').filter(({ vrf }) => vrf === control.vrf(blue)).length;
    await control.putWithoutNumbers(pod(1, 'node1', blue));
    expect(control.missing.map(({ kind }) => kind)).toContain('label');
    const known = senders(two);
    await acknowledge(one, two);
    expect(view()).toEqual(made);
    while (control.missing.length > 0) await control.giveNumbers();
    expect([senders(one), senders(two)]).toEqual([known + 1, known + 1]);
    expect(view()).toEqual(made);
    await acknowledge(one, two);
    expect(view()).toEqual(moved);
  });

  it('keeps its way also until its new network has numbers', async () => {
    const violet = testUuid(2, 32);
    await control.putWithoutNumbers([...isolated(violet, 'violet'), ...pod(1, 'node1', violet)]);
    expect(control.missing.map(({ kind }) => kind)).toContain('vrf');
    expect(view()).toEqual(before);
    await acknowledge(one, two);
    expect(view()).toEqual(before);
    while (control.missing.length > 0) await control.giveNumbers();
    expect(view()).toMatchObject({ routes: before.routes, home: 'cluster' });
    await acknowledge(one, two);
    expect(one.find('interface').find(({ uuid }) => uuid === podUuids.interface(1))?.vrf).toBe(control.vrf(violet));
    expect(routesTo(two, 1)).toHaveProperty('cluster');
    await acknowledge(one, two);
    expect(routesTo(two, 1)).not.toHaveProperty('cluster');
    expect([control.rollout.isUnderWay, control.hub.published.revision]).toEqual([false, control.revision]);
  });

  it('does not move when it is called back in time', async () => {
    const batches = one.batches.length;
    await control.put(pod(1, 'node1', blue));
    await control.put(pod(1, 'node1'));
    await acknowledge(one, two);
    await acknowledge(one, two);
    await acknowledge(one, two);
    expect(view()).toEqual(before);
    const sent = one.batches.slice(batches).flatMap(({ entries }) => entries.map(({ kind }) => kind?.$case));
    expect(sent).not.toContain('interface');
    expect(control.hub.published.revision).toBe(control.revision);
  });

  it('goes at once when it is deleted under way', async () => {
    await control.put(pod(1, 'node1', blue));
    await control.put([], pod(1, 'node1'));
    expect(vrfOf(one, 1)).toBe('');
    for (let stage = 0; stage < 4; stage += 1) await acknowledge(one, two);
    expect(view()).toEqual({ routes: {}, home: '' });
    expect(control.hub.published.revision).toBe(control.revision);
  });
});

describe('while a pod moves', () => {
  it('a new pod waits for nobody', async () => {
    await control.put(pod(1, 'node1', blue));
    await control.put(pod(4, 'node1'));
    expect(vrfOf(one, 4)).toBe('cluster');
    expect(routesTo(two, 4)).toEqual({ cluster: 'cluster', fabric: 'cluster' });
    expect(view()).toEqual(made);
    // Whoever has acknowledged the first stage goes on, whatever came later.
    await acknowledge(one, two);
    expect(view()).toEqual(moved);
  });

  it('another one may join it, until it has moved: parts of one change come one after the other', async () => {
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one);
    await control.put(pod(2, 'node2', blue));
    // Both agents have to know the second one, too.
    two.acknowledge();
    expect([vrfOf(one, 1), vrfOf(two, 2)]).toEqual(['cluster', 'cluster']);
    await acknowledge(one);
    expect([view(1), view(2)]).toEqual([moved, moved]);
    await acknowledge(one, two);
    expect([view(1), view(2)]).toEqual([after, after]);
    expect(control.hub.published.revision).toBe(control.revision);
  });

  it('another one that comes later prepares, and moves after it', async () => {
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one, two);
    await control.put(pod(2, 'node2', green));
    const prepared = { routes: { cluster: 'cluster', fabric: 'cluster', green: 'green' }, home: 'cluster' };
    expect([view(1), view(2)]).toEqual([moved, prepared]);
    await acknowledge(one, two);
    expect(view(1)).toEqual(after);
    expect(control.hub.published.revision).toBe(control.revision - 1n);
    for (let stage = 0; stage < 3; stage += 1) await acknowledge(one, two);
    expect(view(2)).toEqual({ routes: { fabric: 'green', green: 'green' }, home: 'green' });
    expect(control.hub.published.revision).toBe(control.revision);
  });

  it('a change of mind is followed when agents know the new aim, too', async () => {
    await control.put(pod(1, 'node1', blue));
    await control.put(pod(1, 'node1', green));
    expect(vrfOf(one, 1)).toBe('cluster');
    for (let stage = 0; stage < 4; stage += 1) await acknowledge(one, two);
    expect(view()).toEqual({ routes: { fabric: 'green', green: 'green' }, home: 'green' });
    expect(control.hub.published.revision).toBe(control.revision);
  });

  it('an agent that connects gets the state of the stage and is waited for', async () => {
    await control.put(pod(1, 'node1', blue));
    await control.leave(two);
    two = await control.connect('node2');
    expect(view()).toEqual(made);
    await acknowledge(one);
    expect(view()).toEqual(moved);
  });
});

describe('an agent that does not answer', () => {
  it('is waited for two seconds in each stage', async () => {
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one);
    await control.clock.pass(1_999);
    expect(view()).toEqual(made);
    await control.clock.pass(1);
    expect(view()).toEqual(moved);
  });

  it('is not waited for again before it has answered', async () => {
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one);
    await control.clock.pass(2_000);
    await acknowledge(one);
    expect(view()).toEqual(after);
    await acknowledge(two);
    await control.put(pod(1, 'node1'));
    await acknowledge(one);
    expect(vrfOf(one, 1)).toBe('blue');
    await acknowledge(two);
    expect(vrfOf(one, 1)).toBe('cluster');
  });

  it('is not waited for when it is gone', async () => {
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one);
    await control.leave(two);
    expect(vrfOf(one, 1)).toBe('blue');
  });
});

describe('agents of another replica', () => {
  /** What a replica reports of its agent. */
  const reported = (replica: StagedControl, agent: LateAgent): NodeElsewhere => ({
    hasReached: ({ stage, revision }) => replica.rollout.stagesOf(agent.stream)[stage] >= revision,
  });

  it('are waited for in every stage as those of the own one', async () => {
    const other = new StagedControl();
    await other.put(world());
    await control.leave(two);
    two = await other.connect('node2');
    [control.elsewhere, other.elsewhere] = [[reported(other, two)], [reported(control, one)]];
    const look = async (): Promise<void> => {
      control.rollout.advance();
      await acknowledge();
    };
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one);
    // The other replica has not even heard of the change.
    expect(view()).toEqual(before);
    await other.put(pod(1, 'node1', blue));
    await look();
    expect(view()).toEqual(made);
    await acknowledge(two);
    await look();
    expect(view()).toEqual(moved);
    await acknowledge(one);
    await look();
    expect(control.rollout.isUnderWay).toBe(true);
    await acknowledge(two);
    await look();
    expect(view()).toEqual(after);
    expect([control, other].map(({ rollout }) => rollout.isUnderWay)).toEqual([false, false]);
    other.rollout.stop();
  });

  it('hold nobody up for more than two seconds, once', async () => {
    control.elsewhere = [{ hasReached: () => false }];
    await control.put(pod(1, 'node1', blue));
    await acknowledge(one, two);
    await control.clock.pass(1_999);
    expect(view()).toEqual(made);
    await control.clock.pass(1);
    expect(view()).toEqual(moved);
    await acknowledge(one, two);
    expect(view()).toEqual(after);
  });

  it('are known to have made what is published whole, and moved what has moved', async () => {
    const stages = (): bigint[] => {
      const { made: isMade, moved: isMoved } = control.rollout.stagesOf(one.stream);
      return [isMade, isMoved];
    };
    expect(stages()).toEqual([1n, 1n]);
    await control.putWithoutNumbers(pod(1, 'node1', blue));
    one.acknowledge();
    expect(stages()).toEqual([1n, 1n]);
    while (control.missing.length > 0) await control.giveNumbers();
    expect(stages()).toEqual([1n, 1n]);
    await acknowledge(one);
    expect(stages()).toEqual([2n, 1n]);
    await acknowledge(two);
    expect(stages()).toEqual([2n, 1n]);
    await acknowledge(one);
    expect(stages()).toEqual([2n, 2n]);
  });
});

it('moves 100 pods on two nodes in five batches for each agent', async () => {
  const nodeOf = (n: number): string => `node${1 + (n % 2)}`;
  const numbers = Array.from({ length: 100 }, (_, i) => 100 + i);
  await control.put(numbers.flatMap((n) => pod(n, nodeOf(n))));
  await acknowledge(one, two);
  const [batches, bytes] = [one.batches.length, one.bytes];
  await control.put(numbers.flatMap((n) => pod(n, nodeOf(n), blue)));
  for (let stage = 0; stage < 3; stage += 1) await acknowledge(one, two);
  expect(numbers.map((n) => vrfOf(n % 2 === 0 ? one : two, n))).toEqual(numbers.map(() => 'blue'));
  expect(one.batches.slice(batches).map(({ entries, removals }) => [entries.length, removals.length])).toEqual([
    // Routes of the new VRF, then labels as their numbers come.
    [104, 0],
    [2, 0],
    [1, 0],
    // Interfaces and the nodes' routes to them.
    [150, 0],
    [0, 100],
  ]);
  expect(one.bytes - bytes).toBeLessThan(30_000);
});

it('moves a big change as a whole, though its parts come one after the other', async () => {
  const numbers = Array.from({ length: 600 }, (_, i) => 100 + i);
  const address = (n: number): string => `10.47.${n >> 8}.${n & 255}`;
  const big = (n: number, networkUuid = uuids.podNetwork): Resource[] => podResources({ n, node: 'node1', address: address(n), networkUuid });
  await control.put(numbers.flatMap((n) => big(n)));
  await acknowledge(one, two);
  const moved = (): number => numbers.filter((n) => vrfOf(one, n) === 'blue').length;
  const part = async (from: number, to: number): Promise<void> => {
    await control.put(numbers.slice(from, to).flatMap((n) => big(n, blue)));
    await acknowledge(one, two);
    await acknowledge(one, two);
  };
  await part(0, 400);
  await control.clock.pass(90);
  expect(moved()).toBe(0);
  await part(400, 600);
  await control.clock.pass(90);
  expect(moved()).toBe(0);
  await control.clock.pass(10);
  expect(moved()).toBe(600);
  expect(control.rollout.isUnderWay).toBe(true);
  await acknowledge(one, two);
  expect(control.hub.published.revision).toBe(control.revision);
});

it('moves everything at once when the store went back: agents begin again', async () => {
  await control.put(pod(1, 'node1', blue));
  control.revision = 0n;
  await control.put(pod(3, 'node2', green));
  expect([vrfOf(one, 1), vrfOf(two, 3)]).toEqual(['blue', 'green']);
  expect(control.rollout.isUnderWay).toBe(false);
  expect(control.hub.published.revision).toBe(1n);
});
