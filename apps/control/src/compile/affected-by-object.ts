import { addressEquals } from '@contrail/net';
import type { Model } from '../model/model';
import type {
  InstanceIpObject,
  InterfaceObject,
  ListenerObject,
  LoadbalancerObject,
  MemberObject,
  ModelObject,
  PoolObject,
} from '../model/model-object';
import type { Network, Topology } from '../topology/topology';
import { globalUnit, hostRouteUnit, interfaceUnit, nodeUnit, serviceUnit, vrfUnit } from './unit';
import type { Unit } from './unit';

export interface Surroundings {
  readonly model: Model;
  readonly topology: Topology;
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
  yield* servicesBehind(around, vmi);
}

function* unitsOfInstanceIp(around: Surroundings, instanceIp: InstanceIpObject): Generator<Unit> {
  for (const uuid of instanceIp.interfaceUuids) {
    yield interfaceUnit(uuid);
    const vmi = around.model.get('virtual-machine-interface', uuid);
    if (vmi === undefined) continue;
    yield* unitsOfAddress(around, instanceIp, vmi);
    yield* servicesBehind(around, vmi);
  }
}

function* unitsOfAddress(around: Surroundings, { address }: InstanceIpObject, vmi: InterfaceObject): Generator<Unit> {
  const home = around.topology.networks.get(vmi.networkUuid);
  if (home === undefined) return;
  for (const network of withJoined(around, home)) {
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

function nodeRoutes(around: Surroundings, address: Uint8Array): Unit[] {
  const { fabric } = around.topology;
  if (fabric === undefined) return [];
  return withJoined(around, fabric)
    .filter(({ isPopulated }) => isPopulated)
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
    const home = vmi && around.topology.networks.get(vmi.networkUuid);
    if (home === undefined) continue;
    for (const { address } of around.model.each('address by interface', uuid)) {
      for (const { instance, isPopulated } of withJoined(around, home)) {
        if (isPopulated) yield serviceUnit(instance, { address, protocol, port });
      }
    }
  }
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

function* servicesBehind(around: Surroundings, vmi: InterfaceObject): Generator<Unit> {
  for (const member of around.model.each('member by interface', vmi.uuid)) yield* servicesOfMember(around, member);
  for (const member of around.model.each('member by machine', vmi.machineUuid)) yield* servicesOfMember(around, member);
}
