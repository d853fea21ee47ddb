import type { Model } from '../model/model';
import type { NetworkPolicyObject, PolicyEnd, VirtualNetworkObject } from '../model/model-object';

/** From the uuid of each network to those with which it exchanges routes; symmetric, never itself. */
export type Joins = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Two networks are joined when each has, in the policies attached to it, a passing rule between the two
 * (R21 §2.2: both ends attached). A rule works in both directions for routes; what of the traffic
 * passes is for the policy tables.
 */
export function joinNetworks(model: Model): Joins {
  const names = new NetworkNames(model);
  const wanted = new Map<string, Set<string>>();
  for (const network of model.all('virtual-network')) wanted.set(network.uuid, wantedPeers(network, model, names));
  const joins = new Map<string, Set<string>>();
  for (const [uuid, peers] of wanted) {
    joins.set(uuid, new Set([...peers].filter((peer) => peer !== uuid && wanted.get(peer)?.has(uuid) === true)));
  }
  return joins;
}

/** Finds networks by their own name and by the names of policies attached to them. */
class NetworkNames {
  readonly all: string[] = [];
  readonly byName = new Map<string, string>();
  readonly byPolicyName = new Map<string, string[]>();

  constructor(model: Model) {
    for (const network of model.all('virtual-network')) {
      this.all.push(network.uuid);
      this.byName.set(network.name, network.uuid);
      for (const { name } of policiesOf(network, model)) {
        const attached = this.byPolicyName.get(name);
        if (attached === undefined) this.byPolicyName.set(name, [network.uuid]);
        else attached.push(network.uuid);
      }
    }
  }
}

function policiesOf(network: VirtualNetworkObject, model: Model): NetworkPolicyObject[] {
  return network.policyUuids.flatMap((uuid) => model.get('network-policy', uuid) ?? []);
}

function wantedPeers(network: VirtualNetworkObject, model: Model, names: NetworkNames): Set<string> {
  const policies = policiesOf(network, model);
  const attached = new Set(policies.map(({ name }) => name));
  const peers = new Set<string>();
  const follow = (from: readonly PolicyEnd[], to: readonly PolicyEnd[]): void => {
    if (!from.some((end) => isEnd(end, network, attached))) return;
    for (const end of to) for (const peer of networksOf(end, network, names)) peers.add(peer);
  };
  for (const policy of policies) {
    for (const { sources, destinations } of policy.passRules) {
      follow(sources, destinations);
      follow(destinations, sources);
    }
  }
  return peers;
}

function isEnd(end: PolicyEnd, network: VirtualNetworkObject, attached: ReadonlySet<string>): boolean {
  if (end.kind === 'policy') return attached.has(end.name);
  return end.name === 'any' || end.name === 'local' || end.name === network.name;
}

function networksOf(end: PolicyEnd, network: VirtualNetworkObject, names: NetworkNames): readonly string[] {
  if (end.kind === 'policy') return names.byPolicyName.get(end.name) ?? [];
  if (end.name === 'any') return names.all;
  if (end.name === 'local') return [network.uuid];
  const uuid = names.byName.get(end.name);
  return uuid === undefined ? [] : [uuid];
}
