import { formatPrefix } from '@contrail/net';
import type { Address } from '@contrail/net';
import { GlobalConfig } from '@contrail/proto-gen/control/v1/messages';
import type { GlobalVrouterConfigObject, Subnet } from '../model/model-object';
import type { CompileContext, CompiledEntry, CompileSettings } from './compile-context';
import { isClusterPodNetwork } from './cluster-network';
import type { Topology } from '../topology/topology';
import { toProtoPrefix } from './proto-values';
import { everybody } from './scopes';

/** Outside the ephemeral range of the kernel (32768 to 60999). */
const defaultSnatPorts = { first: 61_000, last: 65_535 };

/** Settings of every node. Zeros until the ip-fabric network exists and has its numbers. */
export function compileGlobalConfig({ model, topology, ids, settings }: CompileContext): CompiledEntry {
  const { fabric } = topology;
  const config = firstOf(model.all('global-vrouter-config'));
  const ports = config?.snatPorts ?? defaultSnatPorts;
  const gateways = hairpinGateways(topology, settings);
  const value = GlobalConfig.fromPartial({
    clusterName: settings.clusterName,
    hostPrefixes: hostSubnets(topology).map(({ prefix }) => toProtoPrefix(prefix)),
    snatPortMin: ports.first,
    snatPortMax: ports.last,
    fabricVrf: fabric === undefined ? 0 : (ids.get('vrf', fabric.instance) ?? 0),
    hostIdentity: fabric === undefined ? 0 : (ids.get('identity', fabric.identity) ?? 0),
    flowTimeouts: [...(config?.flowTimeouts ?? [])],
    hairpinAddressV4: Buffer.from(gateways.v4 ?? []),
    hairpinAddressV6: Buffer.from(gateways.v6 ?? []),
  });
  return { scope: everybody, entry: { kind: { $case: 'global', value } } };
}

/** There is one; should there be more, the result must not depend on their order. */
function firstOf(configs: Iterable<GlobalVrouterConfigObject>): GlobalVrouterConfigObject | undefined {
  return [...configs].sort((a, b) => (a.uuid < b.uuid ? -1 : 1))[0];
}

/** Subnets of the networks that exchange routes with the nodes, each once, sorted. */
function hostSubnets(topology: Topology): Subnet[] {
  const { fabric } = topology;
  if (fabric === undefined) return [];
  const subnets = new Map<string, Subnet>();
  for (const network of topology.joinedWith(fabric)) {
    for (const subnet of network.subnets) subnets.set(formatPrefix(subnet.prefix), subnet);
  }
  return [...subnets].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, subnet]) => subnet);
}

function hairpinGateways(
  topology: Topology,
  settings: CompileSettings,
): { v4: Address | undefined; v6: Address | undefined } {
  const network = [...topology.networks.values()]
    .filter((network) => isClusterPodNetwork(network, settings))
    .sort((a, b) => (a.uuid < b.uuid ? -1 : 1))[0];
  const gateway = (byteLength: number): Address | undefined =>
    network?.subnets.find(({ prefix }) => prefix.address.length === byteLength)?.gateway;
  return { v4: gateway(4), v6: gateway(16) };
}
