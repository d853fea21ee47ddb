import type { Model } from '../model/model';
import type { LoadbalancerObject } from '../model/model-object';
import type { Edge, TopologyDiff } from '../topology/diff-topology';
import { policyTextOf } from '../topology/network';
import type { Network, Topology } from '../topology/topology';
import { loadbalancersBefore, servicesOfLoadbalancer, unitsOfInterface } from './affected-by-object';
import type { Surroundings } from './affected-by-object';
import { clusterRanges, hasClusterRange } from './cluster-network';
import { globalUnit, hostRouteUnit, identityUnit, interfaceUnit, labelUnit, policyUnit, routeUnit, serviceUnit, vrfUnit } from './unit';
import type { Unit } from './unit';

/**
 * Units that depend on how networks are, or were, connected. `around` has the new topology; what the
 * old one led to follows from the edges that are gone.
 */
export function* affectedByTopology(around: Surroundings, diff: TopologyDiff): Generator<Unit> {
  if (diff.networks.length > 0) yield globalUnit;
  yield* unitsOfNodeLabels(around, diff);
  yield* unitsPastDefaultRoutes(around, diff);
  for (const { before, after, isOfLimits } of diff.networks) {
    for (const network of isOfLimits ? [] : [before, after]) {
      if (network !== undefined) yield* unitsOfNetwork(around, network);
    }
    if (isOfLimits && after !== undefined) yield* policiesOf(after);
    if (after !== undefined && before?.addressSpace !== after.addressSpace) yield* labelsOfSender(around, after);
  }
  for (const { a, b } of diff.edges) yield* unitsOfEdge(around, a, b);
  for (const edge of diff.limits) yield* unitsOfLimit(around, edge);
}

/** Networks as if they were new: for when they get their numbers. */
export function asNew(topology: Topology, networks: Iterable<Network>): TopologyDiff {
  const added = new Map([...networks].map((network) => [network.uuid, network]));
  const list = [...added.values()];
  return {
    networks: list.map((network) => ({ before: undefined, after: network, isOfLimits: false })),
    limits: [],
    edges: list.flatMap((a) => [
      { a, b: a },
      ...topology
        .joinedWith(a)
        .filter(({ uuid }) => !added.has(uuid) || a.uuid < uuid)
        .map((b) => ({ a, b })),
    ]),
  };
}

/** Labels of packets from one network into the VRF of another. */
export function labelsFrom(sender: Network, { instance }: Network): Unit[] {
  return sender.parts.map(({ identity }) => labelUnit(instance, identity));
}

/** The verdict tables of a network. */
export function policiesOf(network: Network): Unit[] {
  return network.parts.map((part) => policyUnit(policyTextOf(network, part)));
}

/** Labels between nodes and every network: they do not need a connection. */
function* unitsOfNodeLabels({ topology }: Surroundings, { networks }: TopologyDiff): Generator<Unit> {
  const changed = networks.flatMap(({ before, after }) => [before, after].filter((network) => network !== undefined));
  const fabrics = new Set([...changed, ...topology.networks.values()].filter(({ isFabric }) => isFabric));
  const isFabricChanged = changed.some(({ isFabric }) => isFabric);
  for (const network of isFabricChanged ? [...changed, ...topology.networks.values()] : changed) {
    for (const fabric of fabrics) {
      yield* labelsFrom(fabric, network);
      yield* labelsFrom(network, fabric);
    }
  }
}

/** What does not leave the cluster by the default route of a network: the cluster's ranges and the nodes. */
function* unitsPastDefaultRoutes({ model, topology, settings }: Surroundings, { networks }: TopologyDiff): Generator<Unit> {
  const changed = networks.flatMap(({ before, after }) => [before, after].filter((network) => network !== undefined));
  const moved = changed.filter((network) => hasClusterRange(network, settings)).flatMap(({ subnets }) => subnets.map(({ prefix }) => prefix));
  for (const prefix of moved) for (const { instance } of topology.networks.values()) yield routeUnit(instance, prefix);
  for (const { instance } of changed.filter(({ fabricSnat }) => fabricSnat)) {
    for (const prefix of [...clusterRanges(topology, settings), ...moved]) yield routeUnit(instance, prefix);
    for (const { addresses } of model.all('virtual-router')) for (const address of addresses) yield hostRouteUnit(instance, address);
  }
}

function* unitsOfNetwork(around: Surroundings, network: Network): Generator<Unit> {
  const { model } = around;
  yield vrfUnit(network.instance);
  for (const { identity } of network.parts) yield identityUnit(identity);
  yield* policiesOf(network);
  yield routeUnit(network.instance, { address: new Uint8Array(4), length: 0 });
  yield routeUnit(network.instance, { address: new Uint8Array(16), length: 0 });
  for (const { prefix } of network.subnets) {
    yield routeUnit(network.instance, prefix);
    for (const { instance } of around.topology.joinedWith(network)) yield routeUnit(instance, prefix);
  }
  for (const vmi of model.each('interface by network', network.uuid)) yield interfaceUnit(vmi.uuid);
  for (const name of around.settings.essentialServices) {
    for (const loadbalancer of model.each('loadbalancer by name', name)) yield* servicePortsIn(model, network, loadbalancer);
  }
}

/** The entries of a load balancer in the VRF of one network. */
function* servicePortsIn(model: Model, viewer: Network, loadbalancer: LoadbalancerObject): Generator<Unit> {
  const ports = model.find('listener by loadbalancer', loadbalancer.uuid);
  for (const uuid of loadbalancer.interfaceUuids) {
    for (const { address } of model.each('address by interface', uuid)) {
      for (const { protocol, port } of ports) yield serviceUnit(viewer.instance, { address, protocol, port });
    }
  }
}

/** Labels name the address space of their sender, whoever receives. */
function* labelsOfSender({ topology }: Surroundings, sender: Network): Generator<Unit> {
  for (const receiver of topology.networks.values()) yield* labelsFrom(sender, receiver);
}

function* unitsOfEdge(around: Surroundings, a: Network, b: Network): Generator<Unit> {
  yield* labelsFrom(b, a);
  yield* labelsFrom(a, b);
  // Tables name the peers that have interfaces.
  yield* policiesOf(a);
  yield* policiesOf(b);
  yield* whatOneSees(around.model, a, b);
  if (a.uuid !== b.uuid) yield* whatOneSees(around.model, b, a);
  else yield* whatDependsOnNumbers(around, a);
}

/** Where only what policies let through is different: who may call which service, and the verdicts. */
function* unitsOfLimit({ model }: Surroundings, { a, b }: Edge): Generator<Unit> {
  yield* policiesOf(a);
  yield* policiesOf(b);
  yield* servicesOfOne(model, a, b);
  if (a.uuid !== b.uuid) yield* servicesOfOne(model, b, a);
}

/** Routes and services of one network in the VRF of the other. */
function* whatOneSees(model: Model, viewer: Network, seen: Network): Generator<Unit> {
  for (const { prefix } of seen.subnets) yield routeUnit(viewer.instance, prefix);
  for (const vmi of model.each('interface by network', seen.uuid)) {
    for (const { address } of model.each('address by interface', vmi.uuid)) yield hostRouteUnit(viewer.instance, address);
    if (viewer.uuid !== seen.uuid) continue;
    for (const { address } of model.each('alias by interface', vmi.uuid)) yield hostRouteUnit(viewer.instance, address);
    // A network that left is no viewer any more, but its entries are still there.
    for (const loadbalancer of loadbalancersBefore(model, vmi)) yield* servicePortsIn(model, viewer, loadbalancer);
  }
  yield* servicesOfOne(model, viewer, seen);
  if (!seen.isFabric) return;
  for (const { address } of model.all('alias-ip')) yield hostRouteUnit(seen.instance, address);
  for (const { addresses } of model.all('virtual-router')) {
    for (const address of addresses) yield hostRouteUnit(viewer.instance, address);
  }
}

function* servicesOfOne(model: Model, viewer: Network, seen: Network): Generator<Unit> {
  for (const vmi of model.each('service interface by network', seen.uuid)) {
    for (const loadbalancer of model.each('loadbalancer by interface', vmi.uuid)) {
      yield* servicePortsIn(model, viewer, loadbalancer);
    }
  }
}

/** What names the VRF or the identity of a network, wherever it is. */
function* whatDependsOnNumbers(around: Surroundings, network: Network): Generator<Unit> {
  for (const vmi of around.model.each('interface by network', network.uuid)) yield* unitsOfInterface(around, vmi);
  if (!network.isFabric) return;
  // Backends that are no pods are looked up in the fabric.
  for (const loadbalancer of around.model.all('loadbalancer')) yield* servicesOfLoadbalancer(around, loadbalancer);
}
