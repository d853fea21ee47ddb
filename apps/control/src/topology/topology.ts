import { identityText } from '@contrail/policy';
import { ipFabricNetworkUuid } from '@contrail/resource-model';
import type { Model } from '../model/model';
import type { RoutingInstanceObject, Subnet, VirtualNetworkObject } from '../model/model-object';
import { joinNetworks } from './join-networks';

/** A virtual network with its VRF, and how it is connected. */
export interface Network {
  readonly uuid: string;
  readonly name: string;
  /** Uuid of the RoutingInstance: names the VRF in every unit and id. */
  readonly instance: string;
  readonly instanceName: string;
  /** Canonical text of the identity of its interfaces. */
  readonly identity: string;
  readonly baseVni: number;
  readonly maxFlows: number;
  readonly fabricSnat: boolean;
  readonly portSecurity: boolean;
  readonly subnets: readonly Subnet[];
  /** Uuid of the IPAM from whose flat subnets all addresses come; empty: they are the network's own. */
  readonly addressSpace: string;
  /** The network of the nodes themselves. */
  readonly isFabric: boolean;
  /** Whether anybody lives in it; nothing is ever looked up in the VRF of a network without interfaces. */
  readonly isPopulated: boolean;
  /** Uuids of the networks with which it exchanges routes. */
  readonly joined: ReadonlySet<string>;
}

/** How networks are connected: small, changes seldom, and is computed as a whole. */
export class Topology {
  readonly networks: ReadonlyMap<string, Network>;
  readonly fabric: Network | undefined;
  readonly #byInstance = new Map<string, Network>();
  readonly #byIdentity = new Map<string, Network>();

  constructor(networks: readonly Network[]) {
    this.networks = new Map(networks.map((network) => [network.uuid, network]));
    this.fabric = networks.find(({ isFabric }) => isFabric);
    for (const network of networks) {
      this.#byInstance.set(network.instance, network);
      this.#byIdentity.set(network.identity, network);
    }
  }

  byInstance(instance: string): Network | undefined {
    return this.#byInstance.get(instance);
  }

  byIdentity(text: string): Network | undefined {
    return this.#byIdentity.get(text);
  }

  /** The networks joined with this one, itself not among them. */
  joinedWith(network: Network): Network[] {
    return [...network.joined].flatMap((uuid) => this.networks.get(uuid) ?? []);
  }
}

/** Networks without a routing instance (their transaction is not complete) are left out. */
export function computeTopology(model: Model): Topology {
  const joins = joinNetworks(model);
  const instances = new Map<string, RoutingInstanceObject>();
  for (const { uuid } of model.all('virtual-network')) {
    const instance = model.find('instance by network', uuid)[0];
    if (instance !== undefined) instances.set(uuid, instance);
  }
  const networks: Network[] = [];
  for (const network of model.all('virtual-network')) {
    const instance = instances.get(network.uuid);
    if (instance === undefined) continue;
    const joined = [...(joins.get(network.uuid) ?? [])].filter((uuid) => instances.has(uuid));
    networks.push(toNetwork(network, instance, { model, joined: new Set(joined) }));
  }
  return new Topology(networks);
}

function toNetwork(
  network: VirtualNetworkObject,
  instance: RoutingInstanceObject,
  { model, joined }: { readonly model: Model; readonly joined: ReadonlySet<string> },
): Network {
  const { uuid, name, maxFlows, fabricSnat, portSecurity } = network;
  const isFabric = uuid === ipFabricNetworkUuid;
  return {
    uuid,
    name,
    instance: instance.uuid,
    instanceName: instance.name,
    identity: identityText({ virtualNetworkUuid: uuid, tagUuids: [], securityGroupUuids: [] }),
    baseVni: network.networkId,
    maxFlows,
    fabricSnat,
    portSecurity,
    subnets: network.ipams.flatMap((ipam) => [
      ...ipam.subnets,
      ...(model.get('network-ipam', ipam.uuid)?.subnets ?? []),
    ]),
    addressSpace: addressSpaceOf(network),
    isFabric,
    isPopulated: isFabric || model.has('interface by network', uuid),
    joined,
  };
}

/** Alone with an IPAM, and without subnets of its own there: allocation then is common to all its networks. */
function addressSpaceOf({ ipams }: VirtualNetworkObject): string {
  const [ipam, ...others] = ipams;
  return ipam !== undefined && others.length === 0 && ipam.subnets.length === 0 ? ipam.uuid : '';
}
