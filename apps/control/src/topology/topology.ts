import { ipFabricNetworkUuid } from '@contrail/resource-model';
import type { Model } from '../model/model';
import type { RoutingInstanceObject, VirtualNetworkObject } from '../model/model-object';
import { joinNetworks } from './join-networks';
import type { Limit } from './join-networks';
import { policyTextOf } from './network';
import type { IdentityPart, Network } from './network';
import { networksWithPolicies } from './policy-networks';
import type { NetworkWithPolicies, Part } from './policy-networks';
import { refuseOverlaps } from './refuse-overlaps';
import type { AddressedNetwork } from './refuse-overlaps';
import type { RefusedLeak } from './refused-leak';
import { TopologyMemory } from './topology-memory';

export type { Network } from './network';

/** A part with the network that it is of. */
export interface OwnedPart {
  readonly network: Network;
  readonly part: IdentityPart;
}

/** How networks are connected: small, changes seldom, and is computed as a whole. */
export class Topology {
  readonly networks: ReadonlyMap<string, Network>;
  readonly fabric: Network | undefined;
  readonly #byInstance = new Map<string, Network>();
  readonly #byIdentity = new Map<string, OwnedPart>();
  readonly #byPolicy = new Map<string, OwnedPart>();

  /** @param refused pairs of networks that policies join, but whose routes are in conflict. */
  constructor(
    networks: readonly Network[],
    readonly refused: readonly RefusedLeak[] = [],
  ) {
    this.networks = new Map(networks.map((network) => [network.uuid, network]));
    this.fabric = networks.find(({ isFabric }) => isFabric);
    for (const network of networks) {
      this.#byInstance.set(network.instance, network);
      for (const part of network.parts) {
        this.#byIdentity.set(part.identity, { network, part });
        this.#byPolicy.set(policyTextOf(network, part), { network, part });
      }
    }
  }

  byInstance(instance: string): Network | undefined {
    return this.#byInstance.get(instance);
  }

  byIdentity(text: string): OwnedPart | undefined {
    return this.#byIdentity.get(text);
  }

  /** Whose interfaces have the set of policies; of the one without limits any. */
  byPolicy(text: string): OwnedPart | undefined {
    return this.#byPolicy.get(text);
  }

  /** The networks joined with this one, itself not among them. */
  joinedWith(network: Network): Network[] {
    return [...network.joined].flatMap((uuid) => this.networks.get(uuid) ?? []);
  }
}

/**
 * Networks without a routing instance (their transaction is not complete) are left out.
 *
 * @param memory of the pass before: what is not different is the same object again.
 */
export function computeTopology(model: Model, memory = new TopologyMemory()): Topology {
  memory.begin();
  const instances = new Map<string, RoutingInstanceObject>();
  const surroundings = networksWithPolicies(model, memory.surroundings);
  const addressed = new Map<string, AddressedNetwork>();
  for (const network of model.all('virtual-network')) {
    const { uuid, name } = network;
    const instance = model.find('instance by network', uuid)[0];
    const around = surroundings.get(uuid);
    if (instance === undefined || around === undefined) {
      surroundings.delete(uuid);
      continue;
    }
    instances.set(uuid, instance);
    const hasPods = uuid !== ipFabricNetworkUuid && model.has('interface by network', uuid);
    addressed.set(uuid, { uuid, name, subnets: around.subnets, addressSpace: addressSpaceOf(network), hasPods });
  }
  const wanted = joinNetworks(surroundings, memory.pairs);
  const { joins, refused } = refuseOverlaps(addressed, wanted.joins);
  const networks = [...instances].flatMap(([uuid, instance]) => {
    const [network, around] = [model.get('virtual-network', uuid), surroundings.get(uuid)];
    if (network === undefined || around === undefined) return [];
    const isPopulated = uuid === ipFabricNetworkUuid || model.has('interface by network', uuid);
    const peers = [...(joins.get(uuid) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const inputs = [network, instance, around, isPopulated, ...peers.flat()];
    return [memory.networks.get(uuid, inputs, () => toNetwork(network, { instance, around, isPopulated, peers }))];
  });
  return new Topology(networks, [...wanted.refused, ...refused]);
}

interface NetworkSurroundings {
  readonly instance: RoutingInstanceObject;
  readonly around: NetworkWithPolicies;
  readonly isPopulated: boolean;
  readonly peers: readonly (readonly [string, Limit | undefined])[];
}

function toNetwork(network: VirtualNetworkObject, { instance, around, isPopulated, peers }: NetworkSurroundings): Network {
  const { uuid, name, maxFlows, fabricSnat, portSecurity } = network;
  const isFabric = uuid === ipFabricNetworkUuid;
  const [rest, ...limited] = around.parts;
  return {
    uuid,
    name,
    instance: instance.uuid,
    instanceName: instance.name,
    identity: rest.identity,
    parts: [toIdentityPart(rest), ...limited.map(toIdentityPart)],
    baseVni: network.networkId,
    maxFlows,
    fabricSnat,
    portSecurity,
    subnets: around.subnets,
    addressSpace: addressSpaceOf(network),
    isFabric,
    isPopulated,
    joined: new Set(peers.map(([peer]) => peer).filter((peer) => peer !== uuid)),
    limits: new Map(peers.flatMap(([peer, limit]) => (limit === undefined ? [] : [[peer, limit] as const]))),
  };
}

function toIdentityPart({ prefix, prefixes, identity }: Part): IdentityPart {
  return { prefix, prefixes, identity };
}

/** Alone with an IPAM, and without subnets of its own there: allocation then is common to all its networks. */
function addressSpaceOf({ ipams }: VirtualNetworkObject): string {
  const [ipam, ...others] = ipams;
  return ipam !== undefined && others.length === 0 && ipam.subnets.length === 0 ? ipam.uuid : '';
}
