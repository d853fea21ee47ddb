import { kubeKinds } from '@contrail/kube';
import type { DeepPartial, Resource, VirtualNetwork } from '@contrail/proto-gen/config/v1/resources';
import { findMessage, metaOf, toResource, wellKnownUuid, withFields } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import type { Namespace, Pod } from 'kubernetes-types/core/v1';
import { makeNamespace, makeNode, makePod, makeService, makeSlice, uidOf } from '../testing/kube-makers';
import { becomes, eventually, settles, World } from '../testing/world';
import type { KubeState } from '../testing/world';

const networkKey = 'opencontrail.org/network';
const statusKey = 'k8s.v1.cni.cncf.io/network-status';
const isolated = { 'opencontrail.org/isolation': 'true' };

jest.setTimeout(30_000);

let world: World;
afterEach(() => world.close());

async function begin(state: KubeState): Promise<void> {
  world = await World.create();
  world.startLeader();
  world.become(state);
  await eventually(() => expect(find('virtual-network', 'k8s-default-pod-network')).toBeDefined());
}

function find(type: ResourceType, name: string): Resource | undefined {
  return world.config.ofType(type).find((resource) => (metaOf(resource).fqName.at(-1) ?? '').startsWith(name));
}

function projectUuid(name: string): string {
  const found = find('project', name);
  if (found === undefined) throw new Error(`there is no project ${name}`);
  return metaOf(found).uuid;
}

/** What an administrator makes: a network with a subnet of its own, in the project of a namespace. */
function makeNetwork(project: string, name: string, fields: DeepPartial<VirtualNetwork> & { prefix?: string } = {}): string {
  const { prefix = '192.168.0.0/24', meta, ...rest } = fields;
  const [ipPrefix = '', length] = prefix.split('/');
  const parent = { parentType: 'project', parentUuid: projectUuid(project) };
  const ipam = uidOf('ipam', project, name);
  const uuid = uidOf('network', project, name);
  world.config.put(toResource('network-ipam', { meta: { uuid: ipam, fqName: ['default-domain', project, `${name}-ipam`], ...parent } }));
  world.ipam.addNetwork(uuid, prefix);
  world.config.put(
    toResource('virtual-network', {
      meta: { uuid, fqName: ['default-domain', project, name], ...parent, ...meta },
      networkIpamRefs: [{ uuid: ipam, attr: { ipamSubnets: [{ subnet: { ipPrefix, ipPrefixLen: Number(length) } }] } }],
      ...rest,
    }),
  );
  return uuid;
}

/** `k8s-blue:red 192.168.0.252, alias 10.47.255.252` of a pod; `waits` when it has no interface. */
function placeOf(pod: string): string {
  const own = world.ourResources().filter((resource) => metaOf(resource).annotations['kind'] === 'Pod' && metaOf(resource).annotations['name'] === pod);
  const vmi = own.map((resource) => findMessage('virtual-machine-interface', resource)).find((found) => found !== undefined);
  const network = world.config.objects.get(vmi?.virtualNetworkRefs[0]?.uuid ?? '');
  if (network === undefined) return 'waits';
  const addresses = own.flatMap((resource) => findMessage('instance-ip', resource)?.instanceIpAddress ?? []);
  const aliases = own.flatMap((resource) => findMessage('alias-ip', resource)?.aliasIpAddress ?? []);
  return `${metaOf(network).fqName.slice(1).join(':')} ${addresses.join()}${aliases.length === 0 ? '' : `, alias ${aliases.join()}`}`;
}

const reasons = (): string[] => world.kube.list(kubeKinds.events).map((event) => `${event.regarding?.kind}/${event.regarding?.name} ${event.reason}`);
const noteOf = (reason: string): string => world.kube.list(kubeKinds.events).find((event) => event.reason === reason)?.note ?? '';
const on = (network: string): { annotations: Record<string, string> } => ({ annotations: { [networkKey]: network } });
const blueAndRed = { namespaces: [makeNamespace('blue'), makeNamespace('red')], nodes: [makeNode('node1', '192.0.2.11')] };

async function begun(): Promise<void> {
  await begin(blueAndRed);
  await eventually(() => expect([find('project', 'k8s-blue'), find('project', 'k8s-red')]).not.toContain(undefined));
}

describe('a pod on a custom network', () => {
  it.each([
    'default-domain:k8s-blue:tenant',
    '{"domain": "default-domain", "project": "k8s-blue", "name": "tenant"}',
    "{'domain': 'default-domain', 'project': 'k8s-blue', 'name': 'tenant'}",
  ])('named %s has an address of it, and an alias of the cluster', async (text) => {
    await begun();
    const network = makeNetwork('k8s-blue', 'tenant');
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', on(text))] });
    await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.47.255.252');
    const alias = world.config.ofType('alias-ip')[0];
    const message = alias === undefined ? undefined : findMessage('alias-ip', alias);
    expect(message?.projectRefs.map(({ uuid }) => uuid)).toEqual([projectUuid('k8s-blue')]);
    expect(message?.meta?.fqName.slice(0, 4)).toEqual([
      ...['default-domain', 'k8s-default', 'k8s-default-pod-network', 'k8s-default-alias-pool'],
    ]);
    expect(world.ipam.held.map(({ network: uuid, ownerType }) => `${uuid === network ? 'tenant' : 'cluster'} ${ownerType}`).sort()).toEqual([
      ...['cluster alias-ip', 'tenant instance-ip'],
    ]);
    world.become(blueAndRed);
    await becomes(() => placeOf('web-1'), 'waits');
    await becomes(() => world.ipam.held.length, 0);
  });

  it('may have the address that a pod of another network has', async () => {
    await begun();
    makeNetwork('k8s-blue', 'left');
    makeNetwork('k8s-red', 'right');
    const pods = [makePod('blue', 'web-1', on('default-domain:k8s-blue:left')), makePod('red', 'web-2', on('default-domain:k8s-red:right'))];
    world.become({ ...blueAndRed, pods });
    await eventually(() => {
      expect(placeOf('web-1')).toMatch(/^k8s-blue:left 192\.168\.0\.252, alias 10\.47\.255\.25[12]$/);
      expect(placeOf('web-2')).toMatch(/^k8s-red:right 192\.168\.0\.252, alias 10\.47\.255\.25[12]$/);
    });
    expect(new Set(world.config.ofType('alias-ip').map((resource) => findMessage('alias-ip', resource)?.aliasIpAddress)).size).toBe(2);
  });

  it('is given its address and its alias at once, neither waits for the other', async () => {
    await begun();
    makeNetwork('k8s-blue', 'tenant');
    let answer: () => void = () => undefined;
    world.ipam.mayAnswer = new Promise((resolve) => (answer = resolve));
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', on('default-domain:k8s-blue:tenant'))] });
    const asked = (): string[] => world.ipam.allocateCalls.flat().filter(({ description }) => description.endsWith('web-1')).map(({ ownerType }) => ownerType);
    await becomes(() => asked().sort().join(), 'alias-ip,instance-ip');
    expect(placeOf('web-1')).toBe('waits');
    answer();
    await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.47.255.252');
  });

  it('has no alias on a network with the cluster\'s own addresses', async () => {
    await begun();
    world.become({ ...blueAndRed, pods: [makePod('default', 'web-1', on('default-domain:k8s-default:k8s-default-pod-network')), makePod('blue', 'web-2')] });
    await eventually(() => expect([placeOf('web-1'), placeOf('web-2')].map((place) => place.split(' ')[0])).toEqual(Array(2).fill('k8s-default:k8s-default-pod-network')));
    expect(world.config.ofType('alias-ip')).toEqual([]);
  });

  it('stays there when its annotation, its namespace\'s annotation or the isolation changes', async () => {
    await begun();
    makeNetwork('k8s-blue', 'tenant');
    const pods = (network: string): Pod[] => [makePod('blue', 'web-1', on(network)), makePod('blue', 'web-2')];
    world.become({ ...blueAndRed, pods: pods('default-domain:k8s-blue:tenant') });
    await eventually(() => expect(placeOf('web-2')).toMatch(/^k8s-default:k8s-default-pod-network 10/));
    await eventually(() => expect(placeOf('web-1')).toMatch(/^k8s-blue:tenant 192.168.0.252, alias 10/));
    const before = [placeOf('web-1'), placeOf('web-2')];
    const namespaces = [makeNamespace('blue', { ...isolated, [networkKey]: 'default-domain:k8s-blue:tenant' }), makeNamespace('red')];
    world.become({ ...blueAndRed, namespaces, pods: pods('default-domain:k8s-blue:other') });
    await becomes(() => [placeOf('web-1'), placeOf('web-2')], [before[0] ?? '', (before[1] ?? '').replace('k8s-default:k8s-default', 'k8s-blue:k8s-blue')]);
    await eventually(() => expect(reasons()).toEqual(expect.arrayContaining(['Pod/web-1 NetworkChangeIgnored', 'Namespace/blue NetworkForNewPods'])));
    world.kube.put(kubeKinds.pods, makePod('blue', 'web-3'));
    await eventually(() => expect(placeOf('web-3')).toMatch(/^k8s-blue:tenant 192.168.0.251, alias 10/));
  });

  it('keeps its alias when the store was lost', async () => {
    await begun();
    makeNetwork('k8s-blue', 'tenant');
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', { ...on('default-domain:k8s-blue:tenant'), podIp: '10.40.0.7' })] });
    await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.40.0.7');
  });
});

it('a pod that runs on a network which was lost keeps its alias until the network is back', async () => {
  await begun();
  const [running, fresh] = [makePod('blue', 'web-1', { ...on('default-domain:k8s-blue:tenant'), podIp: '10.47.255.252' }), makePod('red', 'web-2')];
  world.become({ ...blueAndRed, pods: [running, fresh] });
  await becomes(() => placeOf('web-2'), 'k8s-default:k8s-default-pod-network 10.47.255.251');
  expect(world.ipam.held.map(({ ownerType }) => ownerType).sort()).toEqual(['alias-ip', 'instance-ip']);
  makeNetwork('k8s-blue', 'tenant');
  await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.47.255.252');
});

it('a pod that runs keeps its own address too when the store was lost: the pod says which', async () => {
  await begun();
  makeNetwork('k8s-blue', 'tenant');
  const named = on('default-domain:k8s-blue:tenant');
  world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', named)] });
  await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.47.255.252');
  const statusOf = (): unknown => {
    const text = world.kube.find(kubeKinds.pods, { namespace: 'blue', name: 'web-1' })?.metadata?.annotations?.[statusKey];
    return text === undefined ? undefined : JSON.parse(text);
  };
  const status = [{ name: 'default-domain:k8s-blue:tenant', interface: 'eth0', ips: ['192.168.0.252', '10.47.255.252'], default: true, dns: {} }];
  await becomes(statusOf, status);
  const remembered = JSON.stringify([{ ...status[0], ips: ['192.168.0.77', '10.40.0.7'] }]);
  const pod = makePod('blue', 'web-2', { annotations: { ...named.annotations, [statusKey]: remembered }, podIp: '10.40.0.7' });
  const fresh = makePod('blue', 'web-3', { annotations: { ...named.annotations, [statusKey]: remembered } });
  world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', named), pod, fresh] });
  await becomes(() => placeOf('web-2'), 'k8s-blue:tenant 192.168.0.77, alias 10.40.0.7');
  await becomes(() => placeOf('web-3'), 'k8s-blue:tenant 192.168.0.251, alias 10.47.255.251');
});

const defaultDomain = wellKnownUuid('domain', ['default-domain']);

function sharedWith(tenant: string, tenantAccess: number): DeepPartial<VirtualNetwork> {
  return { meta: { perms2: { owner: 'x', ownerAccess: 7, globalAccess: 0, share: [{ tenant, tenantAccess }] } } };
}

describe('a network that a pod cannot have', () => {
  it('is waited for by name, with an event, and the pod starts by itself', async () => {
    await begun();
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', on('default-domain:k8s-blue:tenant'))] });
    await eventually(() => expect(reasons()).toEqual(['Pod/web-1 NetworkNotFound']));
    expect(noteOf('NetworkNotFound')).toBe(
      'Pod/blue/web-1: VirtualNetwork/default-domain:k8s-blue:tenant, which Pod/blue/web-1 metadata.annotations["opencontrail.org/network"] names, ' +
        'does not exist; create it. The pod starts by itself then',
    );
    expect(placeOf('web-1')).toBe('waits');
    makeNetwork('k8s-blue', 'tenant');
    await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.47.255.252', 5_000);
  });

  it.each<[string, (project: string) => DeepPartial<VirtualNetwork>]>([
    ['is_shared', () => ({ isShared: true })],
    ['perms2.share with the project', (project) => sharedWith(`tenant:${project.replaceAll('-', '')}`, 5)],
    ['perms2.share with the domain', () => sharedWith(`domain:${defaultDomain}`, 5)],
    ['perms2.global_access', () => ({ meta: { perms2: { owner: 'x', ownerAccess: 7, globalAccess: 7, share: [] } } })],
  ])('of another project can be shared by %s', async (_name, share) => {
    await begun();
    makeNetwork('k8s-red', 'theirs');
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', on('default-domain:k8s-red:theirs'))] });
    await eventually(() => expect(reasons()).toContain('Pod/web-1 NetworkNotAllowed'));
    expect(noteOf('NetworkNotAllowed')).toContain(`is not shared with Project/default-domain:k8s-blue (uuid ${projectUuid('k8s-blue')})`);
    makeNetwork('k8s-red', 'theirs', share(projectUuid('k8s-blue')));
    await becomes(() => placeOf('web-1'), 'k8s-red:theirs 192.168.0.252, alias 10.47.255.252', 5_000);
  });

  it.each<[string, (project: string) => DeepPartial<VirtualNetwork>]>([
    ['to read only', (project) => sharedWith(project, 4)],
    ['with its domain to read only', () => sharedWith(`domain:${defaultDomain}`, 6)],
    ['with another project', () => sharedWith(uidOf('project', '', 'other'), 7)],
    ['with another domain', () => sharedWith(`domain:${uidOf('domain', '', 'other')}`, 7)],
    ['with a domain that has the number of the project', (project) => sharedWith(`domain:${project}`, 7)],
    ['with everybody to read', () => ({ meta: { perms2: { owner: 'x', ownerAccess: 7, globalAccess: 4, share: [] } } })],
  ])('of another project shared %s stays refused', async (_name, share) => {
    await begun();
    makeNetwork('k8s-red', 'theirs', share(projectUuid('k8s-blue')));
    const pods = [makePod('blue', 'web-1', on('default-domain:k8s-red:theirs')), makePod('red', 'web-2', on('default-domain:k8s-red:theirs'))];
    world.become({ ...blueAndRed, pods });
    await eventually(() => expect(reasons()).toContain('Pod/web-1 NetworkNotAllowed'));
    expect(noteOf('NetworkNotAllowed')).toContain(`or its domain (tenant "domain:${defaultDomain}")`);
    await eventually(() => expect(placeOf('web-2')).toMatch(/^k8s-red:theirs/));
    expect(placeOf('web-1')).toBe('waits');
  });

  it.each([
    ['10.96.128.0/24', 'its subnet 10.96.128.0/24 overlaps 10.96.0.0/12, the range of cluster IPs'],
    ['192.0.2.0/24', 'its subnet 192.0.2.0/24 contains 192.0.2.11, the address of a node'],
  ])('is one with the subnet %s', async (prefix, cause) => {
    await begun();
    makeNetwork('k8s-blue', 'tenant', { prefix });
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', on('default-domain:k8s-blue:tenant'))] });
    await eventually(() => expect(noteOf('NetworkConflict')).toContain(cause));
    expect(placeOf('web-1')).toBe('waits');
  });

  it('is one without subnet, until it has one', async () => {
    await begun();
    makeNetwork('k8s-blue', 'tenant', { networkIpamRefs: [] });
    world.become({ ...blueAndRed, pods: [makePod('blue', 'web-1', on('default-domain:k8s-blue:tenant'))] });
    await eventually(() => expect(reasons()).toContain('Pod/web-1 NetworkWithoutSubnet'));
    makeNetwork('k8s-blue', 'tenant');
    await becomes(() => placeOf('web-1'), 'k8s-blue:tenant 192.168.0.252, alias 10.47.255.252', 5_000);
  });

  it('is one that is full, and others are not affected', async () => {
    await begun();
    makeNetwork('k8s-blue', 'small', { prefix: '192.168.9.0/30' });
    const pods = ['web-1', 'web-2'].map((name) => makePod('blue', name, on('default-domain:k8s-blue:small')));
    world.become({ ...blueAndRed, pods: [...pods, makePod('red', 'web-3')] });
    await eventually(() => expect(reasons().filter((reason) => reason.endsWith('AddressExhausted'))).not.toEqual([]));
    await eventually(() => expect(placeOf('web-3')).toMatch(/^k8s-default:/));
    const full = noteOf('AddressExhausted');
    for (const word of ['Pod/blue/web-', '192.168.9.0/30 has no free address', 'The pod gets its address as soon as one is free']) expect(full).toContain(word);
  });

  it('may be deleted with its namespace in the middle of everything: others, with the same addresses, go on', async () => {
    await begun();
    const left = makeNetwork('k8s-blue', 'tenant');
    makeNetwork('k8s-red', 'tenant');
    const inBlue = ['web-1', 'web-2', 'waiting'].map((name) => makePod('blue', name, on(`default-domain:k8s-blue:${name === 'waiting' ? 'absent' : 'tenant'}`)));
    const inRed = makePod('red', 'web-9', on('default-domain:k8s-red:tenant'));
    const services = [makeService('blue', 'web')];
    world.become({ ...blueAndRed, pods: [...inBlue, inRed], services });
    await eventually(() => expect(placeOf('web-9')).toMatch(/^k8s-red:tenant 192.168.0.252/));
    const before = placeOf('web-9');
    world.become({ ...blueAndRed, namespaces: [makeNamespace('red')], pods: [inRed] });
    await becomes(() => ['web-1', 'web-2', 'waiting'].map(placeOf), ['waits', 'waits', 'waits']);
    expect(placeOf('web-9')).toBe(before);
    // An administrator made the network: it is his, and keeps the project.
    expect(world.config.objects.has(left)).toBe(true);
    world.config.drop(left);
    world.config.drop(uidOf('ipam', 'k8s-blue', 'tenant'));
    await eventually(() => expect(find('project', 'k8s-blue')).toBeUndefined(), 20_000);
    expect(placeOf('web-9')).toBe(before);
    await eventually(() => expect(world.ipam.held.filter(({ network }) => network === left)).toEqual([]));
  });

  it('is one whose name is malformed: a pod is told, a new namespace\'s pods wait, an old one keeps its network', async () => {
    await begun();
    makeNetwork('k8s-blue', 'tenant');
    const named = (network: string): Namespace[] => [makeNamespace('blue', { [networkKey]: network }), makeNamespace('red')];
    world.become({ ...blueAndRed, namespaces: named('default-domain:k8s-blue:tenant'), pods: [makePod('red', 'web-1', on('red-net'))] });
    await eventually(() => expect(noteOf('MalformedAnnotation')).toContain('is "red-net", but a fully qualified name has 3 parts'));
    await settles(() => String(world.config.revision));
    world.become({ ...blueAndRed, namespaces: [...named('{"domain": 1}'), makeNamespace('new', { [networkKey]: 'nonsense' })], pods: [makePod('blue', 'web-2'), makePod('new', 'web-3')] });
    await eventually(() => expect(reasons()).toEqual(expect.arrayContaining(['Namespace/blue MalformedAnnotation', 'Namespace/new MalformedAnnotation', 'Pod/web-3 MalformedAnnotation'])));
    await eventually(() => expect(placeOf('web-2')).toMatch(/^k8s-blue:tenant/));
    expect(placeOf('web-3')).toBe('waits');
    world.become({ ...blueAndRed, namespaces: [...named(''), makeNamespace('new')], pods: [makePod('new', 'web-3')] });
    await eventually(() => expect(placeOf('web-3')).toMatch(/^k8s-default:/));
  });
});

describe('a service of another namespace', () => {
  /** `10.47.255.252 refused`: the members of all services. */
  const members = (): string[] =>
    world.config
      .ofType('loadbalancer-member')
      .map((resource) => {
        const address = findMessage('loadbalancer-member', resource)?.loadbalancerMemberProperties?.address ?? '';
        const { refused } = metaOf(resource).annotations;
        return refused === undefined ? address : `${address} refused`;
      })
      .sort();
  const state = (blueSays: Record<string, string>, addresses: readonly string[]): KubeState => ({
    ...blueAndRed,
    namespaces: [makeNamespace('blue', blueSays), makeNamespace('red')],
    pods: [makePod('blue', 'web-1')],
    services: [makeService('red', 'door')],
    slices: [makeSlice('red', 'door', addresses.map((address) => ({ address })))],
  });
  const [secret, open] = ['10.47.255.252', '10.40.9.9'];

  it.each([isolated, { ...isolated, 'opencontrail.org/isolation.service': 'false' }])('is no back door to a pod of a namespace with %j', async (annotations) => {
    await begin(state(annotations, [secret, open]));
    await becomes(members, [open, `${secret} refused`].sort());
    expect(find('loadbalancer-member', '')).toBeDefined();
    await eventually(() => expect(noteOf('BackendRefused')).toContain(`"${secret}" of Service/red/door gets no traffic, because Pod/blue/web-1 is in the isolated namespace blue`));
    world.become(state({}, [secret, open]));
    await becomes(members, [secret, open].sort());
    world.become(state(isolated, [secret, open]));
    await becomes(members, [open, `${secret} refused`].sort());
  });

  it('is none either when the pod comes after the slice', async () => {
    await begin({ ...state(isolated, [secret]), pods: [] });
    await becomes(members, [secret]);
    world.become(state(isolated, [secret]));
    await becomes(members, [`${secret} refused`]);
  });

  it('is none to the alias of a pod on a custom network, and knows the pods of its own namespace by it', async () => {
    await begun();
    makeNetwork('k8s-blue', 'tenant');
    const pods = [makePod('blue', 'web-1', on('default-domain:k8s-blue:tenant'))];
    const namespaces = [makeNamespace('blue', isolated), makeNamespace('red')];
    const services = [makeService('red', 'door'), makeService('blue', 'web', { clusterIP: '10.96.0.6' })];
    const slices = [
      makeSlice('red', 'door', [{ address: secret }, { address: '192.168.0.252' }]),
      makeSlice('blue', 'web', [{ address: secret, pod: 'web-1' }]),
    ];
    world.become({ ...blueAndRed, namespaces, pods, services, slices });
    await becomes(() => placeOf('web-1'), `k8s-blue:tenant 192.168.0.252, alias ${secret}`);
    await becomes(members, [secret, `${secret} refused`, '192.168.0.252'].sort());
    await eventually(() => {
      const own = world.config.ofType('loadbalancer-member').map((resource) => metaOf(resource).annotations);
      expect(own.filter(({ namespace }) => namespace === 'blue')).toEqual([expect.objectContaining({ vm: uidOf('Pod', 'blue', 'web-1') })]);
    });
  });

  it('is refused again when somebody removes the refusal', async () => {
    await begin(state(isolated, [secret]));
    await becomes(members, [`${secret} refused`]);
    const member = find('loadbalancer-member', '');
    if (member?.kind === undefined) throw new Error('there is no member');
    const annotations = Object.fromEntries(Object.entries(metaOf(member).annotations).filter(([key]) => key !== 'refused'));
    world.config.put(withFields(member, { meta: { ...metaOf(member), annotations } }));
    await becomes(members, [`${secret} refused`]);
  });
});
