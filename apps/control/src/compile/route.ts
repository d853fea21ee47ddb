import { addressEquals, addressKey } from '@contrail/net';
import type { Address, Prefix } from '@contrail/net';
import type { Path } from '@contrail/proto-gen/control/v1/messages';
import { policyTextOf } from '../topology/network';
import type { Network } from '../topology/topology';
import { clusterRanges } from './cluster-network';
import type { CompileContext, CompiledEntry } from './compile-context';
import { hostsAt } from './hosts-at';
import { identityPartOf } from './identity-part';
import { toBuffer, toProtoPrefix } from './proto-values';
import { routesScope } from './scopes';
import type { UnitOf } from './unit';

/**
 * One route of a VRF. An address belongs to the network's own interfaces, else to a node (where nodes
 * are reachable), else to an interface of a joined network; never to several networks at once, because
 * traffic must not be balanced over tenants. What nobody has there is discarded where it must not leave
 * by the default route.
 */
export function compileRoute(context: CompileContext, unit: UnitOf<'route'>): CompiledEntry | undefined {
  const network = context.topology.byInstance(unit.instance);
  if (network === undefined || !network.isPopulated) return undefined;
  const found = findHost(context, network, unit.prefix) ?? findCover(context, network, unit.prefix);
  if (found === undefined) return undefined;
  const { paths, owner } = found;
  const identity = owner === undefined ? 0 : context.ids.need('identity', owner.identity);
  // Limits first: nothing leads to another network before the table of the senders has its number.
  if (owner !== undefined && owner.network !== network) {
    for (const part of network.parts) context.ids.need('policy', policyTextOf(network, part));
  }
  const vrf = context.ids.need('vrf', unit.instance);
  const value = { key: { vrf, prefix: toProtoPrefix(unit.prefix) }, paths: [...paths], identity };
  return { scope: routesScope(unit.instance), entry: { kind: { $case: 'route', value } } };
}

interface Found {
  readonly paths: readonly Path[];
  /** Whoever has the address. */
  readonly owner?: Owner;
}

interface Owner {
  readonly network: Network;
  /** Canonical text. */
  readonly identity: string;
}

function findHost(context: CompileContext, network: Network, prefix: Prefix): Found | undefined {
  const { address, length } = prefix;
  if (length < 8 * address.length) return undefined;
  const byNetwork = interfacePaths(context, network, address);
  const own = byNetwork.get(network);
  if (own !== undefined) return own;
  const { fabric } = context.topology;
  const node = findNode(context, network, address);
  if (node !== undefined && fabric !== undefined) {
    return { paths: [{ preference: 0, nextHop: { $case: 'node', value: { node } } }], owner: { network: fabric, identity: fabric.identity } };
  }
  const [first] = [...byNetwork].sort(([a], [b]) => byPrecedence(a, b));
  return first?.[1];
}

/** Where several joined networks have an address (nodes see networks that overlap), those of the cluster's pools come first. */
function byPrecedence(a: Network, b: Network): number {
  return Number(a.addressSpace === '') - Number(b.addressSpace === '') || (a.uuid < b.uuid ? -1 : 1);
}

/** Interfaces with the address, by their network: this one and those joined with it; nodes also reach every alias. */
function interfacePaths(context: CompileContext, network: Network, address: Address): Map<Network, Found> {
  const { model, topology, ids } = context;
  const found = new Map<Network, Found>();
  for (const { interface: vmi, isAlias } of hostsAt(model, address)) {
    const home = topology.networks.get(vmi.networkUuid);
    const node = model.get('virtual-machine', vmi.machineUuid)?.node ?? '';
    if (home === undefined || vmi.isService || node === '') continue;
    if (home !== network && !(isAlias ? network.isFabric : network.joined.has(home.uuid))) continue;
    const vrf = ids.need('vrf', home.instance);
    const value = { node, interfaceUuid: vmi.uuid, vrf, mac: toBuffer(vmi.mac) };
    const path: Path = { preference: 0, nextHop: { $case: 'interface', value } };
    const known = found.get(home);
    const owner = known?.owner ?? { network: home, identity: identityPartOf(context, home, vmi).identity };
    found.set(home, { owner, paths: [...(known?.paths ?? []), path] });
  }
  return found;
}

/** The node with this address, in VRFs from which nodes are reachable. */
function findNode({ model, topology }: CompileContext, network: Network, address: Address): string | undefined {
  const { fabric } = topology;
  if (fabric === undefined || (!network.isFabric && !network.joined.has(fabric.uuid))) return undefined;
  return model.find('router by address', addressKey(address))[0]?.name;
}

/** The default route of networks with SNAT, and discard for what must not leave by it. */
function findCover(context: CompileContext, network: Network, prefix: Prefix): Found | undefined {
  if (isDiscarded(context, network, prefix)) return { paths: [{ preference: 0, nextHop: { $case: 'discard', value: {} } }] };
  if (prefix.length > 0 || !network.fabricSnat || !hasFamily(network, prefix.address.length)) return undefined;
  return { paths: [{ preference: 0, nextHop: { $case: 'fabric', value: { snat: true } } }] };
}

/**
 * Subnets of this network and of those joined with it. Where a default route leads out, also the cluster's own ranges (pods,
 * services and aliases of others) and the nodes: SNAT opens the world outside, and nothing of the cluster.
 */
function isDiscarded({ model, topology, settings }: CompileContext, network: Network, prefix: Prefix): boolean {
  const isThis = (other: Prefix): boolean => other.length === prefix.length && addressEquals(other.address, prefix.address);
  const near = [network, ...topology.joinedWith(network)];
  if (near.some(({ subnets }) => subnets.some((subnet) => isThis(subnet.prefix)))) return true;
  if (!network.fabricSnat) return false;
  if (clusterRanges(topology, settings).some(isThis)) return true;
  return prefix.length === 8 * prefix.address.length && model.has('router by address', addressKey(prefix.address));
}

/** IPv4 always, IPv6 in networks that have such a subnet. */
function hasFamily({ subnets }: Network, byteLength: number): boolean {
  return byteLength === 4 || subnets.some(({ prefix }) => prefix.address.length === byteLength);
}
