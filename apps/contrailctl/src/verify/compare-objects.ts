import type { ClusterDrift } from './drift';

/** A pod as Kubernetes has it. */
export interface PodFacts {
  readonly uid: string;
  /** namespace/name */
  readonly name: string;
  /** Empty: not scheduled. */
  readonly node: string;
  readonly hostNetwork: boolean;
  readonly phase: string;
  readonly deleting: boolean;
  readonly addresses: readonly string[];
}

/** A VirtualMachine, VirtualMachineInterface, InstanceIp or AliasIp that a pod of this cluster led to. */
export interface ObjectFacts {
  readonly uuid: string;
  readonly name: string;
  readonly podUid: string;
}

export interface InterfaceFacts extends ObjectFacts {
  readonly machines: readonly string[];
}

export interface AddressFacts extends ObjectFacts {
  readonly address: string;
  readonly interfaces: readonly string[];
}

export interface AllocationFacts {
  readonly address: string;
  readonly owner: string;
  /** "Pod/default/web-1" */
  readonly description: string;
}

export interface NodeFacts {
  readonly node: string;
  /** VMI -> device that the CNI plugin made. */
  readonly attachments: ReadonlyMap<string, string>;
  /** VMIs that have a row in the table of interfaces. */
  readonly vifs: ReadonlySet<string>;
}

export interface World {
  readonly pods: readonly PodFacts[];
  readonly machines: readonly ObjectFacts[];
  readonly interfaces: readonly InterfaceFacts[];
  readonly instanceIps: readonly AddressFacts[];
  /** AliasIps: further addresses of interfaces. */
  readonly aliases: readonly AddressFacts[];
  readonly allocations: readonly AllocationFacts[];
  readonly nodes: readonly NodeFacts[];
}

/**
 * Follows each pod from Kubernetes to the node and each object back. Nodes that could not be asked are not in
 * `nodes`, and nothing is said about them.
 */
export function compareObjects(world: World): ClusterDrift[] {
  return [...world.pods.filter(hasNetwork).flatMap((pod) => driftsOfPod(world, pod)), ...leftovers(world), ...leftoversOnNodes(world)];
}

/** Terminating pods keep their objects until they are gone, and may lose them before. */
function hasNetwork({ hostNetwork, node, phase, deleting }: PodFacts): boolean {
  return !hostNetwork && node !== '' && !deleting && (phase === 'Pending' || phase === 'Running');
}

const rebuild = 'kube-manager writes it at its next pass; see its log and the events of the pod';

function driftsOfPod(world: World, pod: PodFacts): ClusterDrift[] {
  const object = `Pod/${pod.name}`;
  const lacks = (expected: string, found = 'absent', remedy = rebuild, node = ''): ClusterDrift => ({ node, kind: 'object', object, expected, found, remedy, mended: false });
  if (!world.machines.some(({ uuid }) => uuid === pod.uid)) return [lacks(`VirtualMachine ${pod.uid}`)];
  const interfaces = world.interfaces.filter(({ machines }) => machines.includes(pod.uid));
  if (interfaces.length === 0) return [lacks('VirtualMachineInterface')];
  const drifts = interfaces.flatMap(({ uuid }) => {
    const addresses = world.instanceIps.filter((each) => each.interfaces.includes(uuid));
    if (addresses.length === 0) return [lacks(`InstanceIp of VirtualMachineInterface ${uuid}`)];
    const aliases = world.aliases.filter((each) => each.interfaces.includes(uuid));
    return [...addresses, ...aliases]
      .filter(({ uuid: owner, address }) => !world.allocations.some((each) => each.owner === owner && each.address === address))
      .map(({ uuid: owner, address }) => lacks(`allocation of ${address} by ${aliases.some((each) => each.uuid === owner) ? 'AliasIp' : 'InstanceIp'} ${owner}`, 'absent', 'kube-manager asks ipam for it when the pod changes; delete the pod'));
  });
  const own = new Set(interfaces.map(({ uuid }) => uuid));
  const known = [...world.aliases, ...world.instanceIps].filter((each) => each.interfaces.some((uuid) => own.has(uuid))).map(({ address }) => address);
  for (const address of pod.addresses) {
    if (known.includes(address)) continue;
    drifts.push(lacks(`podIP ${known.join(',') || '-'}`, `podIP ${address}`, 'the pod has an address that is not its own; delete the pod'));
  }
  const node = world.nodes.find((each) => each.node === pod.node);
  // An address in the status says that the node has attached the pod.
  if (node && pod.addresses.length > 0) {
    const again = 'delete the pod: the runtime then attaches a new one';
    if (![...own].some((uuid) => node.attachments.has(uuid))) drifts.push(lacks('attachment', 'absent', again, pod.node));
    if (![...own].some((uuid) => node.vifs.has(uuid))) drifts.push(lacks('row in vifs', 'absent', 'contrailctl verify --repair', pod.node));
  }
  return drifts;
}

const sweep = "kube-manager's sweep removes it after two looks, a minute at most; if it stays, see its log";

function leftovers({ pods, machines, interfaces, instanceIps, aliases, allocations }: World): ClusterDrift[] {
  const alive = new Set(pods.filter(({ phase }) => phase !== 'Succeeded' && phase !== 'Failed').map(({ uid }) => uid));
  const extra = (object: string, found: string): ClusterDrift => ({ node: '', kind: 'object', object, expected: 'absent', found, remedy: sweep, mended: false });
  const ofType = (type: string, objects: readonly ObjectFacts[]): ClusterDrift[] =>
    objects.filter(({ podUid }) => !alive.has(podUid)).map(({ uuid, name, podUid }) => extra(`${type}/${uuid}`, `${name} of pod ${podUid}, which is gone`));
  const owners = new Set([...instanceIps, ...aliases].map(({ uuid }) => uuid));
  return [
    ...ofType('VirtualMachine', machines),
    ...ofType('VirtualMachineInterface', interfaces),
    ...ofType('InstanceIp', instanceIps),
    ...ofType('AliasIp', aliases),
    ...allocations
      .filter(({ description, owner }) => description.startsWith('Pod/') && !owners.has(owner))
      .map(({ address, owner, description }) => extra(`Allocation/${address}`, `held by ${owner} for ${description}, which is gone`)),
  ];
}

function leftoversOnNodes({ nodes, interfaces, pods }: World): ClusterDrift[] {
  const known = new Set(interfaces.map(({ uuid }) => uuid));
  const deleting = new Set(pods.filter((pod) => pod.deleting).map(({ uid }) => uid));
  const leaving = new Set(interfaces.filter(({ machines }) => machines.some((uid) => deleting.has(uid))).map(({ uuid }) => uuid));
  return nodes.flatMap(({ node, attachments, vifs }) => {
    const extra = (object: string, found: string, remedy: string): ClusterDrift => ({ node, kind: 'object', object, expected: 'absent', found, remedy, mended: false });
    return [
      ...[...attachments].filter(([uuid]) => !known.has(uuid) && !leaving.has(uuid)).map(([uuid, device]) =>
        extra(`Attachment/${uuid}`, `device ${device} without a VirtualMachineInterface`, 'the runtime calls DEL when it removes the container; see its log'),
      ),
      ...[...vifs].filter((uuid) => !known.has(uuid)).map((uuid) => extra(`Vif/${uuid}`, 'row without a VirtualMachineInterface', 'control removes it when it is in step; see contrailctl progress')),
    ];
  });
}
