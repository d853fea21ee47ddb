import { kubeKinds } from '@contrail/kube';
import { findMessage, metaOf, toResource, withFields } from '@contrail/resource-model';
import { makeNamespace, makeNode, makePod, makeService, makeSlice, uidOf } from '../testing/kube-makers';
import { clusterNames, namesBecome } from '../testing/names-become';
import { becomes, eventually, World } from '../testing/world';
import type { WorldOptions } from '../testing/world';
import { podNetwork, serviceNetwork } from './translate/cluster';

const blue = makeNamespace('blue');

jest.setTimeout(20_000);

let world: World;
afterEach(() => world.close());

async function begin(options: WorldOptions = {}): Promise<void> {
  world = await World.create(options);
  world.startLeader();
  await becomes(() => world.names(), clusterNames);
}

describe('load', () => {
  it('gives 50 pods at once their objects in few calls', async () => {
    await begin();
    const pods = Array.from({ length: 50 }, (_, n) => makePod('default', `pod-${n}`));
    const before = world.config.transactions.length;
    world.become({ pods });
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(50));
    expect(world.config.transactions.length - before).toBeLessThan(40);
    expect(world.ipam.allocateCalls.flat()).toHaveLength(50);
    expect(world.ipam.allocateCalls.length).toBeLessThan(40);
  });

  it('splits a service with 1000 endpoints into transactions of at most 1000 operations', async () => {
    await begin();
    const endpoints = Array.from({ length: 1000 }, (_, n) => ({ address: `198.18.${n >> 8}.${n & 255}` }));
    const slices = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) =>
      makeSlice('default', 'big', endpoints.slice(n * 100, n * 100 + 100), { suffix: `s${n}` }),
    );
    world.become({ services: [makeService('default', 'big')], slices });
    await eventually(() => expect(world.config.ofType('loadbalancer-member')).toHaveLength(1000));
    expect(Math.max(...world.config.transactions.map((operations) => operations.length))).toBeLessThanOrEqual(1000);
    world.become({});
    await namesBecome(world, []);
  });
});

describe('complaints', () => {
  const reasons = (): string[] => world.kube.list(kubeKinds.events).map((event) => `${event.regarding?.kind} ${event.reason}`);

  it('names the node without InternalIP', async () => {
    await begin();
    world.become({ nodes: [makeNode('mute')] });
    await eventually(() => expect(reasons()).toEqual(['Node NoInternalIP']));
    expect(world.kube.list(kubeKinds.events)[0]?.note).toContain('status.addresses[type=InternalIP]: is absent');
  });

  it('names the invalid address of an EndpointSlice', async () => {
    await begin();
    world.become({ services: [makeService('default', 'web')], slices: [makeSlice('default', 'web', [{ address: '127.0.0.1' }])] });
    await eventually(() => expect(reasons()).toEqual(['EndpointSlice InvalidEndpointAddress']));
    expect(world.kube.list(kubeKinds.events)[0]?.note).toContain('"127.0.0.1"');
  });

  it('names a cluster IP outside the service subnets', async () => {
    await begin();
    world.become({ services: [makeService('default', 'web', { clusterIP: '203.0.113.7' })] });
    await eventually(() => expect(reasons()).toEqual(['Service ClusterIPNotUsable']));
  });

  it('tells a pod of an exhausted network, and gives it an address as soon as one is free', async () => {
    await begin({ podSubnet: '10.32.0.0/29' });
    const pods = [1, 2, 3, 4, 5].map((n) => makePod('default', `pod-${n}`));
    world.become({ pods });
    await eventually(() => expect(reasons()).toEqual(['Pod AddressExhausted']));
    const event = world.kube.list(kubeKinds.events)[0];
    expect(event?.note).toContain('10.32.0.0/29 has no free address. The pod gets its address as soon as one is free');
    const starved = event?.regarding?.name ?? '';
    const victim = pods.find((pod) => pod.metadata?.name !== starved);
    world.kube.remove(kubeKinds.pods, { namespace: 'default', name: victim?.metadata?.name });
    await eventually(() => {
      const owners = world.config.ofType('instance-ip').map((resource) => metaOf(resource).annotations['name']);
      expect(owners).toContain(starved);
    });
  });

  it('announces on the namespace of the cluster addresses that run low, before they run out', async () => {
    await begin();
    await eventually(() => {
      world.ipam.announceFilling();
      expect(reasons()).toContain('Namespace AddressesRunningLow');
    });
    const event = world.kube.list(kubeKinds.events).find(({ reason }) => reason === 'AddressesRunningLow');
    expect(event).toMatchObject({ regarding: { kind: 'Namespace', name: 'kube-system' } });
    expect(event?.note).toMatch(/subnet 10\..* fills up: \d+ of \d+ addresses are in use, .*; add a subnet/);
  });
});

describe('order of events', () => {
  it('lets a pod wait for its namespace', async () => {
    await begin();
    world.kube.put(kubeKinds.pods, makePod('late', 'web-1'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await namesBecome(world, []);
    world.kube.put(kubeKinds.namespaces, makeNamespace('late'));
    await eventually(() => expect(world.config.ofType('virtual-machine')).toHaveLength(1));
  });

  it('names the pod behind an endpoint also when the pod comes later', async () => {
    await begin();
    const slices = [makeSlice('default', 'web', [{ address: '10.47.255.252', pod: 'web-1' }])];
    world.become({ services: [makeService('default', 'web')], slices });
    await eventually(() => expect(world.config.ofType('loadbalancer-member')).toHaveLength(1));
    world.become({ services: [makeService('default', 'web')], slices, pods: [makePod('default', 'web-1')] });
    await eventually(() => {
      const [member] = world.config.ofType('loadbalancer-member');
      expect(member === undefined ? {} : metaOf(member).annotations).toMatchObject({ vm: uidOf('Pod', 'default', 'web-1') });
    });
  });
});

describe('repair', () => {
  it('does again what somebody else undid', async () => {
    await begin();
    world.become({ pods: [makePod('default', 'web-1')] });
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(1));
    const [instanceIp] = world.config.ofType('instance-ip');
    world.config.drop(instanceIp === undefined ? '' : metaOf(instanceIp).uuid);
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(1));
  });

  it('leaves running pods the addresses that they report when the store came back empty', async () => {
    world = await World.create();
    const running = ['10.47.255.252', '10.47.255.251', '10.47.255.250'].map((podIp, n) => makePod('default', `old-${n}`, { phase: 'Running', podIp }));
    const usurper = makePod('default', 'usurper', { phase: 'Running', podIp: '10.47.255.252', uid: uidOf('Pod', 'default', 'zz') });
    world.become({ pods: [makePod('default', 'new-1'), makePod('default', 'new-2'), ...running, usurper, makePod('default', 'foreign', { podIp: '192.0.2.9' })] });
    world.startLeader();
    const addressOf = (name: string): string | undefined => {
      const found = world.config.ofType('instance-ip').find((resource) => metaOf(resource).annotations['name'] === name);
      return found === undefined ? undefined : findMessage('instance-ip', found)?.instanceIpAddress;
    };
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(7));
    expect(['old-1', 'old-2'].map(addressOf)).toEqual(['10.47.255.251', '10.47.255.250']);
    // Two pods report one address: the first one has it, the other is told.
    expect(['old-0', 'usurper'].map(addressOf)).toContain('10.47.255.252');
    const all = world.config.ofType('instance-ip').map((resource) => findMessage('instance-ip', resource)?.instanceIpAddress);
    expect(new Set(all).size).toBe(7);
    await eventually(() => {
      const told = world.kube.list(kubeKinds.events).map(({ reason, note }) => `${reason} ${note}`);
      expect(told.some((line) => /^AddressLost .*is 10\.47\.255\.252, but .*is held by .*delete it, so that/.test(line))).toBe(true);
      expect(told.some((line) => /^AddressLost .*is 192\.0\.2\.9, but .*outside/.test(line))).toBe(true);
    });
  });

  it('keeps what users add to the networks of the cluster', async () => {
    await begin();
    const own = podNetwork(world.cluster).uuid;
    const project = world.config.ofType('project').find((resource) => metaOf(resource).fqName.at(-1) === 'k8s-default');
    const policy = toResource('network-policy', {
      meta: {
        uuid: uidOf('policy', '', 'users'),
        fqName: ['default-domain', 'k8s-default', 'users'],
        parentType: 'project',
        parentUuid: project === undefined ? '' : metaOf(project).uuid,
      },
    });
    world.config.put(policy);
    const network = world.config.objects.get(own);
    const refs = network === undefined ? [] : (findMessage('virtual-network', network)?.networkPolicyRefs ?? []);
    const added = { uuid: metaOf(policy).uuid, fqName: [], attr: { sequence: { major: 1, minor: 0 }, timer: undefined } };
    if (network !== undefined) world.config.put(withFields(network, { networkPolicyRefs: [...refs, added], fabricSnat: false }));
    await eventually(() => {
      const now = findMessage('virtual-network', world.config.objects.get(own) ?? policy);
      expect(now?.fabricSnat).toBe(true);
      expect(now?.networkPolicyRefs.map(({ uuid }) => uuid)).toContain(added.uuid);
    });
  });

  it('removes objects and addresses of pods that went while nobody led', async () => {
    await begin({ sweepIntervalMs: 50 });
    world.become({ pods: [makePod('default', 'web-1'), makePod('default', 'web-2')] });
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(2));
    await world.stopLeader();
    world.become({ pods: [makePod('default', 'web-1')] });
    world.startLeader();
    await eventually(() => expect(world.config.ofType('virtual-machine')).toHaveLength(1));
    await eventually(() => expect(world.ipam.held).toHaveLength(1));
  });

  it('never touches objects of another cluster or of a user', async () => {
    await begin({ sweepIntervalMs: 20 });
    const foreign = (name: string, annotations: Record<string, string>): void => {
      const uuid = uidOf('vm', '', name);
      world.config.put(toResource('virtual-machine', { meta: { uuid, fqName: [name], annotations } }));
    };
    foreign('theirs', { owner: 'k8s', cluster: 'k8s', cluster_uid: 'another', kind: 'Pod', namespace: 'x', name: 'y' });
    foreign('users', {});
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(world.config.ofType('virtual-machine')).toHaveLength(2);
  });
});

describe('failures around it', () => {
  it('goes on when config-api was away, and says so meanwhile', async () => {
    await begin();
    await world.config.silence();
    await eventually(() => expect(world.health.problems().join()).toContain('watch of config-api'));
    world.become({ pods: [makePod('default', 'web-1')] });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await world.config.listen();
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(1), 20_000);
    await eventually(() => expect(world.health.problems()).toEqual([]));
  }, 30_000);

  it('keeps everything while the Kubernetes API is away, and says so', async () => {
    await begin();
    world.become({ pods: [makePod('default', 'web-1')] });
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(1));
    world.kube.faults.statuses = Array.from({ length: 12 }, () => 503);
    world.kube.endWatches();
    await eventually(() => expect(world.health.problems().join()).toContain('503'));
    expect(world.config.ofType('virtual-machine')).toHaveLength(1);
    world.kube.faults.statuses = [];
    await eventually(() => expect(world.health.problems()).toEqual([]));
  }, 20_000);

  it.each(['ABORTED', 'UNAVAILABLE', 'FAILED_PRECONDITION'] as const)('repeats a transaction that ends with %s', async (code) => {
    await begin();
    world.config.failures = [code, code];
    world.become({ pods: [makePod('default', 'web-1'), makePod('default', 'web-2')] });
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(2));
  });

  it('refuses to share names with another cluster, and names both', async () => {
    world = await World.create();
    world.config.put(
      toResource('project', {
        meta: {
          uuid: uidOf('project', '', 'theirs'),
          fqName: ['default-domain', 'k8s-default'],
          parentType: 'domain',
          annotations: { cluster_uid: 'another' },
        },
      }),
    );
    world.startLeader();
    await eventually(() => expect(world.health.problems().join()).toContain('belongs to the cluster with uid another'));
  });
});

describe('one project for all namespaces', () => {
  it('uses a project that a user made, and never removes it', async () => {
    world = await World.create({ sharedProject: 'admin' });
    const admin = uidOf('project', '', 'admin');
    world.config.put(toResource('project', { meta: { uuid: admin, fqName: ['default-domain', 'admin'], parentType: 'domain' } }));
    world.startLeader();
    world.become({ namespaces: [blue], pods: [makePod('blue', 'web-1')] });
    await eventually(() => expect(world.config.ofType('instance-ip')).toHaveLength(1));
    expect(world.config.ofType('project').map((resource) => metaOf(resource).fqName.at(-1))).toEqual(['default-project', 'admin']);
    const network = world.config.objects.get(serviceNetwork(world.cluster).uuid);
    expect(network === undefined ? [] : metaOf(network).fqName).toEqual(['default-domain', 'admin', 'k8s-default-service-network']);
    world.become({});
    await eventually(() => expect(world.config.ofType('security-group')).toHaveLength(2));
    expect(world.config.objects.has(admin)).toBe(true);
  });

  it('makes the project when nobody has, once for all namespaces', async () => {
    world = await World.create({ sharedProject: 'everyone' });
    world.startLeader();
    world.become({ namespaces: [blue] });
    await eventually(() => expect(world.config.ofType('security-group')).toHaveLength(3));
    world.become({});
    await eventually(() => expect(world.config.ofType('security-group')).toHaveLength(2));
    expect(world.names()).toContain('project/everyone');
  });
});
