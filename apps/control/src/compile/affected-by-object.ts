import { addressEquals } from '@contrail/net';
import type { Model } from '../model/model';
import type {
  AliasIpObject,
  InstanceIpObject,
  InterfaceObject,
  ListenerObject,
  LoadbalancerObject,
  MemberObject,
  ModelObject,
  PoolObject,
} from '../model/model-object';
import type { CompileSettings } from './compile-context';
import { backendHome, membersOf } from './backend-home';
import type { Network, Topology } from '../topology/topology';
import { globalUnit, hostRouteUnit, interfaceUnit, nodeUnit, serviceUnit, vrfUnit } from './unit';
import type { Unit } from './unit';

export interface Surroundings {
  readonly model: Model;
  readonly topology: Topology;
  readonly settings: CompileSettings;
}

/**
 * Units whose entries depend on an object, apart from the way networks are connected (for that see
 * affected-by-topology.ts). Asked before and after the object changes, so that what it was counts too.
 */
export function affectedByObject(around: Surroundings, object: ModelObject): Iterable<Unit> {
  switch (object.type) {
    case 'network-ipam':
    case 'virtual-network':
    case 'routing-instance':
    case 'network-policy':
      return [];
    case 'global-vrouter-config':
      return [globalUnit];
    case 'virtual-router':
      return [nodeUnit(object.name), ...object.addresses.flatMap((address) => nodeRoutes(around, address))];
    case 'virtual-machine':
      return around.model.find('interface by machine', object.uuid).flatMap((vmi) => [...unitsOfInterface(around, vmi)]);
    case 'virtual-machine-interface':
      return unitsOfInterface(around, object);
    case 'instance-ip':
      return unitsOfInstanceIp(around, object);
    case 'alias-ip':
      return unitsOfAliasIp(around, object);
    case 'loadbalancer':
      return servicesOfLoadbalancer(around, object);
    case 'loadbalancer-listener':
      return servicesOfListener(around, object);
    case 'loadbalancer-pool':
      return servicesOfPool(around, object);
    case 'loadbalancer-member':
      return servicesOfMember(around, object);
  }
}

/** An interface with its addresses, and the services behind which it is. */
export function* unitsOfInterface(around: Surroundings, vmi: InterfaceObject): Generator<Unit> {
  yield interfaceUnit(vmi.uuid);
  for (const instanceIp of around.model.each('address by interface', vmi.uuid)) {
    yield* unitsOfAddress(around, instanceIp, vmi);
  }
  for (const aliasIp of around.model.each('alias by interface', vmi.uuid)) yield* unitsOfAlias(around, aliasIp, vmi);
  yield* servicesBehind(around, vmi);
}

function* unitsOfAliasIp(around: Surroundings, aliasIp: AliasIpObject): Generator<Unit> {
  for (const uuid of aliasIp.interfaceUuids) {
    yield interfaceUnit(uuid);
    const vmi = around.model.get('virtual-machine-interface', uuid);
    if (vmi === undefined) continue;
    yield* unitsOfAlias(around, aliasIp, vmi);
    yield* servicesBehind(around, vmi);
  }
}

/** An alias is known in the interface's own VRF and to the nodes. */
function* unitsOfAlias({ topology }: Surroundings, { address }: AliasIpObject, vmi: InterfaceObject): Generator<Unit> {
  const home = topology.networks.get(vmi.networkUuid);
  for (const network of [home, topology.fabric]) if (network !== undefined) yield hostRouteUnit(network.instance, address);
}

function* unitsOfInstanceIp(around: Surroundings, instanceIp: InstanceIpObject): Generator<Unit> {
  for (const uuid of instanceIp.interfaceUuids) {
    yield interfaceUnit(uuid);
    const vmi = around.model.get('virtual-machine-interface', uuid);
    if (vmi === undefined) continue;
    yield* unitsOfAddress(around, instanceIp, vmi);
    // The first address says which identity all of them lead to.
    yield* unitsOfInterface(around, vmi);
  }
}

function* unitsOfAddress(around: Surroundings, { address }: InstanceIpObject, vmi: InterfaceObject): Generator<Unit> {
  const home = around.topology.networks.get(vmi.networkUuid);
  for (const network of home === undefined ? [] : withJoined(around, home)) {
    if (network.isPopulated && !vmi.isService) yield hostRouteUnit(network.instance, address);
    if (network.subnets.some(({ dnsServer }) => dnsServer !== undefined && addressEquals(dnsServer, address))) {
      yield vrfUnit(network.instance);
    }
  }
  if (!vmi.isService) return;
  for (const loadbalancer of around.model.each('loadbalancer by interface', vmi.uuid)) {
    yield* servicesOfLoadbalancer(around, loadbalancer);
  }
}

function withJoined({ topology }: Surroundings, network: Network): Network[] {
  return [network, ...topology.joinedWith(network)];
}

/** Routes to a node where nodes are reachable, and where the default route must not lead to them. */
function nodeRoutes({ topology }: Surroundings, address: Uint8Array): Unit[] {
  const { fabric } = topology;
  return [...topology.networks.values()]
    .filter((network) => network.isPopulated && (network.fabricSnat || network.isFabric || (fabric && network.joined.has(fabric.uuid))))
    .map(({ instance }) => hostRouteUnit(instance, address));
}

export function* servicesOfLoadbalancer(around: Surroundings, loadbalancer: LoadbalancerObject): Generator<Unit> {
  for (const listener of around.model.each('listener by loadbalancer', loadbalancer.uuid)) {
    yield* servicesAt(around, loadbalancer, listener);
  }
}

/** The entries of one port of a load balancer: for each of its addresses, in each VRF that reaches it. */
function* servicesAt(around: Surroundings, loadbalancer: LoadbalancerObject, listener: ListenerObject): Generator<Unit> {
  const { protocol, port } = listener;
  for (const uuid of loadbalancer.interfaceUuids) {
    const vmi = around.model.get('virtual-machine-interface', uuid);
    if (vmi === undefined) continue;
    // The network of the cluster IP may be gone or still to come: those who need no connection to it see the service.
    const home = around.topology.networks.get(vmi.networkUuid);
    for (const { address } of around.model.each('address by interface', uuid)) {
      for (const { instance, isPopulated } of viewersOf(around, home, { loadbalancer, listener })) {
        if (isPopulated) yield serviceUnit(instance, { address, protocol, port });
      }
    }
  }
}

/** Networks from whose VRFs a service may be reached; see `findListener`. */
function viewersOf(
  around: Surroundings,
  home: Network | undefined,
  { loadbalancer, listener }: { readonly loadbalancer: LoadbalancerObject; readonly listener: ListenerObject },
): Iterable<Network> {
  const { topology, settings } = around;
  if (settings.essentialServices.includes(loadbalancer.name)) return topology.networks.values();
  const viewers = new Set(home === undefined ? [] : withJoined(around, home));
  for (const member of membersOf(around, listener)) {
    const backend = backendHome(around, member);
    if (backend !== undefined) viewers.add(backend.network);
  }
  return viewers;
}

function* servicesOfListener(around: Surroundings, listener: ListenerObject): Generator<Unit> {
  const loadbalancer = around.model.get('loadbalancer', listener.loadbalancerUuid);
  if (loadbalancer !== undefined) yield* servicesAt(around, loadbalancer, listener);
}

function* servicesOfPool(around: Surroundings, pool: PoolObject): Generator<Unit> {
  const listener = around.model.get('loadbalancer-listener', pool.listenerUuid);
  if (listener !== undefined) yield* servicesOfListener(around, listener);
}

function* servicesOfMember(around: Surroundings, member: MemberObject): Generator<Unit> {
  const pool = around.model.get('loadbalancer-pool', member.poolUuid);
  if (pool !== undefined) yield* servicesOfPool(around, pool);
}

/** Load balancers that have the interface behind them. */
export function* loadbalancersBefore(model: Model, vmi: InterfaceObject): Generator<LoadbalancerObject> {
  for (const { poolUuid } of [...model.each('member by interface', vmi.uuid), ...model.each('member by machine', vmi.machineUuid)]) {
    const pool = model.get('loadbalancer-pool', poolUuid);
    const listener = pool && model.get('loadbalancer-listener', pool.listenerUuid);
    const loadbalancer = listener && model.get('loadbalancer', listener.loadbalancerUuid);
    if (loadbalancer !== undefined) yield loadbalancer;
  }
}

function* servicesBehind(around: Surroundings, vmi: InterfaceObject): Generator<Unit> {
  for (const member of around.model.each('member by interface', vmi.uuid)) yield* servicesOfMember(around, member);
  for (const member of around.model.each('member by machine', vmi.machineUuid)) yield* servicesOfMember(around, member);
}
