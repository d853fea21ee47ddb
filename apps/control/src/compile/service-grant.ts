import type { Address } from '@contrail/net';
import type { ListenerObject, LoadbalancerObject } from '../model/model-object';
import { connectionVerdict } from '../topology/connection-verdict';
import { isClusterPodNetwork } from './cluster-network';
import type { Network } from '../topology/topology';
import { backendHome, membersOf } from './backend-home';
import type { CompileContext } from './compile-context';
import { identityPartAt } from './identity-part';

type Around = Pick<CompileContext, 'model' | 'topology' | 'settings'>;

/** One port of a service, and the network of its cluster IP. */
export interface ServiceEnd {
  readonly loadbalancer: LoadbalancerObject;
  readonly listener: ListenerObject;
  readonly networkUuid: string;
  /** The cluster IP. */
  readonly address: Address;
}

/** Why a service is reachable from a network. */
export type ServiceGrant = 'own network' | 'joined networks' | 'essential service' | 'own backends';

/**
 * Whether the service can be called from the network: when its cluster IP belongs to the network or to one joined with it by
 * policies that let the service's own port through (the port of the pods behind it does not matter), when everybody needs it (cluster DNS, the API server), or when all its backends are on the network itself. The last is
 * for custom networks, which no policy joins with service networks by itself: their own pods stay among themselves.
 */
export function serviceGrant(around: Around, network: Network, end: ServiceEnd): ServiceGrant | undefined {
  if (end.networkUuid === network.uuid) return 'own network';
  if (isLetThrough(around, network, end)) return 'joined networks';
  if (around.settings.essentialServices.includes(end.loadbalancer.name)) return 'essential service';
  return hasOwnBackends(around, network, end.listener) ? 'own backends' : undefined;
}

/** A service entry is for all of a VRF, so policies must let every part of the network through. */
function isLetThrough({ topology }: Around, network: Network, { networkUuid, listener, address }: ServiceEnd): boolean {
  const home = topology.networks.get(networkUuid);
  if (home === undefined || !network.joined.has(networkUuid)) return false;
  const to = { network: home, part: identityPartAt(home, address) };
  return network.parts.every((part) => connectionVerdict({ network, part }, to, listener).verdict === 'pass');
}

function hasOwnBackends(around: Around, network: Network, listener: ListenerObject): boolean {
  if (network.isFabric || isClusterPodNetwork(network, around.settings)) return false;
  const admitted = membersOf(around, listener).filter(({ refused }) => refused === '');
  return admitted.length > 0 && admitted.every((member) => backendHome(around, member)?.network === network);
}
