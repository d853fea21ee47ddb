import { ContrailError } from '@contrail/errors';
import { addressKey, formatAddress } from '@contrail/net';
import type { Address } from '@contrail/net';
import type { NamespacedName, ReachEnd } from '@contrail/proto-gen/control/v1/reach';
import { backendHome, membersOf } from '../compile/backend-home';
import type { CompileContext } from '../compile/compile-context';
import { hostsAt } from '../compile/hosts-at';
import type { InterfaceObject, LoadbalancerObject, MemberObject } from '../model/model-object';
import type { Network } from '../topology/topology';
import type { Sender, ServiceTarget, Target } from './ends';

const defaultInterface = 'eth0';

/**
 * Who is called.
 *
 * @throws ContrailError NOT_FOUND, FAILED_PRECONDITION or INVALID_ARGUMENT that names the end.
 */
export function findTarget(context: CompileContext, end: ReachEnd | undefined): Target {
  const kind = end?.kind;
  switch (kind?.$case) {
    case undefined:
      throw new ContrailError('INVALID_ARGUMENT', 'to: is missing; name a pod, a service, a node or an address');
    case 'pod':
      return targetOfInterface(context, podInterface(context, kind.value));
    case 'service':
      return targetOfService(context, getService(context, kind.value));
    case 'node': {
      const router = getRouter(context, kind.value);
      return { kind: 'node', name: `node ${router.name}`, node: router.name, addresses: router.addresses };
    }
    case 'address':
      return { kind: 'address', name: `address ${formatAddress(checkAddress(kind.value))}`, addresses: [kind.value] };
  }
}

/**
 * Who sends: the pods behind it for a service, one for everything else.
 *
 * @throws ContrailError as {@link findTarget}.
 */
export function findSenders(context: CompileContext, end: ReachEnd | undefined): Sender[] {
  const kind = end?.kind;
  switch (kind?.$case) {
    case undefined:
      throw new ContrailError('INVALID_ARGUMENT', 'from: is missing; name a pod, a service, a node or an address');
    case 'pod':
      return [senderOfInterface(context, podInterface(context, kind.value))];
    case 'service':
      return sendersBehind(context, getService(context, kind.value));
    case 'node':
      return [senderOfNode(context, kind.value)];
    case 'address':
      return sendersAt(context, checkAddress(kind.value));
  }
}

/** Name of whoever has an interface. */
export function interfaceName({ podNamespace, podName, uuid }: InterfaceObject): string {
  return podName === '' ? `interface ${uuid}` : `pod ${podNamespace}/${podName}`;
}

/** The pod's addresses: an alias first, because Kubernetes knows the pod by it. */
export function addressesOf({ model }: CompileContext, { uuid }: InterfaceObject): Address[] {
  const own = model.find('address by interface', uuid).sort((a, b) => Number(a.secondary) - Number(b.secondary));
  return [...model.find('alias by interface', uuid), ...own].map(({ address }) => address);
}

export function targetOfService({ model }: CompileContext, loadbalancer: LoadbalancerObject): ServiceTarget {
  const clusterIps = loadbalancer.interfaceUuids.flatMap((uuid) => {
    const networkUuid = model.get('virtual-machine-interface', uuid)?.networkUuid ?? '';
    return model.find('address by interface', uuid).map(({ address }) => ({ address, networkUuid }));
  });
  return { kind: 'service', name: `service ${loadbalancer.name}`, loadbalancer, clusterIps };
}

function podInterface({ model }: CompileContext, { namespace, name }: NamespacedName): InterfaceObject {
  const found = [...model.all('virtual-machine-interface')]
    .filter((vmi) => !vmi.isService && vmi.podName === name && vmi.podNamespace === namespace)
    .sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
  const first = found.find(({ containerInterface }) => containerInterface === defaultInterface) ?? found[0];
  if (first !== undefined) return first;
  throw new ContrailError(
    'NOT_FOUND',
    `Pod/${namespace}/${name}: has no interface in the virtual network; check the name with kubectl -n ${namespace} get pods; ` +
      'a pod on the host network is its node (node/NAME), one that completed has left the network',
  );
}

function targetOfInterface(context: CompileContext, vmi: InterfaceObject): Target {
  const { name, node, network } = senderOfInterface(context, vmi);
  return { kind: 'interface', name, interface: vmi, network, node, addresses: addressesOf(context, vmi) };
}

function senderOfInterface(context: CompileContext, vmi: InterfaceObject): Sender & { readonly network: Network } {
  const { model, topology } = context;
  const name = interfaceName(vmi);
  const network = topology.networks.get(vmi.networkUuid);
  const node = model.get('virtual-machine', vmi.machineUuid)?.node ?? '';
  const [address] = addressesOf(context, vmi);
  const missing = node === '' ? 'is on no node yet' : network === undefined ? 'its network has no VRF yet' : address === undefined ? 'has no address yet' : '';
  if (network === undefined || missing !== '') {
    throw new ContrailError('FAILED_PRECONDITION', `${name}: ${missing}; wait until it runs, or see its events with kubectl describe`);
  }
  return { name, address, node, network, interface: vmi };
}

function senderOfNode(context: CompileContext, node: string): Sender {
  const router = getRouter(context, node);
  const { fabric } = context.topology;
  return { name: `node ${router.name}`, address: router.addresses[0], node: router.name, network: fabric, interface: undefined };
}

function getRouter({ model }: CompileContext, node: string): { readonly name: string; readonly addresses: readonly Address[] } {
  const router = model.find('router by name', node).find(({ addresses }) => addresses.length > 0);
  if (router !== undefined) return router;
  throw new ContrailError('NOT_FOUND', `node/${node}: is no VirtualRouter with an address; contrailctl get virtual-router lists them`);
}

function getService({ model }: CompileContext, { namespace, name }: NamespacedName): LoadbalancerObject {
  const [loadbalancer] = model.find('loadbalancer by name', `${namespace}/${name}`);
  if (loadbalancer !== undefined) return loadbalancer;
  throw new ContrailError(
    'NOT_FOUND',
    `Service/${namespace}/${name}: has no cluster IP in the virtual network; check the name with kubectl -n ${namespace} get services; ` +
      'of a headless or ExternalName service name the pods',
  );
}

/** A service begins no connection itself. */
function sendersBehind(context: CompileContext, loadbalancer: LoadbalancerObject): Sender[] {
  const members = new Map<string, MemberObject>();
  for (const listener of context.model.find('listener by loadbalancer', loadbalancer.uuid)) {
    for (const member of membersOf(context, listener)) members.set(addressKey(member.address), member);
  }
  const senders = [...members.values()].map((member) => senderOfMember(context, member));
  if (senders.length > 0) return senders;
  throw new ContrailError('FAILED_PRECONDITION', `service ${loadbalancer.name}: has no backends, and a service itself calls nobody; name a pod`);
}

function senderOfMember(context: CompileContext, member: MemberObject): Sender {
  const home = backendHome(context, member);
  if (home?.interface !== undefined) return senderOfInterface(context, home.interface);
  const [sender] = sendersAt(context, member.address);
  return sender ?? outside(member.address);
}

/** Who has the address: a pod, a node, the pods behind a cluster IP, or nobody that we know. */
function sendersAt(context: CompileContext, address: Address): Sender[] {
  const { model } = context;
  const hosts = hostsAt(model, address).map((host) => host.interface);
  const pods = hosts.filter(({ isService }) => !isService);
  if (pods.length > 1) {
    const names = pods.map((vmi) => `${interfaceName(vmi)} (${context.topology.networks.get(vmi.networkUuid)?.name ?? vmi.networkUuid})`);
    throw new ContrailError('INVALID_ARGUMENT', `address ${formatAddress(address)}: is of ${names.join(' and of ')}; name the pod`);
  }
  const [pod] = pods;
  if (pod !== undefined) return [senderOfInterface(context, pod)];
  const [router] = model.find('router by address', addressKey(address));
  if (router !== undefined) return [senderOfNode(context, router.name)];
  const [loadbalancer] = hosts.flatMap(({ uuid }) => model.find('loadbalancer by interface', uuid));
  return loadbalancer === undefined ? [outside(address)] : sendersBehind(context, loadbalancer);
}

function outside(address: Address): Sender {
  return { name: `address ${formatAddress(address)} outside the cluster`, address, node: '', network: undefined, interface: undefined };
}

function checkAddress(address: Uint8Array): Uint8Array {
  if (address.length === 4 || address.length === 16) return address;
  throw new ContrailError('INVALID_ARGUMENT', `address: has ${address.length} bytes; write 4 or 16 of them`);
}
