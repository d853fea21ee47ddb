import type { Prefix } from '@contrail/net';
import type { Network, Topology } from '../topology/topology';
import type { CompileSettings } from './compile-context';

/** The network of all pods that are neither isolated nor on a network of their own. */
export function isClusterPodNetwork(network: Network, { clusterPodNetwork }: CompileSettings): boolean {
  return network.name === clusterPodNetwork;
}

/** The network of all services that are not isolated. */
export function isClusterServiceNetwork(network: Network, { clusterServiceNetwork }: CompileSettings): boolean {
  return network.name === clusterServiceNetwork;
}

/** Of the cluster itself: its nodes, its pods, its services. */
export function isOfCluster(network: Network, settings: CompileSettings): boolean {
  return network.isFabric || hasClusterRange(network, settings);
}

/** Whether its subnets are the cluster's own: every pod, service and alias address comes from them, those of isolated namespaces too. */
export function hasClusterRange(network: Network, settings: CompileSettings): boolean {
  return isClusterPodNetwork(network, settings) || isClusterServiceNetwork(network, settings);
}

/** Prefixes that never lie outside of the cluster. */
export function clusterRanges(topology: Topology, settings: CompileSettings): Prefix[] {
  return [...topology.networks.values()]
    .filter((network) => hasClusterRange(network, settings))
    .flatMap(({ subnets }) => subnets.map(({ prefix }) => prefix));
}
