import { kubeKinds } from '@contrail/kube';
import type { Resource } from '@contrail/proto-gen/config/v1/resources';
import { findMessage, metaOf, routeConflictKey, setMeta, subnetsOf } from '@contrail/resource-model';
import type { ResourceType } from '@contrail/resource-model';
import { makeAttachment, makeNamespace, makeNode, makePod } from '../testing/kube-makers';
import { becomes, eventually, settles, World } from '../testing/world';
import type { KubeState } from '../testing/world';

const cidrKey = 'opencontrail.org/cidr';
const networkKey = 'opencontrail.org/network';
const left = 'default-domain:k8s-blue:k8s-left-pod-network';

jest.setTimeout(30_000);

let world: World;
afterEach(() => world.close());

const base: KubeState = { namespaces: [makeNamespace('blue'), makeNamespace('red')], nodes: [makeNode('node1', '192.0.2.11')] };

async function begin(state: KubeState, sharedProject = ''): Promise<void> {
  world = await World.create({ sharedProject });
  world.startLeader();
  world.become({ ...base, ...state });
  await eventually(() => expect(world.config.ofType('virtual-network')).not.toEqual([]));
}

function find(type: ResourceType, name: string): Resource | undefined {
  return world.config.ofType(type).find((resource) => metaOf(resource).fqName.at(-1) === name);
}

/** `default-domain:k8s-blue:k8s-left-pod-network 192.168.0.0/24`: networks that definitions made, sorted. */
function made(): string[] {
  return world.ourResources().flatMap((resource) => {
    const { annotations, fqName } = metaOf(resource);
    if (annotations['kind'] !== 'NetworkAttachmentDefinition' || findMessage('virtual-network', resource) === undefined) return [];
    const subnets = subnetsOf(resource).map(({ subnet }) => `${subnet?.ipPrefix}/${subnet?.ipPrefixLen}`);
    return [`${fqName.join(':')} ${subnets.join(' ')}`];
  }).sort();
}

const eventsOf = (reason: string): string[] =>
  world.kube.list(kubeKinds.events).flatMap((event) => (event.reason === reason ? [`${event.regarding?.kind}/${event.regarding?.name} ${event.note ?? ''}`] : []));

describe('a NetworkAttachmentDefinition', () => {
  it.each([
    ['192.168.0.0/24', ['192.168.0.0/24']],
    [' 192.168.0.7/24', ['192.168.0.0/24']],
    ['["192.168.0.0/24", "192.168.4.0/24"]', ['192.168.0.0/24', '192.168.4.0/24']],
    ["['192.168.0.0/24', u'2001:db8::/64']", ['192.168.0.0/24', '2001:db8::/64']],
  ])('with the cidr %s makes a network and its IPAM, which go with it', async (text, subnets) => {
    await begin({ attachments: [makeAttachment('blue', 'left', { [cidrKey]: text })] });
    await becomes(made, [`${left} ${subnets.join(' ')}`]);
    expect(find('network-ipam', 'k8s-left-pod-ipam')).toBeDefined();
    world.become(base);
    await becomes(made, []);
    await eventually(() => expect(find('network-ipam', 'k8s-left-pod-ipam')).toBeUndefined());
  });

  it('lets the pods start that wait for its network, which stays while they run', async () => {
    const pods = [makePod('blue', 'web-1', { annotations: { [networkKey]: left } })];
    await begin({ pods });
    await eventually(() => expect(eventsOf('NetworkNotFound')).toHaveLength(1));
    const attachments = [makeAttachment('blue', 'left', { [cidrKey]: '192.168.0.0/24' })];
    world.become({ ...base, pods, attachments });
    await becomes(made, [`${left} 192.168.0.0/24`]);
    const network = find('virtual-network', 'k8s-left-pod-network');
    world.ipam.addNetwork(network === undefined ? '' : metaOf(network).uuid, '192.168.0.0/24');
    await eventually(() => expect(world.config.ofType('alias-ip')).toHaveLength(1));
    world.become({ ...base, pods });
    await eventually(() => expect(eventsOf('NetworkInUse').join()).toContain('NetworkAttachmentDefinition/left'));
    expect(made()).toEqual([`${left} 192.168.0.0/24`]);
    world.become({ ...base, pods, attachments });
    await settles(() => String(world.config.revision));
    expect(made()).toEqual([`${left} 192.168.0.0/24`]);
    world.become(base);
    await becomes(made, [], 20_000);
  });

  it.each([
    ['192.168.0.0', 'MalformedAnnotation', 'is "192.168.0.0", but "192.168.0.0" is no subnet; write a subnet as "192.168.0.0/24"'],
    ['', 'MalformedAnnotation', 'is no subnet'],
    ['10.96.7.0/24', 'NetworkConflict', 'overlaps 10.96.0.0/12, the range of cluster IPs'],
    ['192.0.2.0/24', 'NetworkConflict', 'contains 192.0.2.11, the address of a node'],
  ])('with the cidr "%s" is told %s, and makes nothing', async (text, reason, cause) => {
    await begin({ attachments: [makeAttachment('blue', 'left', { [cidrKey]: text }), makeAttachment('red', 'fine', { [cidrKey]: '192.168.0.0/24' })] });
    await eventually(() => expect(eventsOf(reason).join()).toContain(`metadata.annotations["opencontrail.org/cidr"]: `));
    expect(eventsOf(reason).join()).toContain(cause);
    await becomes(made, ['default-domain:k8s-red:k8s-fine-pod-network 192.168.0.0/24']);
  });

  it('keeps its subnet when the annotation changes or becomes malformed, and is told', async () => {
    const says = (text: string): KubeState => ({ ...base, attachments: [makeAttachment('blue', 'left', { [cidrKey]: text })] });
    await begin(says('192.168.0.0/24'));
    await becomes(made, [`${left} 192.168.0.0/24`]);
    world.become(says('192.168.9.0/24'));
    await eventually(() => expect(eventsOf('NetworkChangeIgnored').join()).toContain('has 192.168.0.0/24 and keeps it'));
    world.become(says('x'));
    await eventually(() => expect(eventsOf('MalformedAnnotation')).toHaveLength(1));
    expect(made()).toEqual([`${left} 192.168.0.0/24`]);
  });

  it('that names a network, or the plugin of others, makes none', async () => {
    const attachments = [
      makeAttachment('blue', 'left', { [networkKey]: 'nonsense', [cidrKey]: '192.168.0.0/24' }),
      makeAttachment('blue', 'foreign', { [cidrKey]: '192.168.0.0/24' }, '{"type": "macvlan"}'),
      makeAttachment('blue', 'plain', {}),
      makeAttachment('red', 'fine', { [cidrKey]: '192.168.0.0/24' }, '{"plugins": [{"type":"contrail-cni"}]}'),
    ];
    await begin({ attachments });
    await eventually(() => expect(eventsOf('MalformedAnnotation').join()).toContain('is "nonsense", but a fully qualified name has 3 parts'));
    await becomes(made, ['default-domain:k8s-red:k8s-fine-pod-network 192.168.0.0/24']);
  });

  it('does not take the name of a network of a namespace, nor of another definition', async () => {
    await begin({ attachments: [makeAttachment('blue', 'blue', { [cidrKey]: '192.168.0.0/24' })] });
    await eventually(() => expect(eventsOf('NetworkNameTaken').join()).toContain("is the name of a namespace's own network"));
    expect(made()).toEqual([]);
    await world.close();
    await begin({ attachments: ['blue', 'red'].map((namespace) => makeAttachment(namespace, 'left', { [cidrKey]: '192.168.0.0/24' })) }, 'all');
    await eventually(() => expect(eventsOf('NetworkNameTaken').join()).toContain("exists already and is another's"));
    expect(made()).toEqual(['default-domain:all:k8s-left-pod-network 192.168.0.0/24']);
  });

  it('whose network is in conflict with another is told so', async () => {
    await begin({ attachments: [makeAttachment('blue', 'left', { [cidrKey]: '192.168.0.0/24' })] });
    await becomes(made, [`${left} 192.168.0.0/24`]);
    const network = find('virtual-network', 'k8s-left-pod-network');
    if (network === undefined) throw new Error('there is no network');
    const conflict = `network ${left} is not joined with network x:y:z, although x:y:web says so: 192.168.0.0/24 overlaps 192.168.0.0/16`;
    world.config.put(setMeta(network, { ...metaOf(network), annotations: { ...metaOf(network).annotations, [routeConflictKey]: conflict } }));
    await eventually(() => expect(eventsOf('NetworksNotJoined')).toEqual([`NetworkAttachmentDefinition/left NetworkAttachmentDefinition/blue/left: ${conflict}`]));
    expect(made()).toEqual([`${left} 192.168.0.0/24`]);
    const stored = find('virtual-network', 'k8s-left-pod-network');
    expect(stored && metaOf(stored).annotations[routeConflictKey]).toBe(conflict);
  });

  it('goes with its namespace, in the middle of everything', async () => {
    const attachments = [makeAttachment('blue', 'left', { [cidrKey]: '192.168.0.0/24' })];
    const pods = [makePod('blue', 'web-1', { annotations: { [networkKey]: left } }), makePod('red', 'web-2')];
    await begin({ attachments, pods });
    await becomes(made, [`${left} 192.168.0.0/24`]);
    world.become({ nodes: base.nodes ?? [], namespaces: [makeNamespace('red')], pods: pods.slice(1) });
    await becomes(made, [], 20_000);
    await eventually(() => expect(find('project', 'k8s-blue')).toBeUndefined(), 20_000);
    await eventually(() => expect(world.config.ofType('virtual-machine').map((resource) => metaOf(resource).fqName.at(-1))).toEqual(['k8s__red__web-2']));
  });
});

it('a cluster without the CRD is served all the same', async () => {
  world = await World.create();
  world.kube.absent.add('network-attachment-definitions');
  world.startLeader();
  world.become({ ...base, pods: [makePod('blue', 'web-1')] });
  await eventually(() => expect(world.config.ofType('virtual-machine')).toHaveLength(1));
  await eventually(() => expect(world.health.problems()).toEqual([]));
});
