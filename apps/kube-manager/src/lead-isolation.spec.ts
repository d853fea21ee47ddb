import { kubeKinds } from '@contrail/kube';
import { ipFabricNetworkUuid, findMessage, metaOf, toResource, typeOf, withFields } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Operation } from '@contrail/proto-gen/config/v1/messages';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { makeNamespace, makeNode, makePod, makeService, makeSlice, uidOf } from '../testing/kube-makers';
import { becomes, eventually, settles, World } from '../testing/world';
import type { KubeState, WorldOptions } from '../testing/world';

const isolated = { 'opencontrail.org/isolation': 'true' };
const lifted = { ...isolated, 'opencontrail.org/isolation.service': 'false' };
const statusKey = 'opencontrail.org/isolation-status';

jest.setTimeout(30_000);

let world: World;
afterEach(() => world.close());

async function begin(state: KubeState, options: WorldOptions = {}): Promise<void> {
  world = await World.create(options);
  world.startLeader();
  world.become(state);
  await eventually(() => expect(world.health.problems()).toEqual([]));
}

function find(type: ResourceType, name: string): Resource | undefined {
  return world.config.ofType(type).find((resource) => metaOf(resource).fqName.at(-1) === name);
}

/** Last part of the name of what has this uuid. */
function nameOf(uuid: string | undefined): string {
  const found = world.config.objects.get(uuid ?? '');
  return found === undefined ? 'absent' : (metaOf(found).fqName.at(-1) ?? '');
}

function attachedTo(network: string): string[] {
  const found = find('virtual-network', network);
  const refs = found === undefined ? [] : (findMessage('virtual-network', found)?.networkPolicyRefs ?? []);
  return refs.map(({ uuid }) => nameOf(uuid)).sort();
}

/** `a <> b` for each rule of a policy. */
function rulesOf(policy: string): string[] {
  const found = find('network-policy', policy);
  const rules = found === undefined ? [] : (findMessage('network-policy', found)?.networkPolicyEntries?.policyRule ?? []);
  const last = (text: string | undefined): string => text?.split(':').at(-1) ?? '';
  return rules
    .map(({ srcAddresses: [from], dstAddresses: [to] }) => `${last(from?.virtualNetwork || from?.networkPolicy)} <> ${last(to?.virtualNetwork)}`)
    .sort();
}

/** `Pod/web-1 interface k8s-blue-pod-network`: every interface and address of a namespace. */
function places(namespace: string): string[] {
  return world
    .ourResources()
    .filter((resource) => metaOf(resource).annotations['namespace'] === namespace)
    .flatMap((resource) => {
      const message = findMessage('virtual-machine-interface', resource) ?? findMessage('instance-ip', resource);
      const { kind, name } = metaOf(resource).annotations;
      return message === undefined ? [] : [`${kind}/${name} ${typeOf(resource)} ${nameOf(message.virtualNetworkRefs[0]?.uuid)}`];
    })
    .sort();
}

const allAt = (pods: string, services: string): string[] =>
  [
    ...['web-1', 'web-2'].flatMap((name) => [`Pod/${name} instance-ip ${pods}`, `Pod/${name} virtual-machine-interface ${pods}`]),
    `Service/web instance-ip ${services}`,
    `Service/web virtual-machine-interface ${services}`,
  ].sort();
const own = allAt('k8s-blue-pod-network', 'k8s-blue-service-network');
const clusters = allAt('k8s-default-pod-network', 'k8s-default-service-network');

function blue(annotations: Record<string, string> = {}): KubeState {
  return {
    namespaces: [makeNamespace('blue', annotations)],
    nodes: [makeNode('node1', '192.0.2.11')],
    pods: [makePod('blue', 'web-1'), makePod('blue', 'web-2')],
    services: [makeService('blue', 'web')],
    slices: [makeSlice('blue', 'web', [{ address: '10.47.255.252', pod: 'web-1' }])],
  };
}

function status(namespace = 'blue'): unknown {
  const text = world.kube.find(kubeKinds.namespaces, { name: namespace })?.metadata?.annotations?.[statusKey];
  return text === undefined ? undefined : JSON.parse(text);
}

const reasons = (): string[] => world.kube.list(kubeKinds.events).map((event) => `${event.regarding?.kind}/${event.regarding?.name} ${event.reason}`);

describe('an isolated namespace', () => {
  it('has networks and a policy of its own, attached as R21 does, and its pods and services live there', async () => {
    await begin(blue(isolated));
    await becomes(() => places('blue'), own);
    expect(attachedTo('k8s-blue-pod-network')).toEqual(['k8s-blue-pod-service-np', 'k8s-default-ip-fabric-np', 'k8s-default-service-np']);
    expect(attachedTo('k8s-blue-service-network')).toEqual(['k8s-blue-pod-service-np', 'k8s-default-ip-fabric-np']);
    expect(rulesOf('k8s-blue-pod-service-np')).toEqual(['k8s-blue-pod-network <> k8s-blue-service-network']);
    const network = find('virtual-network', 'k8s-blue-pod-network');
    const ipams = network === undefined ? [] : findMessage('virtual-network', network)?.networkIpamRefs;
    expect(ipams?.map(({ uuid }) => nameOf(uuid))).toEqual(['k8s-pod-ipam']);
    // Addresses are the cluster's: ipam knows nothing of the new networks.
    expect(new Set(world.ipam.held.map(({ network: uuid }) => nameOf(uuid)))).toEqual(
      new Set(['k8s-default-pod-network', 'k8s-default-service-network']),
    );
  });

  it('goes as a whole when the namespace goes, addresses too', async () => {
    await begin({ nodes: [makeNode('node1', '192.0.2.11')] });
    await becomes(() => world.names().includes('virtual-router/node1'), true);
    await settles(() => String(world.config.revision));
    const before = world.names();
    world.become(blue(lifted));
    await becomes(() => places('blue'), own);
    world.become({ nodes: [makeNode('node1', '192.0.2.11')] });
    await becomes(() => world.names(), before);
    await becomes(() => world.ipam.held.map(({ description }) => description), []);
  });
});

describe('a switch', () => {
  const addresses = (): string[] =>
    world.config.ofType('instance-ip').map((resource) => `${metaOf(resource).uuid} ${findMessage('instance-ip', resource)?.instanceIpAddress}`).sort();

  it('moves pods and services there and back, with their addresses, and leaves nothing behind', async () => {
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    await settles(() => String(world.config.revision));
    const [names, held] = [world.names(), addresses()];
    for (const [annotations, want] of [[isolated, own], [{}, clusters], [lifted, own], [isolated, own], [{ 'opencontrail.org/isolation': 'false' }, clusters]] as const) {
      world.become(blue(annotations));
      await becomes(() => places('blue'), want);
      expect(addresses()).toEqual(held);
    }
    await becomes(() => world.names(), names);
  });

  it('is one transaction, and changes nothing of an object but its network', async () => {
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    await settles(() => String(world.config.revision));
    const before = world.config.transactions.length;
    world.become(blue(isolated));
    await becomes(() => places('blue'), own);
    const moves = world.config.transactions.slice(before).filter((operations) =>
      operations.some(({ kind }) => kind?.$case === 'update' && kind.value.resource !== undefined && typeOf(kind.value.resource) === 'virtual-machine-interface'),
    );
    expect(moves).toHaveLength(1);
    expect(moves[0]?.map(({ kind }) => (kind?.$case === 'update' && kind.value.resource ? typeOf(kind.value.resource) : '?')).sort()).toEqual([
      ...['instance-ip', 'instance-ip', 'instance-ip', 'security-group'],
      ...['virtual-machine-interface', 'virtual-machine-interface', 'virtual-machine-interface'],
    ]);
  });

  it('is one transaction also when it has more than a thousand operations', async () => {
    const pods = Array.from({ length: 510 }, (_, n) => makePod('blue', `many-${n}`));
    await begin({ ...blue(), pods });
    await eventually(() => expect(world.config.ofType('instance-ip').length).toBeGreaterThanOrEqual(510), 25_000);
    await settles(() => String(world.config.revision));
    const before = world.config.transactions.length;
    world.become({ ...blue(isolated), pods });
    const isMove = ({ kind }: Operation): boolean =>
      kind?.$case === 'update' && kind.value.resource !== undefined && typeOf(kind.value.resource) === 'virtual-machine-interface';
    const moves = (): number[] => world.config.transactions.slice(before).map((operations) => operations.filter(isMove).length).filter((count) => count > 0);
    await eventually(() => expect(moves()).toEqual([511]), 25_000);
  }, 90_000);

  it('has services after pods on the way there, and before them on the way back: in several transactions neither lacks the other', async () => {
    const order = async (annotations: Record<string, string>, want: string[]): Promise<string[]> => {
      const before = world.config.transactions.length;
      world.become(blue(annotations));
      await becomes(() => places('blue'), want);
      const moved = world.config.transactions.slice(before).flat().flatMap(({ kind }) =>
        kind?.$case === 'update' && kind.value.resource && typeOf(kind.value.resource) === 'virtual-machine-interface' ? [metaOf(kind.value.resource).annotations['kind']] : [],
      );
      return moved.map(String);
    };
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    await settles(() => String(world.config.revision));
    expect(await order(isolated, own)).toEqual(['Pod', 'Pod', 'Service']);
    expect(await order({}, clusters)).toEqual(['Service', 'Pod', 'Pod']);
  });

  it('begins when the networks of others are joined with its own: clients with its services, its pods with open services', async () => {
    await begin({ ...blue(), namespaces: [makeNamespace('blue'), makeNamespace('red', lifted)] });
    await becomes(() => places('blue'), clusters);
    await becomes(() => attachedTo('k8s-default-pod-network').includes('k8s-red-pod-service-np'), true);
    await settles(() => String(world.config.revision));
    const before = world.config.transactions.length;
    world.become({ ...blue(lifted), namespaces: [makeNamespace('blue', lifted), makeNamespace('red', lifted)] });
    await becomes(() => places('blue'), own);
    const names = world.config.transactions.slice(before).map((operations) =>
      operations.flatMap(({ kind }) => (kind?.$case === 'update' && kind.value.resource ? [metaOf(kind.value.resource).fqName.at(-1) ?? ''] : [])),
    );
    const moves = names.findIndex((written) => written.some((name) => name.startsWith('web-1')));
    for (const joined of ['k8s-default-pod-network', 'k8s-red-pod-network', 'k8s-red-pod-service-np']) {
      expect({ joined, isBefore: names.slice(0, moves).flat().includes(joined) }).toEqual({ joined, isBefore: true });
    }
  });

  it('that is called off while others prepare leaves nothing behind', async () => {
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    await settles(() => String(world.config.revision));
    const names = world.names();
    world.become(blue(lifted));
    world.become(blue());
    await settles(() => String(world.config.revision));
    await becomes(() => world.names(), names);
    expect(attachedTo('k8s-default-pod-network')).toEqual(['k8s-default-ip-fabric-np', 'k8s-default-pod-service-np']);
  });

  it('catches a pod that comes in the middle of it', async () => {
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    world.become(blue(isolated));
    world.kube.put(kubeKinds.pods, makePod('blue', 'late'));
    await eventually(() => {
      expect(places('blue').filter((place) => place.includes('late'))).toEqual([
        'Pod/late instance-ip k8s-blue-pod-network',
        'Pod/late virtual-machine-interface k8s-blue-pod-network',
      ]);
    });
  });

  it('is finished by the next leader', async () => {
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    await world.stopLeader();
    world.become(blue(isolated));
    world.startLeader();
    await becomes(() => places('blue'), own);
  });

  it('keeps a network that something else uses, and says so on the namespace', async () => {
    await begin(blue(isolated));
    await becomes(() => places('blue'), own);
    const network = find('virtual-network', 'k8s-blue-pod-network');
    const user = toResource('instance-ip', {
      meta: { uuid: uidOf('instance-ip', '', 'users'), fqName: ['users'] },
      virtualNetworkRefs: [{ uuid: network === undefined ? '' : metaOf(network).uuid }],
    });
    world.config.put(user);
    world.become(blue());
    await becomes(() => places('blue'), clusters);
    await eventually(() => expect(reasons()).toContain('Namespace/blue NetworkInUse'));
    expect(find('virtual-network', 'k8s-blue-pod-network')).toBeDefined();
    world.config.drop(metaOf(user).uuid);
    await eventually(() => expect(find('virtual-network', 'k8s-blue-pod-network')).toBeUndefined(), 20_000);
  });
});

describe('lifted service isolation', () => {
  const two = (blueSays: Record<string, string>, redSays: Record<string, string>): KubeState => ({
    namespaces: [makeNamespace('blue', blueSays), makeNamespace('red', redSays)],
  });
  const redBase = ['k8s-default-ip-fabric-np', 'k8s-default-service-np', 'k8s-red-pod-service-np'];
  const clusterBase = ['k8s-default-ip-fabric-np', 'k8s-default-pod-service-np'];

  it('joins the cluster pod network and other isolated pod networks with the services, and is undone', async () => {
    await begin(two(lifted, isolated));
    await becomes(() => attachedTo('k8s-red-pod-network'), ['k8s-blue-pod-service-np', ...redBase]);
    await becomes(() => attachedTo('k8s-default-pod-network'), ['k8s-blue-pod-service-np', ...clusterBase]);
    await becomes(
      () => rulesOf('k8s-blue-pod-service-np'),
      ['k8s-blue-pod-network', 'k8s-default-pod-network', 'k8s-red-pod-network'].map((from) => `${from} <> k8s-blue-service-network`),
    );
    expect(rulesOf('k8s-red-pod-service-np')).toEqual(['k8s-red-pod-network <> k8s-red-service-network']);

    world.become(two(isolated, isolated));
    await becomes(() => attachedTo('k8s-red-pod-network'), redBase);
    await becomes(() => attachedTo('k8s-default-pod-network'), clusterBase);
    await becomes(() => rulesOf('k8s-blue-pod-service-np'), ['k8s-blue-pod-network <> k8s-blue-service-network']);
  });

  it('follows namespaces that become isolated later, and namespaces that go', async () => {
    await begin(two(lifted, {}));
    await becomes(() => attachedTo('k8s-default-pod-network'), ['k8s-blue-pod-service-np', ...clusterBase]);
    world.become(two(lifted, lifted));
    await becomes(() => attachedTo('k8s-blue-pod-network'), ['k8s-blue-pod-service-np', 'k8s-default-ip-fabric-np', 'k8s-default-service-np', 'k8s-red-pod-service-np']);
    await becomes(() => attachedTo('k8s-red-pod-network'), ['k8s-blue-pod-service-np', ...redBase]);
    world.become({ namespaces: [makeNamespace('red', lifted)] });
    await becomes(() => attachedTo('k8s-red-pod-network'), redBase);
    await eventually(() => expect(find('network-policy', 'k8s-blue-pod-service-np')).toBeUndefined());
    await becomes(() => rulesOf('k8s-red-pod-service-np'), ['k8s-default-pod-network', 'k8s-red-pod-network'].map((from) => `${from} <> k8s-red-service-network`));
  });
});

describe('what an administrator adds', () => {
  it('stays: rules of our policies, attachments of our networks', async () => {
    await begin({ namespaces: [makeNamespace('blue', lifted)] });
    await becomes(() => attachedTo('k8s-default-pod-network').length, 3);
    const policy = find('network-policy', 'k8s-blue-pod-service-np');
    const network = find('virtual-network', 'k8s-blue-pod-network');
    if (policy === undefined || network === undefined) throw new Error('the namespace has no networks');
    const rules = findMessage('network-policy', policy)?.networkPolicyEntries?.policyRule ?? [];
    const foreign = { ...rules[0], ruleUuid: uidOf('rule', '', 'users'), protocol: 'tcp', direction: '>' };
    world.config.put(withFields(policy, { networkPolicyEntries: { policyRule: [foreign, ...rules] } }));
    const users = toResource('network-policy', {
      meta: { uuid: uidOf('policy', '', 'users'), fqName: [...metaOf(network).fqName.slice(0, 2), 'users'], parentType: 'project', parentUuid: metaOf(network).parentUuid },
    });
    world.config.put(users);
    const refs = findMessage('virtual-network', network)?.networkPolicyRefs ?? [];
    world.config.put(withFields(network, { networkPolicyRefs: [...refs, { uuid: metaOf(users).uuid, fqName: [], attr: { sequence: { major: 1, minor: 0 } } }] }));
    world.become({ namespaces: [makeNamespace('blue', isolated)] });
    await becomes(() => rulesOf('k8s-blue-pod-service-np').length, 2);
    const now = find('network-policy', 'k8s-blue-pod-service-np');
    const left = now === undefined ? [] : findMessage('network-policy', now)?.networkPolicyEntries?.policyRule;
    expect(left?.map(({ protocol }) => protocol).sort()).toEqual(['any', 'tcp']);
    expect(attachedTo('k8s-blue-pod-network')).toContain('users');
    expect(nameOf(ipFabricNetworkUuid)).toBe('ip-fabric');
    expect(attachedTo('ip-fabric')).toEqual(['k8s-default-ip-fabric-np']);
  });
});

describe('the annotation isolation-status', () => {
  const node = (revision: bigint, name = 'node1'): (typeof world.config.progress)[number] => ({ node: name, revision, exceptions: [], reportedAtMs: 0n, madeRevision: 0n, movedRevision: 0n });

  it('says when every node has the new state', async () => {
    await begin(blue());
    world.config.progress = [node(0n), node(0n, 'gone')];
    world.become(blue(isolated));
    await eventually(() => expect(status()).toMatchObject({ state: 'switching', to: 'isolated', services: 'isolated', nodes: '0/1' }));
    world.config.progress = [node(1_000_000n)];
    await eventually(() => expect(status()).toMatchObject({ state: 'isolated', services: 'isolated', nodes: '1/1' }));
    world.become(blue());
    await eventually(() => expect(status()).toMatchObject({ state: 'not-isolated', nodes: '1/1' }));
  });

  it('is completed by the next leader, and is not written where nobody ever asked', async () => {
    await begin({ ...blue(lifted), namespaces: [makeNamespace('blue', { ...lifted, [statusKey]: '{"state":"switching","to":"isolated"}' }), makeNamespace('green')] });
    await eventually(() => expect(status()).toMatchObject({ state: 'isolated', services: 'open', nodes: '0/0' }));
    expect(status('green')).toBeUndefined();
  });
});

describe('bad input', () => {
  it('isolates a new namespace whose annotation is malformed, and says so', async () => {
    await begin(blue({ 'opencontrail.org/isolation': 'yes' }));
    await becomes(() => places('blue'), own);
    await eventually(() => expect(reasons()).toContain('Namespace/blue MalformedAnnotation'));
  });

  it('keeps a namespace as it was when its annotation becomes malformed', async () => {
    await begin(blue());
    await becomes(() => places('blue'), clusters);
    world.become(blue({ 'opencontrail.org/isolation': '1' }));
    await eventually(() => expect(reasons()).toContain('Namespace/blue MalformedAnnotation'));
    expect(places('blue')).toEqual(clusters);
    expect(find('virtual-network', 'k8s-blue-pod-network')).toBeUndefined();
  });

  it('lets a namespace go in the middle of its switch, back and forth, and leaves nothing of it', async () => {
    await begin({ nodes: [makeNode('node1', '192.0.2.11')], namespaces: [makeNamespace('red')], pods: [makePod('red', 'web-9')] });
    await eventually(() => expect(places('red')).toHaveLength(2));
    await settles(() => String(world.config.revision));
    const [names, red] = [world.names(), places('red')];
    const others = { nodes: [makeNode('node1', '192.0.2.11')], namespaces: [makeNamespace('red')], pods: [makePod('red', 'web-9')] };
    const withBlue = (annotations: Record<string, string>): KubeState => {
      const { namespaces = [], pods = [], services = [], slices = [] } = blue(annotations);
      return { ...others, namespaces: [...others.namespaces, ...namespaces], pods: [...others.pods, ...pods], services, slices };
    };
    for (const annotations of [isolated, {}, lifted]) {
      world.become(withBlue({}));
      await becomes(() => places('blue'), clusters);
      world.become(withBlue(annotations));
      world.become(others);
      await becomes(() => world.names(), names, 20_000);
      expect(places('red')).toEqual(red);
    }
  });

  it.each(['default', 'kube-system'])('refuses to isolate %s', async (name) => {
    await begin({});
    world.kube.put(kubeKinds.namespaces, makeNamespace(name, isolated));
    await eventually(() => expect(reasons()).toContain(`Namespace/${name} IsolationRefused`));
    await eventually(() => expect(find('virtual-network', 'k8s-default-pod-network')).toBeDefined());
    await settles(() => String(world.config.revision));
    expect(world.config.ofType('virtual-network').map((resource) => metaOf(resource).fqName.at(-1)).sort()).toEqual([
      ...['ip-fabric', 'k8s-default-pod-network', 'k8s-default-service-network'],
    ]);
  });
});
