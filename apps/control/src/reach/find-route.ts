import { compareAddresses, prefixContains } from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';
import type { InterfaceNextHop, Route } from '@contrail/proto-gen/control/v1/messages';
import { clusterRanges } from '../compile/cluster-network';
import type { CompileContext } from '../compile/compile-context';
import { compileUnit } from '../compile/compile-unit';
import { routeUnit, vrfUnit } from '../compile/unit';
import type { Network } from '../topology/topology';

export type FoundRoute = { readonly prefix: Prefix; readonly route: Route } & (
  | { readonly kind: 'interface'; readonly hop: InterfaceNextHop }
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'fabric' }
  | { readonly kind: 'discard' }
  | { readonly kind: 'other' }
);

/** The route that an agent finds for the address in the VRF of a network: the longest prefix that has an entry. */
export function findRoute(context: CompileContext, network: Network, address: Address): FoundRoute | undefined {
  for (const prefix of prefixesOf(context, network, address)) {
    const entry = compileUnit(context, routeUnit(network.instance, prefix))?.entry.kind;
    if (entry?.$case === 'route') return toFound(prefix, entry.value);
  }
  return undefined;
}

/** Whether the node itself answers for the address there: gateways and service addresses of the network's subnets. */
export function isGateway(context: CompileContext, network: Network, address: Address): boolean {
  const entry = compileUnit(context, vrfUnit(network.instance))?.entry.kind;
  return entry?.$case === 'vrf' && entry.value.gatewayAddresses.some((gateway) => compareAddresses(gateway, address) === 0);
}

/** Every prefix for which a VRF may have a route, the longest first. */
function prefixesOf({ topology, settings }: CompileContext, network: Network, address: Address): Prefix[] {
  const near = [network, ...topology.joinedWith(network)].flatMap((each) => each.subnets.map(({ prefix }) => prefix));
  const subnets = [...near, ...clusterRanges(topology, settings)]
    .filter((prefix) => prefixContains(prefix, address))
    .sort((a, b) => b.length - a.length);
  return [{ address, length: 8 * address.length }, ...subnets, { address: new Uint8Array(address.length), length: 0 }];
}

function toFound(prefix: Prefix, route: Route): FoundRoute {
  const hop = route.paths[0]?.nextHop;
  switch (hop?.$case) {
    case 'interface':
      return { prefix, route, kind: 'interface', hop: hop.value };
    case 'node':
      return { prefix, route, kind: 'node', node: hop.value.node };
    case 'fabric':
      return { prefix, route, kind: 'fabric' };
    case 'discard':
      return { prefix, route, kind: 'discard' };
    case 'tunnel':
    case undefined:
      return { prefix, route, kind: 'other' };
  }
}
