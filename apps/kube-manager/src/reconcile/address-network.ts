import { findMessage } from '@contrail/resource-model';
import { podNetwork, serviceNetwork } from '../translate/cluster';
import { clusterIpams } from '../translate/cluster-resources';
import type { Workplace } from './workplace';

/**
 * The network under which ipam keeps the addresses of a network. All networks with the cluster's IPAMs share their addresses,
 * so these are asked for, and released, under the cluster's own networks: an address moves between them with its owner.
 */
export function addressNetworkOf({ cluster, cache }: Pick<Workplace, 'cluster' | 'cache'>, networkUuid: string): string {
  const stored = cache.get(networkUuid);
  const ipams = stored === undefined ? [] : (findMessage('virtual-network', stored)?.networkIpamRefs ?? []);
  const own = clusterIpams(cluster);
  if (ipams.some(({ uuid }) => uuid === own.pod.uuid)) return podNetwork(cluster).uuid;
  if (ipams.some(({ uuid }) => uuid === own.service.uuid)) return serviceNetwork(cluster).uuid;
  return networkUuid;
}
