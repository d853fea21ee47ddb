import type { InterfaceNextHop, Path, Route } from '@contrail/proto-gen/control/v1/messages';
import { checkedAddress, checkedMac, checkedPrefix } from './checked';
import type { Facts } from './facts';
import { nextHop, nextHopText } from './next-hop-values';
import type { NextHopValue } from '../datapath/port';
import type { UnitRows } from './unit-rows';

const defaultPreference = 100;

/**
 * Translates one route. Only the paths of the best preference count; those that cannot be resolved
 * yet (unknown node, interface not attached) are left out. A route without a usable path discards,
 * so that its traffic does not fall through to a shorter prefix.
 */
export function routeRows(route: Route, facts: Facts): UnitRows {
  const prefix = checkedPrefix('route.key.prefix', route.key?.prefix);
  const vrf = route.key?.vrf ?? 0;
  const best = Math.max(...route.paths.map(preferenceOf));
  const members = new Map<string, NextHopValue>();
  for (const path of route.paths) {
    if (preferenceOf(path) !== best) continue;
    const value = resolve(path, vrf, facts);
    if (value) members.set(nextHopText(value), value);
  }
  const { identity } = route;
  if (members.size === 0) return { routes: [{ vrf, prefix, identity, members: [nextHop('discard')] }] };
  // Sorted, so that the order in which control names paths does not matter.
  const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
  return { routes: [{ vrf, prefix, identity, members: sorted }] };
}

function preferenceOf(path: Path): number {
  return path.preference === 0 ? defaultPreference : path.preference;
}

function resolve(path: Path, vrf: number, facts: Facts): NextHopValue | undefined {
  const kind = path.nextHop;
  if (!kind) return undefined;
  switch (kind.$case) {
    case 'interface':
      return interfaceNextHop(kind.value, facts);
    case 'node': {
      if (kind.value.node === facts.self) return nextHop('receive', { vrf });
      const remote = tunnelAddress(kind.value.node, facts);
      return remote && nextHop('tunnel', { remote, vrf: facts.global()?.fabricVrf ?? 0 });
    }
    case 'fabric':
      return nextHop('fabric', { snat: kind.value.snat });
    case 'discard':
      return nextHop('discard');
    case 'tunnel':
      return nextHop('tunnel', {
        remote: checkedAddress('path.tunnel.remote', kind.value.remote),
        label: kind.value.vni,
        mac: checkedMac('path.tunnel.mac', kind.value.mac),
      });
  }
}

function interfaceNextHop(hop: InterfaceNextHop, facts: Facts): NextHopValue | undefined {
  const mac = checkedMac('path.interface.mac', hop.mac);
  if (hop.node !== facts.self) {
    const remote = tunnelAddress(hop.node, facts);
    return remote && nextHop('tunnel', { remote, vrf: hop.vrf, mac });
  }
  const device = facts.device(hop.interfaceUuid);
  return device && nextHop('encap', { ifindex: device.ifindex, vrf: hop.vrf, mac });
}

/** The node's first underlay address of a family that this node has too. */
function tunnelAddress(name: string, facts: Facts): Uint8Array | undefined {
  const { nodeAddressV4, nodeAddressV6 } = facts.local();
  const addresses = facts.node(name)?.addresses ?? [];
  return (
    (nodeAddressV4 && addresses.find((address) => address.length === 4)) ??
    (nodeAddressV6 && addresses.find((address) => address.length === 16))
  );
}
