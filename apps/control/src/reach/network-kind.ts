import { podNetworkName, projectName, serviceNetworkName } from '@contrail/resource-model';
import { isClusterPodNetwork, isClusterServiceNetwork } from '../compile/cluster-network';
import type { CompileSettings } from '../compile/compile-context';
import type { Network } from '../topology/topology';

export type NetworkKind =
  /** The nodes' own. */
  | { readonly kind: 'fabric' }
  /** Of all namespaces that are not isolated. */
  | { readonly kind: 'cluster'; readonly of: 'pods' | 'services' }
  | { readonly kind: 'isolated'; readonly of: 'pods' | 'services'; readonly namespace: string }
  | { readonly kind: 'custom' };

/** Whose network it is, by R21's names; where all namespaces share one project, an isolated one's is taken for custom. */
export function networkKind(network: Network, settings: CompileSettings): NetworkKind {
  const { clusterName } = settings;
  if (network.isFabric) return { kind: 'fabric' };
  if (isClusterPodNetwork(network, settings)) return { kind: 'cluster', of: 'pods' };
  if (isClusterServiceNetwork(network, settings)) return { kind: 'cluster', of: 'services' };
  const [project = '', name = ''] = network.name.split(':').slice(-2);
  const namespace = (toName: (cluster: string, namespace: string) => string): string | undefined => {
    const [before = '', after = ''] = toName(clusterName, '\n').split('\n');
    const isSo = name.startsWith(before) && name.endsWith(after) && name.length > before.length + after.length;
    const found = isSo ? name.slice(before.length, name.length - after.length) : '';
    // Networks of NetworkAttachmentDefinitions are named alike, after the definition.
    return found !== '' && project === projectName(clusterName, found) ? found : undefined;
  };
  const pods = namespace(podNetworkName);
  if (pods !== undefined) return { kind: 'isolated', of: 'pods', namespace: pods };
  const services = namespace(serviceNetworkName);
  if (services !== undefined) return { kind: 'isolated', of: 'services', namespace: services };
  return { kind: 'custom' };
}
