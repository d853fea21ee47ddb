import type { ListenerObject, LoadbalancerObject } from '../model/model-object';
import { isClusterPodNetwork } from './cluster-network';
import type { Network } from '../topology/topology';
import { backendHome, membersOf } from './backend-home';
import type { CompileContext } from './compile-context';

type Around = Pick<CompileContext, 'model' | 'topology' | 'settings'>;

/** One port of a service, and the network of its cluster IP. */
export interface ServiceEnd {
  readonly loadbalancer: LoadbalancerObject;
  readonly listener: ListenerObject;
  readonly networkUuid: string;
}

/** Why a service is reachable from a network. */
export type ServiceGrant = 'own network' | 'joined networks' | 'essential service' | 'own backends';

/**
 * Whether the service can be called from the network: when its cluster IP belongs to the network or to one joined with it,
 * when everybody needs it (cluster DNS, the API server), or when all its backends are on the network itself. The last is
 * for custom networks, which no policy joins with service networks by itself: their own pods stay among themselves.
 */
export function serviceGrant(around: Around, network: Network, end: ServiceEnd): ServiceGrant | undefined {
  if (end.networkUuid === network.uuid) return 'own network';
  if (network.joined.has(end.networkUuid)) return 'joined networks';
  if (around.settings.essentialServices.includes(end.loadbalancer.name)) return 'essential service';
  return hasOwnBackends(around, network, end.listener) ? 'own backends' : undefined;
}

function hasOwnBackends(around: Around, network: Network, listener: ListenerObject): boolean {
  if (network.isFabric || isClusterPodNetwork(network, around.settings)) return false;
  const admitted = membersOf(around, listener).filter(({ refused }) => refused === '');
  return admitted.length > 0 && admitted.every((member) => backendHome(around, member)?.network === network);
}
