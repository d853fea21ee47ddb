import { everybody, nodeScope, policyScope, routesScope, servicesScope, vrfScope } from '../compile/scopes';
import type { ServiceReach } from '../compile/service-reach';
import type { EntryTable } from '../engine/entry-table';
import type { Network, Topology } from '../topology/topology';

export interface NeedsContext {
  readonly table: EntryTable;
  readonly topology: Topology;
  readonly reach: ServiceReach;
}

/**
 * Scopes that a node needs: its interfaces and their policies; routes and services of the VRFs in which
 * packets are looked up first (those of its interfaces, and the fabric's for its own processes); routes
 * and labels of the VRFs that these lead to, by policy or by service.
 */
export function scopesOfNode(context: NeedsContext, node: string): Set<string> {
  const { table, topology, reach } = context;
  const scopes = new Set([everybody, nodeScope(node)]);
  const lookups = new Set<Network>();
  if (topology.fabric !== undefined) lookups.add(topology.fabric);
  for (const { interest } of table.scope(nodeScope(node)).values()) {
    if (interest?.policy !== undefined) scopes.add(policyScope(interest.policy));
    const network = interest?.lookup === undefined ? undefined : topology.byInstance(interest.lookup);
    if (network !== undefined) lookups.add(network);
  }
  for (const network of lookups) {
    scopes.add(servicesScope(network.instance));
    addVrf(scopes, network);
    for (const joined of topology.joinedWith(network)) addVrf(scopes, joined);
    for (const instance of reach.from(network.instance)) {
      const backend = topology.byInstance(instance);
      if (backend !== undefined) addVrf(scopes, backend);
    }
  }
  return scopes;
}

/** Nothing is looked up in the VRF of a network without interfaces; it is only named. */
function addVrf(scopes: Set<string>, { instance, isPopulated }: Network): void {
  scopes.add(vrfScope(instance));
  if (isPopulated) scopes.add(routesScope(instance));
}
